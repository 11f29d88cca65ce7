"""The README's table of released nets."""

from pathlib import Path

from report_experiment import write_json

import released

NET = {
    "dataset": "cifar10", "archid": "zero-zero-k3-zero-zero-zero", "stage_channels": [32, 84],
    "params": 232754, "precision": "int8", "bytes": 235798, "binary_steps": 5,
    "test_accuracy_percent": 89.214,
}  # fmt: skip


def test_small_nets_of_a_data_set_come_first(tmp_path: Path) -> None:
    assert released.block(tmp_path) == "No net is released yet."
    for name, dataset, size in (
        ("digits-a", "digits", 40_000),
        ("cifar10-b", "cifar10", 900_000),
        ("cifar10-a", "cifar10", 235_798),
    ):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        write_json(folder / "metrics.json", {**NET, "dataset": dataset, "bytes": size})
    lines = released.block(tmp_path).splitlines()[2:]
    assert [cell.strip() for cell in lines[0].split("|")][1:-1] == [
        "[cifar10-a](models/cifar10-a/MODEL_CARD.md)", "cifar10", "zero-zero-k3-zero-zero-zero",
        "32/84", "232,754", "int8", "236", "5", "89.21",
    ]  # fmt: skip
    assert [line.split("]")[0] for line in lines] == ["| [cifar10-a", "| [cifar10-b", "| [digits-a"]
