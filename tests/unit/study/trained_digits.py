"""Small nets trained and deployed on the whole digits data set, as the steps do."""

import json
from pathlib import Path
from typing import Any

from spikernel import artifacts, tables
from spikernel.config import ExportConfig, NetworkConfig, TrainingConfig
from spikernel.space.cell import Cell
from spikernel.study import deployment, export, train_final
from spikernel.study.inputs import Machine

CPU = Machine("cpu")
NETWORK = NetworkConfig(time_steps=3, channels=6, pool=2, hidden=32, votes=2, dropout=0.0)
TRAINING = TrainingConfig(
    recipe="modern", epochs=3, batch_size=32, learning_rate=0.01, crop_padding=0,
    flip="none", erase_probability=0, cutmix_alpha=0, mixup_alpha=0, ema_decay=0,
)  # fmt: skip
TEST_IMAGES = 359


def trained(manifest: Path, folder: Path, archid: str, training: TrainingConfig) -> Path:
    """Train one cell and deploy it as the steps do; return its metrics.json."""
    cell = Cell.from_archid(archid)
    tables.write_csv(folder / "candidates.csv", [{"archid": cell.archid, "rank": 1}])
    search = {
        "dataset": "digits", "kernel_set": "k1-3", "best_archid": cell.archid,
        "kernel_sizes": sorted({1, 3, *cell.kernel_sizes()}),
    }  # fmt: skip
    artifacts.write_json(folder / "search.json", search)
    inputs = train_final.Inputs(manifest, folder / "candidates.csv", folder / "search.json")
    outputs = train_final.Outputs.in_folder(folder)
    train_final.run(inputs, outputs, train_final.Settings(network=NETWORK, training=training), CPU)
    deployment.run(
        deployment.Inputs(manifest, outputs.metrics, outputs.model),
        deployment_outputs(outputs.metrics),
        CPU,
    )
    return outputs.metrics


def deployed_as(metrics: Path) -> Path:
    return metrics.parent / "deployment" / "deployment.json"


def deployment_outputs(metrics: Path) -> deployment.Outputs:
    record = deployed_as(metrics)
    return deployment.Outputs(record, record.with_name("predictions.npz"))


def exported(manifest: Path, metrics: Path, folder: Path, **settings: Any) -> dict[str, Any]:
    report = folder / "export" / "export.json"
    wanted = {"c_weights": ("int8", "float"), **settings}
    chosen = export.Settings(ExportConfig(**wanted))
    export.run(export.Inputs(manifest, [metrics]), export.Outputs(report), chosen)
    found: dict[str, Any] = json.loads(report.read_text())
    return found
