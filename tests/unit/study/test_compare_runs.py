"""Two experiments on one page."""

import json
from pathlib import Path

import pytest
from report_experiment import Experiment, change, make, write_predictions

from spikernel import artifacts, provenance
from spikernel.errors import DataError, SpikernelError, TableError
from spikernel.report.charts import style
from spikernel.report.tables import comparisons, models, selection
from spikernel.study import compare_runs


def finished(folder: Path, name: str, **changes: object) -> Path:
    """Lay an experiment out as a finished run leaves it."""
    made: Experiment = make(folder / name, ["cifar10"])
    for path in made.metrics:
        change(path, **changes)
    out = made.tables(memory_budgets_mb=[10.0, 40.0])
    run = made.folder / "results" / "trial"
    out.rename(run / "tradeoff_report")
    return run.rename(folder / "results" / name)


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    (tmp_path / "results").mkdir()
    return [finished(tmp_path, "first"), finished(tmp_path, "second", val_accuracy_percent=99.0)]


def test_the_models_of_both_are_in_one_pool(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(style, "FORMATS", {"svg": style.FORMATS["svg"]})
    out = tmp_path / "both"
    compare_runs.run(compare_runs.Inputs(runs=runs), compare_runs.Outputs(folder=out))
    table = models.read(out / "models.csv")
    assert len(table) == 2 * 8
    assert set(table["kernel_set"]) == {
        f"{run}: {name}" for run in ("first", "second") for name in ("k1-3", "design-1")
    }
    chosen = selection.read(out / "selection.csv")
    # The second experiment is better in validation; of its equal models the smallest is chosen.
    assert chosen["budget_mb"].tolist() == [10, 40]
    assert set(chosen["kernel_set"]) == {"second: k1-3"}
    # Of the first, seed 1 of this model takes part, with 905 images right; of the second, whose
    # seeds are equal in validation, seed 0: 910 and 905 of its design-1, 895 and 850 of its k1-3.
    alike = comparisons.alike(comparisons.read(out / "comparisons.csv"), "fp32")
    assert alike["cifar10", ("first: k1-3", 1, 1.0)] == [
        ("second: design-1", 1, 1.0),
        ("second: design-1", 2, 1.0),
    ]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<title>first and second: accuracy and memory" in page
    assert "second: design-1 rank 2" in page
    assert 'id="search"' not in page
    assert (out / "figures" / "accuracy_vs_memory.svg").exists()


def test_runs_that_cannot_be_compared_are_refused(runs: list[Path], tmp_path: Path) -> None:
    out = compare_runs.Outputs(folder=tmp_path / "both")
    for few in ([runs[0]], [runs[0], runs[0]]):
        with pytest.raises(TableError, match="give two or more, each with its own name"):
            compare_runs.run(compare_runs.Inputs(runs=few), out)
    (runs[1] / "tradeoff_report" / "models.csv").unlink()
    with pytest.raises(SpikernelError, match=r"models\.csv is missing"):
        compare_runs.run(compare_runs.Inputs(runs=runs), out)
    assert not out.folder.exists()


def test_runs_that_were_tested_on_other_images_are_refused(
    digits_manifest: Path, runs: list[Path], tmp_path: Path
) -> None:
    for run, digest in zip(runs, ("1" * 64, "2" * 64), strict=True):
        manifest = json.loads(digits_manifest.read_text())
        manifest["splits"]["test"]["images_sha256"] = digest
        artifacts.write_json(run / "cifar10" / "prepare_data" / "manifest.json", manifest)
    with pytest.raises(
        TableError, match=r"second was tested on other images of digits than .*first"
    ):
        compare_runs.run(
            compare_runs.Inputs(runs=runs), compare_runs.Outputs(folder=tmp_path / "both")
        )


def test_predictions_altered_since_their_job_are_refused(runs: list[Path], tmp_path: Path) -> None:
    (path,) = runs[1].glob("cifar10/deployment/k1-3/rank-1/seed-0/predictions.npz")
    provenance.write(
        path.with_name("provenance.json"),
        step="deployment",
        settings={},
        inputs=[],
        outputs=[path.with_name("deployment.json"), path],
        seconds=0,
    )
    write_predictions(path, {"test_accuracy_percent": 10.0})
    out = compare_runs.Outputs(folder=tmp_path / "both")
    with pytest.raises(DataError, match=r"predictions\.npz was altered since it was made"):
        compare_runs.run(compare_runs.Inputs(runs=runs), out)
    assert not out.folder.exists()


def test_a_page_does_not_go_among_the_results_of_an_experiment(
    runs: list[Path], tmp_path: Path
) -> None:
    third = finished(tmp_path, "third")
    (tmp_path / "link").symlink_to(runs[0], target_is_directory=True)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for folder in (
        runs[1],
        runs[1] / "tradeoff_report",
        runs[1] / "both",
        tmp_path / "link" / "both",
        third / "tradeoff_report",
    ):
        with pytest.raises(TableError, match=r"lies among results of .*: name a folder of its own"):
            compare_runs.run(compare_runs.Inputs(runs=runs), compare_runs.Outputs(folder=folder))
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
