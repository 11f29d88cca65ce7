import json
from pathlib import Path

import pytest

from spikernel.config import NetworkConfig
from spikernel.errors import SpikernelError
from spikernel.space.architecture import ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import parameter_count
from spikernel.study.kernel_impact_table import Inputs, Outputs, run
from spikernel.study.reference_net import reference_architecture
from spikernel.tables import read_csv

ROLES = ("conv", "zero", "skip", "conv", "zero", "conv")
IMAGES = ImageShape(3, 32, 10)


def test_reference_net_has_one_kernel_size() -> None:
    net = reference_architecture(ROLES, 5, "plain", NetworkConfig(channels=16), IMAGES)
    assert net.cell == Cell.from_archid("k5-zero-skip-k5-zero-k5")
    assert net.network.channels == 16


@pytest.mark.parametrize("kernel", [1, 3, 5, 7, 9])
@pytest.mark.parametrize("channels", [4, 16, 63])
def test_iso_parameter_width_is_the_nearest_of_all(kernel: int, channels: int) -> None:
    network = NetworkConfig(channels=channels, head="gap")
    wanted = parameter_count(reference_architecture(ROLES, 3, "plain", network, IMAGES)).total

    def distance(width: int) -> int:
        at_width = network.model_copy(update={"channels": width})
        net = reference_architecture(ROLES, kernel, "plain", at_width, IMAGES)
        return abs(parameter_count(net).total - wanted)

    chosen = reference_architecture(ROLES, kernel, "iso_parameter", network, IMAGES)
    assert chosen.network.channels == min(range(1, 5 * channels), key=distance)
    if kernel == 3:
        assert chosen.network.channels == channels


def test_reference_net_of_the_modern_macro() -> None:
    network = NetworkConfig(macro="modern", channels=8, convolutions={7: "depthwise"})
    wanted = parameter_count(reference_architecture(ROLES, 3, "plain", network, IMAGES)).total
    plain = reference_architecture(ROLES, 7, "plain", network, IMAGES)
    assert plain.cell.archid == "d7-zero-skip-d7-zero-d7"
    assert parameter_count(plain).total < wanted
    wide = reference_architecture(ROLES, 7, "iso_parameter", network, IMAGES)
    assert wide.network.channels > 8
    assert parameter_count(wide).total == pytest.approx(wanted, rel=0.05)


def write_metrics(folder: Path, **values: object) -> Path:
    record = {
        "dataset": "d", "kernel_size": 3, "control": "plain", "seed": 0, "channels": 8,
        "params": 100, "memory_mb_fp32": 0.0004, "val_accuracy_percent": 50.0,
        "firing_rate": 0.1, "effective_acs": 10.0, "effective_macs": 5.0, "energy_pj": 32.0,
        "train_seconds": 2.0, **values,
    }  # fmt: skip
    path = folder / "-".join(map(str, values.values())) / "metrics.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record))
    return path


def test_table_holds_mean_and_sample_deviation(tmp_path: Path) -> None:
    files = [
        write_metrics(tmp_path, seed=0, val_accuracy_percent=50.0),
        write_metrics(tmp_path, seed=1, val_accuracy_percent=54.0),
        write_metrics(tmp_path, kernel_size=5, control="plain", val_accuracy_percent=60.0),
        write_metrics(tmp_path, kernel_size=5, control="iso_parameter", channels=6),
    ]
    run(Inputs(files), Outputs(tmp_path / "impact.csv"))
    table = read_csv(
        tmp_path / "impact.csv",
        text=("control",),
        numbers=("kernel_size", "seeds", "val_accuracy_percent_mean"),
        optional_numbers=("val_accuracy_percent_sd",),
    )
    rows = {(row["kernel_size"], row["control"]): row for _, row in table.iterrows()}
    # The 3x3 net was trained once and stands under both controls.
    assert set(rows) == {(k, c) for k in (3, 5) for c in ("plain", "iso_parameter")}
    for control in ("plain", "iso_parameter"):
        assert rows[3, control]["val_accuracy_percent_mean"] == 52
        assert rows[3, control]["val_accuracy_percent_sd"] == pytest.approx(8**0.5)
        assert rows[3, control]["seeds"] == 2
    assert rows[5, "plain"]["seeds"] == 1
    assert (
        rows[5, "plain"]["val_accuracy_percent_sd"] != rows[5, "plain"]["val_accuracy_percent_sd"]
    )


def test_incomplete_metrics_name_file_and_key(tmp_path: Path) -> None:
    path = write_metrics(tmp_path, seed=0)
    record = json.loads(path.read_text())
    del record["params"]
    path.write_text(json.dumps(record))
    with pytest.raises(SpikernelError, match=r"metrics\.json: key 'params' is missing"):
        run(Inputs([path]), Outputs(tmp_path / "impact.csv"))
