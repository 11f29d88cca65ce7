"""Which model of a finished run fits a device."""

from pathlib import Path

import pandas as pd
import pytest

from spikernel import artifacts, tables
from spikernel.errors import ExportError
from spikernel.report.tables import selection
from spikernel.study.finished_run import choose_within, models_of


def model(
    run: Path, kernel_set: str, *accuracies: float, kb: float, ram_kb: float, archid: str = "k1"
) -> None:
    """Write what the steps leave of a model with one seed for each int8 validation accuracy."""
    for seed, accuracy in enumerate(accuracies):
        place = Path(kernel_set) / "rank-1" / f"seed-{seed}"
        named = {"dataset": "digits", "kernel_set": kernel_set, "rank": 1, "seed": seed}
        metrics = {**named, "archid": archid, "val_accuracy_percent": accuracy + 1}
        artifacts.write_json(run / "train_final" / place / "metrics.json", metrics)
        sizes = {"int8_bytes": round(1000 * kb), "ram_bytes": round(1000 * ram_kb)}
        deployed = {**named, **sizes, "int8_val_accuracy_percent": accuracy}
        artifacts.write_json(run / "deployment" / place / "deployment.json", deployed)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    model(tmp_path, "small", 80.0, 81.0, kb=10, ram_kb=8)
    model(tmp_path, "fast", 90.0, 92.0, kb=20, ram_kb=30)
    model(tmp_path, "large", 91.0, 91.0, kb=24, ram_kb=12)
    model(tmp_path, "best", 95.0, kb=50, ram_kb=40)
    return tmp_path


@pytest.mark.parametrize(
    ("budget_kb", "ram_kb", "expected"),
    [
        (None, None, "best"),
        (50, None, "best"),
        (49.9, None, "fast"),  # 91 % as the larger one: the smaller of equals
        (30, 20, "large"),
        (None, 20, "large"),
        (20, 20, "small"),
        (None, 35, "large"),  # 12 kB of RAM, the one of equal accuracy 30 kB
    ],
)
def test_most_accurate_that_fits(
    run: Path, budget_kb: float | None, ram_kb: float | None, expected: str
) -> None:
    chosen = choose_within(models_of(run), budget_kb, ram_kb).best()
    assert chosen.metrics["kernel_set"] == expected


def test_of_equals_it_is_the_one_that_the_report_names(tmp_path: Path) -> None:
    archids = {"first": "k3", "second": "k1"}
    for kernel_set, archid in archids.items():
        model(tmp_path, kernel_set, 90.0, kb=20, ram_kb=30, archid=archid)
    means = pd.DataFrame(
        [
            {
                "dataset": "digits", "kernel_set": kernel_set, "rank": 1, "width": 1.0,
                "archid": archid, "int8_bytes_max": 20_000, "val_accuracy_percent_mean": 91.0,
                "int8_val_accuracy_percent_mean": 90.0, "int8_test_accuracy_percent_mean": 90.0,
            }
            for kernel_set, archid in archids.items()
        ]
    )  # fmt: skip
    assert selection.select(means, [0.02], "flash")["kernel_set"].tolist() == ["second"]
    assert choose_within(models_of(tmp_path), 20, None).best().metrics["kernel_set"] == "second"


def test_best_seed_is_taken_and_named(run: Path) -> None:
    budget = {"budget_mb": 0.02, "precision": "int8", "ram_kb": None}
    chosen = choose_within(models_of(run), 20, None).best(budget)
    assert chosen.short_name == "digits-fast-rank-1-seed-1"
    assert chosen.metrics_path == run / "train_final/fast/rank-1/seed-1/metrics.json"
    assert chosen.budget == budget


def test_what_the_smallest_need_is_said(run: Path) -> None:
    with pytest.raises(
        ExportError,
        match=r"^no model fits 9 kB of int8 constants and 100 kB of static RAM: the least that any "
        r"needs is 10 kB of int8 constants and 8 kB of static RAM$",
    ):
        choose_within(models_of(run), 9, 100)


def test_models_that_cannot_be_exported_are_passed_over(run: Path) -> None:
    for seed in (0, 1):
        path = run / f"deployment/fast/rank-1/seed-{seed}/deployment.json"
        artifacts.write_json(path, {**artifacts.read_json(path), "int8_bytes": None})
    models = models_of(run)
    assert choose_within(models, 49, None).best().metrics["kernel_set"] == "large"
    with pytest.raises(ExportError, match=r"^none of the models can be exported: deployment\.json"):
        choose_within([models[1]], None, None)
    assert models[1].best().metrics["kernel_set"] == "fast"


def test_what_the_report_does_not_list_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "digits"
    model(run, "now", 80.0, 99.0, kb=10, ram_kb=8)
    model(run, "before", 95.0, kb=10, ram_kb=8)
    # As a report of before there were widths: no such column.
    row = {"dataset": "digits", "kernel_set": "now", "rank": 1, "seed": 0}
    other = {**row, "dataset": "other", "kernel_set": "before"}
    tables.write_csv(tmp_path / "tradeoff_report" / "models.csv", [row, other])
    (found,) = models_of(run)
    assert list(found.seeds) == [run / "train_final/now/rank-1/seed-0/metrics.json"]
    assert choose_within([found], 20, None).int8_accuracy_percent == 80
    assert [line.split(" is left out: ")[0] for line in caplog.messages[:2]] == [
        str(run / "train_final/before/rank-1/seed-0/metrics.json"),
        str(run / "train_final/now/rank-1/seed-1/metrics.json"),
    ]


def test_folder_without_models_and_an_older_run_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"holds no trained model .*: name the folder of a data"):
        models_of(tmp_path / "deployment")
    path = run / "deployment/best/rank-1/seed-0/deployment.json"
    older = artifacts.read_json(path)
    del older["ram_bytes"]
    artifacts.write_json(path, older)
    with pytest.raises(Exception, match=r"key 'ram_bytes' is missing: run the step that makes it"):
        choose_within(models_of(run), 20, None)
