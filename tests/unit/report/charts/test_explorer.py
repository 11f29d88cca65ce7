"""What the interactive chart is given."""

from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from report_experiment import Experiment

from spikernel.config import ReportConfig
from spikernel.report.charts import explorer, explorer_chart, style
from spikernel.report.tables import comparisons, models, published

PLACE = ["memory_mb_fp32", "test_accuracy_percent_mean"]


@pytest.fixture
def means(experiment: Experiment) -> pd.DataFrame:
    return models.over_seeds(models.read(experiment.tables() / "models.csv"))


def points(means: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the models' points against memory, in the order of the table."""
    looks = style.looks(sorted(means["kernel_set"].unique()))
    compared = pd.DataFrame(columns=list(comparisons.COLUMNS))
    with patch.object(explorer_chart, "spec", side_effect=lambda rows, _: rows):
        payload = explorer.payload(
            means, published.table([]), compared, looks, ReportConfig.parse({}, "test")
        )
    shown = ("memory_fp32", "measured")
    return [row for row in payload["spec"] if (row["cost"], row["kind"]) == shown]


def test_apart_each_point_has_its_own_name(means: pd.DataFrame) -> None:
    rows = points(means)
    assert [row["tag"] for row in rows] == ["design-1 #1", "design-1 #2", "k1-3 #1", "k1-3 #2"]
    assert [row["named"] for row in rows] == [True] * 4
    assert [row["covered"] for row in rows] == [False] * 4


def test_points_at_one_place_share_a_name(means: pd.DataFrame) -> None:
    # The second model needs 0.5 % more memory than the first, so only that one is on the front.
    means.loc[1, PLACE] = means.loc[0, PLACE] * [1.005, 1]
    rows = points(means)
    assert [row["tag"] for row in rows[:2]] == ["design-1 #1, design-1 #2"] * 2
    assert [row["tag"] for row in rows[2:]] == ["k1-3 #1", "k1-3 #2"]
    assert [row["named"] for row in rows] == [True, False, True, True]
    assert [row["covered"] for row in rows] == [False, True, False, False]
    # Where the second needs less, the name stands at its point, above the line of the front.
    means.loc[1, PLACE] = means.loc[0, PLACE] * [0.995, 1]
    assert [row["named"] for row in points(means)] == [False, True, True, True]


def test_of_many_names_at_one_place_three_stand_there(means: pd.DataFrame) -> None:
    for place in (1, 2, 3):
        means.loc[place, PLACE] = means.loc[0, PLACE]
    rows = points(means)
    assert {row["tag"] for row in rows} == {"design-1 #1, design-1 #2, k1-3 #1 +1"}
    assert [row["named"] for row in rows] == [True, False, False, False]
