"""What the README says of the search, from a table of six cells."""

import json
from pathlib import Path

import pytest

import choice
from spikernel.config import NetworkConfig
from spikernel.errors import DataError

CELLS = {
    "zero-zero-k3-zero-zero-zero": 83,
    "zero-zero-k5-zero-zero-zero": 80,
    "zero-zero-k7-zero-zero-zero": 78,
    "k3-zero-skip-k3-zero-k3": 82,
    "k5-zero-skip-k5-zero-k5": 77,
    "k7-zero-skip-k7-zero-k7": 74,
}


def store(folder: Path) -> Path:
    path = folder / choice.TABLE
    lines = [f"random,{choice.CONTROL},{name},0,8,30,{value - 1},{value}"
             for name, value in CELLS.items()]  # fmt: skip
    head = "group,control,archid,seed,channels,params,val_accuracy_percent,test_accuracy_percent"
    path.write_text("\n".join([head, *lines]) + "\n")
    network = NetworkConfig(macro="compact", channels=8).model_dump(mode="json")
    path.with_suffix(".json").write_text(json.dumps({"network": network}))
    return path


def test_what_is_said_follows_from_the_table(tmp_path: Path) -> None:
    assert choice.of_table(tmp_path) is None
    store(tmp_path)
    found = choice.of_table(tmp_path)
    assert found is not None
    text = " ".join(found[0].split())
    assert "one of 6 cells" in text
    assert "drawn at random 79.0 % on average" in text  # 474 / 6
    # Four by score and the two that are left are all cells.
    assert "on validation images has 83.0 %; the best cell of all has 83.0 %" in text
    assert found[1].svg == choice.of_table(tmp_path)[1].svg
    assert "first by score" in found[1].svg


def test_a_broken_table_is_named(tmp_path: Path) -> None:
    store(tmp_path).write_text("archid\nx\n")
    with pytest.raises(DataError, match=r"kernel-cells\.csv is not a table"):
        choice.of_table(tmp_path)
