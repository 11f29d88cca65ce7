import json
from pathlib import Path

import pandas as pd
import pytest
from report_experiment import Experiment


def test_headline_holds_the_selection_by_name(experiment: Experiment) -> None:
    out: Path = experiment.tables(memory_budgets_mb=[0.000001, 40])
    headline = json.loads((out / "headline.json").read_text())
    selection = pd.read_csv(out / "selection.csv")
    models = pd.read_csv(out / "models.csv")
    for dataset, numbers in headline.items():
        assert numbers["models"] == models.loc[models["dataset"] == dataset, "archid"].nunique()
        assert "within_1e-06_mb" not in numbers  # nothing is that small
        row = selection[(selection["dataset"] == dataset) & (selection["budget_mb"] == 40)].iloc[0]
        chosen = numbers["within_40_mb"]
        assert chosen["params"] == row["params"]
        assert chosen["test_accuracy_percent_mean"] == pytest.approx(
            row["test_accuracy_percent_mean"]
        )
    assert set(headline) == set(models["dataset"])
