"""Which model a memory budget names, and which of its seeds."""

from pathlib import Path
from typing import Any

import pytest

from spikernel import artifacts, tables
from spikernel.errors import ExportError
from spikernel.study.chosen_model import Chosen, choose


def selection(folder: Path, rows: list[dict[str, Any]]) -> Path:
    defaults = {
        "dataset": "digits", "precision": "int8", "kernel_set": "k1-3", "rank": 1, "fits": "true",
        "smallest_memory_mb": 0.01,
    }  # fmt: skip
    path = folder / "selection.csv"
    tables.write_csv(path, [{**defaults, **row} for row in rows])
    return path


def record(folder: Path, name: str, **values: Any) -> Path:
    path = folder / name / "metrics.json"
    defaults = {"dataset": "digits", "kernel_set": "k1-3", "rank": 1, "seed": 0, "archid": "k1"}
    artifacts.write_json(path, {**defaults, "val_accuracy_percent": 90.0, **values})
    return path


def test_the_largest_budget_that_is_met_names_the_model_and_validation_its_seed(
    tmp_path: Path,
) -> None:
    paths = [
        record(tmp_path, "a", rank=2, val_accuracy_percent=99.0),
        record(tmp_path, "b", seed=0, val_accuracy_percent=91.0, test_accuracy_percent=99.0),
        record(tmp_path, "c", seed=1, val_accuracy_percent=92.0, test_accuracy_percent=80.0),
        record(tmp_path, "d", seed=2, val_accuracy_percent=92.0),
        record(tmp_path, "e", dataset="cifar10", val_accuracy_percent=100.0),
    ]
    table = selection(
        tmp_path,
        [
            {"budget_mb": 0.1, "rank": 2},
            {"budget_mb": 0.5},
            {"budget_mb": 0.01, "fits": "false", "rank": None, "kernel_set": ""},
            {"budget_mb": 9.0, "dataset": "cifar10"},
        ],
    )
    chosen = choose(paths, table, "digits", None)
    assert chosen.metrics_path == paths[2]
    assert chosen.budget == {"budget_mb": 0.5, "precision": "int8", "fits": True}
    assert choose(paths, table, "digits", 0.1).metrics_path == paths[0]
    with pytest.raises(ExportError, match=r"has no row for digits and that memory budget"):
        choose(paths, table, "digits", 3.0)
    with pytest.raises(ExportError, match=r"names rank 1 of k1-3 .* but its metrics\.json was not"):
        choose(paths[:1], table, "digits", None)
    with pytest.raises(ExportError, match=r"5 models are given: name one, or give a selection"):
        choose(paths, None, "digits", None)


def test_a_released_net_is_known_by_its_name_and_version() -> None:
    metrics = {"version": 2, "dataset": "cifar10", "kernel_set": "k3", "rank": None, "seed": 0}
    chosen = Chosen(Path("models/cifar10-1mb/metrics.json"), metrics, None)
    assert (chosen.name, chosen.short_name) == ("cifar10-1mb, version 2", "cifar10-1mb-v2")


def test_a_budget_names_one_width(tmp_path: Path) -> None:
    paths = [
        record(tmp_path, "old"),  # of an earlier version, so of width 1
        record(tmp_path, "half", width=0.5),
        record(tmp_path, "twice", width=2.0),
    ]
    rows = [{"budget_mb": size, "width": size} for size in (0.5, 1, 2, 4)]
    table = selection(tmp_path, rows)
    for budget, path in ((0.5, paths[1]), (1, paths[0]), (2, paths[2])):
        assert choose(paths, table, "digits", budget).metrics_path == path
    half = choose(paths, table, "digits", 0.5)
    assert half.short_name == "digits-k1-3-rank-1_width-0.5-seed-0"
    assert half.name == "digits, kernel set k1-3, k1, width 0.5, seed 0"
    with pytest.raises(ExportError, match="names rank 1 width 4 of k1-3 on digits"):
        choose(paths, table, "digits", None)


def test_where_no_model_fits_the_smallest_is_exported_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [
        record(tmp_path, "a", rank=1, params=900, val_accuracy_percent=99.0),
        record(tmp_path, "b", rank=2, params=800, seed=0, val_accuracy_percent=91.0),
        record(tmp_path, "c", rank=2, params=800, seed=1, val_accuracy_percent=92.0),
        record(tmp_path, "d", rank=1, params=10, dataset="cifar10"),
    ]
    nothing = {"fits": "false", "rank": None, "kernel_set": ""}
    table = selection(tmp_path, [{"budget_mb": size, **nothing} for size in (0.001, 0.002)])
    chosen = choose(paths, table, "digits", None)
    assert chosen.metrics_path == paths[2]
    assert chosen.budget == {"budget_mb": 0.002, "precision": "int8", "fits": False}
    assert "no model of digits fits 0.002 MB: the smallest, which needs 0.01 MB" in caplog.text
