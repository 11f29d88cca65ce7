"""Hours to an accuracy from records; the timing of SNASNet's loop is tested with the loops."""

from pathlib import Path

import pytest
from report_experiment import write_json
from time_to_accuracy import compare, ours, read_records

from spikernel.errors import DataError


def record(accuracy: float, hours: float, **more: object) -> dict[str, object]:
    half = {"seconds": 1800 * hours}
    return {
        "dataset": "cifar10", "test_accuracy_percent": accuracy, "seconds": 3600 * hours,
        "params": 10, "time_steps": 1, "binary_steps": 4, "device": "cpu: A",
        "history": [
            {**half, "val_accuracy_percent": accuracy - 2},
            {**half, "val_accuracy_percent": accuracy + 0.5},
        ],
        **more,
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_json(tmp_path / "cifar10-quick.json", record(91.5, 0.5))
    write_json(tmp_path / "cifar10-slow.json", record(91.2, 2.0))
    write_json(tmp_path / "cifar10-wide.json", record(93.3, 1.5))
    write_json(tmp_path / "cifar10-many-steps.json", record(95.0, 0.1, binary_steps=6))
    began = {"config": {"training": {"initial_weights": "a.safetensors"}}}
    write_json(tmp_path / "cifar10-added.json", record(95.0, 0.1, **began))
    write_json(tmp_path / "cifar10-speed.json", {"images_per_s": 3})
    write_json(tmp_path / "cifar100-compact.json", record(99.0, 0.1))
    return tmp_path


def test_the_shortest_training_that_reaches_a_target_counts(folder: Path) -> None:
    records = read_records(folder)
    assert [found["record"] for found in records] == [
        "cifar10-quick.json", "cifar10-slow.json", "cifar10-wide.json"
    ]  # fmt: skip
    quick, wide = ours(records, 91.0), ours(records, 93.24)
    assert quick is not None
    assert wide is not None
    assert (quick["record"], quick["hours"]) == ("cifar10-quick.json", 0.5)
    # Validation: 89.5, then 92 after the second half.
    assert quick["hours_until_validation"] == pytest.approx(0.5)
    assert wide["record"] == "cifar10-wide.json"
    assert ours(records, 93.31) is None


def test_hours_and_ratio_by_hand(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # 300 x 50,000 images at 12.5 a second: 1,200,000 s.
    easy, hard = compare(read_records(folder), 12.5, "cpu: A")
    assert easy["snasnet_hours"] == pytest.approx(1_200_000 / 3600)
    assert easy["ratio"] == pytest.approx(1_200_000 / 3600 / 0.5)
    assert hard["ratio"] == pytest.approx(1_200_000 / 3600 / 1.5)
    assert "different devices" not in capsys.readouterr().out
    (folder / "cifar10-wide.json").unlink()
    write_json(folder / "cifar10-gpu.json", record(95.0, 0.1, device="cuda: A"))
    _, hard = compare(read_records(folder), 12.5, "cpu: B")
    assert hard["ours"] is None
    out = capsys.readouterr().out
    assert "91 %: 0.50 h to 91.50 % (cifar10-quick.json, cpu: A); SNASNet's loop 333 h" in out
    assert "measured on different devices" in out
    assert "93.24 %: no training that is recorded on a cpu reaches it, the best has 91.50 %" in out


def test_a_folder_without_records_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no record of a training on CIFAR-10"):
        read_records(tmp_path)
