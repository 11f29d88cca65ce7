"""The blocks of the README, and the measurements they are made from."""

from pathlib import Path

import pytest
from report_experiment import Experiment, change, make, write_json
from stored import SINGLE, finished, project

import evidence
import measurements
import readme
from spikernel import artifacts
from spikernel.errors import SpikernelError
from spikernel.report.tables import models

ROOT = Path(__file__).parents[3]


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return make(tmp_path, ["cifar10"])


def test_pages_and_pictures_are_in_step_with_the_measurements() -> None:
    files = readme.generated(ROOT)
    for name, text in files.items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, f"{name}: run `make readme`"
    assert readme.stale(ROOT, files) == []
    assert list((ROOT / measurements.FOLDER).glob("*.json"))


def test_a_run_is_stored_and_shown(
    experiment: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project(tmp_path)
    gone = tmp_path / "docs/pictures/gone.svg"
    write_json(gone, "")
    run = finished(experiment)
    (run / "tradeoff_report/figures").mkdir(exist_ok=True)
    (run / "tradeoff_report/figures/x.svg").write_text("<svg/>")
    (run / "tradeoff_report/report.html").write_bytes(b"x" * 3_000_000)
    old = tmp_path / "docs/studies/trial/figures/old.svg"
    write_json(old, "")
    readme.main(tmp_path, [run])
    kept = tmp_path / "docs/studies/trial"
    assert (kept / "figures/x.svg").read_text() == "<svg/>"
    assert (kept / "models.csv").read_bytes() == (run / "tradeoff_report/models.csv").read_bytes()
    assert not old.exists()
    assert not (kept / "report.html").exists()  # too large
    assert f"too large: {run / 'tradeoff_report/report.html'}" in capsys.readouterr().out
    stored = folder / "trial.csv"
    assert len(models.read(stored)) == 8
    assert "seconds" not in stored.read_text()
    about = artifacts.read_json(folder / "trial.json")
    assert about["baseline"] == {"cifar10": "k1-3"}
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Title\n")
    assert text.endswith("\nrest\n")
    assert "old" not in text
    # Within 40 MB design-1 rank 1 has the best validation accuracy, 92.5 over both seeds.
    row = next(line for line in text.splitlines() if "| cifar10  |        40 |" in line)
    assert [cell.strip() for cell in row.split("|")][3:7] == [
        *("design-1 rank 1", "k5-skip-k3-zero-k5-avg", "9,800,000", "39.2"),
    ]
    assert "1,100,000 to 14,000,000 parameters" in text
    assert "`trial`: 4 models, 8 trainings on cifar10" in text
    assert "mean test accuracy 85.50 to 91.50 %" in " ".join(text.split())
    assert "; tables and figures in `docs/studies/trial`. Weights" in " ".join(text.split())
    (run / "tradeoff_report/report.html").write_text("small")
    readme.main(tmp_path, [run])
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    shown = "; tables, figures and the [page](docs/studies/trial/report.html) in `docs/studies"
    assert shown in " ".join(text.split())
    # Three pictures: of all nets, and two of the run.
    assert text.count("](docs/pictures/") == 3
    assert not gone.exists()
    assert readme.generated(tmp_path)["README.md"] == text


def cells(text: str, first: str) -> list[str]:
    """Return the cells of the row of a Markdown table that begins so."""
    row = next(line for line in text.splitlines() if line.startswith(f"| {first} "))
    return [cell.strip() for cell in row.split("|")[1:-1]]


def test_the_first_table_sets_ours_beside_the_papers(
    experiment: Experiment, tmp_path: Path
) -> None:
    folder = project(tmp_path)
    measurements.add(finished(experiment), folder)
    write_json(folder / "cifar100-a.json", {**SINGLE, "dataset": "cifar100"})
    # Better, but of more steps than count.
    write_json(folder / "cifar100-b.json", {**SINGLE, "dataset": "cifar100", "binary_steps": 6})
    text = readme.headline(folder, [])
    # 8 trainings of 900 s, and a minute for each of two searches: 2.03 h.
    assert cells(text, "CIFAR-10")[1:-1] == [
        *("**91.50**", "93.24", "9.8 M", "5", "2", "one of 4 nets of 2.0 h of jobs", "cpu: test"),
    ]
    assert cells(text, "CIFAR-100")[1:] == [
        *("**91.50**", "70.84", "1.97 M", "4", "1", "20.5 min", "cpu: test"),
        "[cifar100-a.json](docs/measurements/cifar100-a.json)",
    ]
    assert text.endswith("Nothing yet on TinyImageNet.")


def test_beside_what_a_gpu_trained_stands_the_best_of_a_cpu(tmp_path: Path) -> None:
    gpu = {"device": "cuda: test", "val_accuracy_percent": 93.0, "test_accuracy_percent": 94.5}
    write_json(tmp_path / "cifar10-a.json", {**SINGLE, **gpu})
    write_json(tmp_path / "cifar10-b.json", SINGLE)
    write_json(tmp_path / "cifar100-a.json", {**SINGLE, "dataset": "cifar100"})
    # Added to trained weights: those minutes are not all of its training.
    added = {"config": {"network": {"macro": "compact"}, "training": {"initial_weights": "x"}}}
    write_json(tmp_path / "cifar10-c.json", {**SINGLE, **added, "val_accuracy_percent": 92.9})
    assert "|     +20 | cpu: test" in readme.results(tmp_path)
    text = readme.headline(tmp_path, [])
    assert cells(text, "CIFAR-10 ")[1] == "**94.50**"
    assert cells(text, "CIFAR-10, a CPU alone")[6:8] == ["20.5 min", "cpu: test"]
    # CIFAR-100 was trained on a CPU alone, which is said already.
    assert text.count("a CPU alone") == 1
    best = {**SINGLE, **added, "val_accuracy_percent": 99.0}
    write_json(tmp_path / "cifar10-c.json", best)
    added_to = cells(readme.headline(tmp_path, []), "CIFAR-10 ")
    assert added_to[6] == "20.5 min, added to a trained net"
    added["config"]["training"] = {"teacher": "x"}
    write_json(tmp_path / "cifar10-c.json", {**best, **added})
    assert (
        cells(readme.headline(tmp_path, []), "CIFAR-10 ")[6] == "20.5 min, taught by a trained net"
    )


def test_the_net_with_the_best_validation_accuracy_counts(tmp_path: Path) -> None:
    better = {"val_accuracy_percent": 91.0, "test_accuracy_percent": 91.2}
    write_json(tmp_path / "cifar10-a.json", SINGLE)
    write_json(tmp_path / "cifar10-b.json", {**SINGLE, **better})
    large = {"val_accuracy_percent": 95.0, "params": 10_000_000}
    write_json(tmp_path / "cifar10-c.json", {**SINGLE, **large})
    row = measurements.best(measurements.nets(tmp_path), "cifar10")
    assert row is not None
    assert row["file"] == "cifar10-b.json"


def test_an_unfinished_run_is_refused(experiment: Experiment, tmp_path: Path) -> None:
    run = finished(experiment)
    experiment.metrics[0].with_name("provenance.json").unlink()
    with pytest.raises(SpikernelError, match=r"holds 7 trainings, its models\.csv 8: finish"):
        measurements.add(run, tmp_path / "stored")
    assert not (tmp_path / "stored").exists()


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(SpikernelError, match=r"README\.md has no block between '<!-- studies"):
        readme.updated("# Title\n", {"studies": ""}, "README.md")


def test_broken_measurements_are_named(tmp_path: Path) -> None:
    artifacts.write_text(tmp_path / "x.json", "{")
    with pytest.raises(SpikernelError, match=r"x\.json is not valid JSON"):
        readme.results(tmp_path)


def test_single_trainings_are_listed_the_best_first(tmp_path: Path) -> None:
    first = {**SINGLE, "test_accuracy_percent": 90.0, "binary_steps": None}
    write_json(tmp_path / "cifar10-a.json", first)
    write_json(tmp_path / "cifar10-b.json", SINGLE)
    lines = readme.results(tmp_path).splitlines()
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "| cifar10" in line
    ]
    assert [row[4:6] for row in rows] == [["4", "91.50"], ["1", "90.00"]]
    assert rows[0][3] == "1,972,010"
    assert rows[0][7] == "20"  # minutes
    write_json(tmp_path / "cifar10-c.json", {**SINGLE, "binary_steps": 6})
    text = readme.results(tmp_path)
    assert [line for line in text.splitlines() if "| cifar10" in line] == [
        line for line in lines if "| cifar10" in line
    ]
    assert "count: zero-zero-k3-zero-zero-zero on cifar10 (6 steps)." in " ".join(text.split())


def test_models_of_a_run_with_more_than_five_steps_are_left_out_by_name(
    experiment: Experiment, tmp_path: Path
) -> None:
    for path in experiment.metrics:
        change(path, binary_steps=6 if "design-1" in str(path) else 4)
    folder = project(tmp_path)
    measurements.add(finished(experiment), folder)
    text = readme.studies(folder, {})
    (row,) = (line for line in text.splitlines() if "| cifar10  |        40 |" in line)
    assert "k1-3 rank 1" in row
    assert "count: design-1 rank 1 on cifar10 (6 steps); design-1 rank 2" in " ".join(text.split())


def test_a_run_on_other_data_keeps_no_evidence(tmp_path: Path) -> None:
    (tmp_path / "results/demo/digits").mkdir(parents=True)
    assert evidence.store(tmp_path / "results/demo", tmp_path) == []
    assert not (tmp_path / evidence.FOLDER).exists()
    assert evidence.link("demo", tmp_path) == ""
