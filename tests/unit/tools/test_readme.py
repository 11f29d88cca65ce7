"""The result block of the README, and the measurements it is made from."""

from pathlib import Path

import pytest
from report_experiment import Experiment, change, make, write_json

import readme
from spikernel import artifacts
from spikernel.errors import SpikernelError
from spikernel.report.tables import models

ROOT = Path(__file__).parents[3]


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return make(tmp_path, ["cifar10"])


def test_the_block_is_in_step_with_the_measurements() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text == readme.updated(text, ROOT / readme.FOLDER), "run `make readme`"
    assert list((ROOT / readme.FOLDER).glob("*.json"))


def finished(experiment: Experiment) -> Path:
    """Lay the tables of the experiment out as a finished run leaves them."""
    out = experiment.tables(memory_budgets_mb=[10.0, 40.0])
    run = experiment.folder / "results" / "trial"
    out.rename(run / "tradeoff_report")
    for path in experiment.metrics:
        write_json(path.with_name("provenance.json"), job())
    return run


def job() -> dict[str, object]:
    return {
        "step": "train_final", "code": "0.1.0+abc", "settings": {}, "inputs": {}, "outputs": {},
        "device": "cpu: test", "python": "3.11", "platform": "Linux", "seconds": 1.0,
        "packages": {"torch": "2.13.0", "spikingjelly": "2.0.0"}, "finished": "2026-01-01",
    }  # fmt: skip


def test_a_run_is_stored_and_shown(experiment: Experiment, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"# Title\n{readme.BEGIN}\nold\n{readme.END}\nrest\n")
    readme.main(tmp_path, [finished(experiment)])
    stored = tmp_path / readme.FOLDER / "trial.csv"
    assert len(models.read(stored)) == 8
    assert "seconds" not in stored.read_text()
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
    assert "mean test accuracy 85.50 to 91.50 %" in " ".join(text.split())
    assert readme.updated(text, tmp_path / readme.FOLDER) == text


def test_an_unfinished_run_is_refused(experiment: Experiment, tmp_path: Path) -> None:
    run = finished(experiment)
    experiment.metrics[0].with_name("provenance.json").unlink()
    with pytest.raises(SpikernelError, match=r"holds 7 trainings, its models\.csv 8: finish"):
        readme.add(run, tmp_path / "stored")
    assert not (tmp_path / "stored").exists()


def test_a_readme_without_marks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpikernelError, match="no result block"):
        readme.updated("# Title\n", tmp_path)


def test_broken_measurements_are_named(tmp_path: Path) -> None:
    artifacts.write_text(tmp_path / "x.json", "{")
    with pytest.raises(SpikernelError, match=r"x\.json is not valid JSON"):
        readme.block(tmp_path)


def test_single_trainings_are_listed_the_best_first(tmp_path: Path) -> None:
    trained = {
        "dataset": "cifar10", "archid": "zero-zero-k3-zero-zero-zero", "params": 1972010,
        "time_steps": 1, "epochs": 8, "seconds": 1230.0, "device": "cpu: test", "history": [],
        "config": {"network": {"macro": "compact"}},
    }  # fmt: skip
    binary = {**trained, "test_accuracy_percent": 91.5, "binary_steps": 4}
    write_json(tmp_path / "cifar10-a.json", {**trained, "test_accuracy_percent": 90.0})
    write_json(tmp_path / "cifar10-b.json", binary)
    lines = readme.block(tmp_path).splitlines()
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "| cifar10" in line
    ]
    assert [row[4:6] for row in rows] == [["4", "91.50"], ["1", "90.00"]]
    assert rows[0][3] == "1,972,010"
    assert rows[0][7] == "20"  # minutes
    write_json(tmp_path / "cifar10-c.json", {**binary, "binary_steps": 6})
    text = readme.block(tmp_path)
    assert [line for line in text.splitlines() if "| cifar10" in line] == [
        line for line in lines if "| cifar10" in line
    ]
    assert "count: zero-zero-k3-zero-zero-zero on cifar10 (6 steps)." in " ".join(text.split())


def test_models_of_a_run_with_more_than_five_steps_are_left_out_by_name(
    experiment: Experiment, tmp_path: Path
) -> None:
    for path in experiment.metrics:
        change(path, binary_steps=6 if "design-1" in str(path) else 4)
    (tmp_path / "README.md").write_text(f"{readme.BEGIN}\n{readme.END}\n")
    readme.main(tmp_path, [finished(experiment)])
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if "| cifar10  |        40 |" in line)
    assert "k1-3 rank 1" in row
    assert "count: design-1 rank 1 on cifar10 (6 steps); design-1 rank 2" in " ".join(text.split())
