"""Steps of two nets on a few digits; no time is tested."""

from pathlib import Path

import cell_seconds
import pandas as pd
import pytest
from trained_cells import Table

from spikernel import artifacts, tables
from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.errors import ConfigError
from spikernel.space.architecture import ImageShape

NETWORK = NetworkConfig(macro="compact", stages=2, stage_widths=(1, 2), stem_channels=6)
TRAINING = TrainingConfig(recipe="engine", batch_size=20, crop_padding=1, cpu_bfloat16=False)
CELLS = ("zero-zero-k3-zero-zero-zero", "zero-zero-k1-zero-zero-zero")


@pytest.fixture
def table(digits_manifest: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(cell_seconds, "prepare_cifar10", lambda *_: digits_manifest)
    monkeypatch.setattr(Table, "images", ImageShape(1, 8, 10))
    path = tmp_path / "cells.csv"
    row = {"group": "random", "control": "same_parameters", "seed": 0, "params": 9, "channels": 4}
    tables.write_csv(
        path, [{**row, "archid": archid, "test_accuracy_percent": 50.0} for archid in CELLS]
    )
    settings = {"network": NETWORK, "training": TRAINING}
    made_with = {name: part.model_dump(mode="json") for name, part in settings.items()}
    artifacts.write_json(path.with_suffix(".json"), made_with)
    return path


def test_every_net_is_timed_once(table: Path) -> None:
    output = table.with_name("times.csv")
    cell_seconds.main(table, output, steps=1, threads=1)
    first = pd.read_csv(output)
    assert set(first["archid"]) == set(CELLS)
    assert set(first["control"]) == {"same_parameters"}
    assert (first["step_ms_per_image"] > 0).all()
    first.iloc[:1].to_csv(output, index=False)
    cell_seconds.main(table, output, steps=1, threads=1)
    again = pd.read_csv(output)
    assert len(again) == 2
    assert again.iloc[0].to_dict() == first.iloc[0].to_dict()
    with pytest.raises(ConfigError, match="name another --output"):
        cell_seconds.main(table, output, steps=2, threads=1)
