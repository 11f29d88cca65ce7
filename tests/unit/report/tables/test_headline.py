import json
from pathlib import Path

import pandas as pd
import pytest
from report_experiment import Experiment, change

from spikernel.report.tables import headline


def test_headline_holds_the_selection_by_name(experiment: Experiment) -> None:
    out: Path = experiment.tables(memory_budgets_mb=[0.000001, 40])
    found = json.loads((out / "headline.json").read_text())
    selection = pd.read_csv(out / "selection.csv")
    models = pd.read_csv(out / "models.csv")
    for dataset, numbers in found.items():
        assert numbers["models"] == models.loc[models["dataset"] == dataset, "archid"].nunique()
        assert "within_1e-06_mb" not in numbers  # nothing is that small
        row = selection[(selection["dataset"] == dataset) & (selection["budget_mb"] == 40)].iloc[0]
        chosen = numbers["within_40_mb"]
        assert chosen["params"] == row["params"]
        assert chosen["test_accuracy_percent_mean"] == pytest.approx(
            row["test_accuracy_percent_mean"]
        )
    assert set(found) == set(models["dataset"])


def test_models_of_more_than_five_steps_are_refused_by_name(experiment: Experiment) -> None:
    # design-1 rank 1 is the best within 40 MB, k1-3 rank 1 within 20 MB.
    for path in experiment.metrics:
        change(path, binary_steps=8 if "design-1" in str(path) else 5)
    out = experiment.tables(memory_budgets_mb=[20, 40])
    numbers = json.loads((out / "headline.json").read_text())["cifar10"]
    assert numbers["within_40_mb"] == {"refused_steps": 8}
    assert numbers["within_20_mb"]["params"] == 4_200_000


def test_steps_of_older_records_are_their_time_steps() -> None:
    assert headline.binary_steps({"time_steps": 6}) == 6
    assert headline.binary_steps({"time_steps": 6, "binary_steps": float("nan")}) == 6
    assert headline.binary_steps({"time_steps": 1, "binary_steps": 4.0}) == 4
