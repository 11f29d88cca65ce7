"""The regression, by hand, and what it says of cells that were trained."""

import math
from pathlib import Path

import pandas as pd
import pytest
import torch

from spikernel.config import Budget, NetworkConfig, SearchConfig
from spikernel.search.scores.predicted_accuracy import Regression, Score, _fitted, counts
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell

MEASUREMENTS = Path(__file__).parents[4] / "docs" / "measurements"
FILLED = SearchConfig(budget=Budget(max_memory_mb=1, fill=True))


def score(archid: str, channels: int = 8, search: SearchConfig = FILLED) -> float:
    net = NetworkConfig(macro="compact", channels=channels)
    architecture = Architecture(Cell.from_archid(archid), net, ImageShape(3, 32, 10))
    return Score(search, [], torch.device("cpu")).score(architecture)


def test_a_prediction_by_hand() -> None:
    numbers = {"a": 1.0, "b": 4.0}, {"a": 2.0, "b": 0.5}, {"a": 3.0, "b": -1.0}
    fitted = Regression(**dict(zip(("middle", "spread", "weights"), numbers, strict=True)))
    assert fitted.predict({"a": 2.0, "b": 5.0}) == pytest.approx(3 * (2 - 1) / 2 - (5 - 4) / 0.5)


def test_every_weight_has_its_count_and_the_other_way_round() -> None:
    names = list(counts(Cell.from_archid("k3-zero-skip-avg-k3-k1")))
    for found in (_fitted().same_parameters, _fitted().same_width):
        assert names == list(found.middle) == list(found.spread) == list(found.weights)
        assert min(found.spread.values()) > 0


def test_trained_cells_are_told_apart() -> None:
    # 83.4 and 80.4 % at 1.1 M parameters; 83.4 and 75.4 %; 81.9 and 80.8 %.
    assert score("zero-zero-k3-zero-zero-zero") > score("k3-skip-skip-skip-skip-skip")
    assert score("zero-zero-k3-zero-zero-zero") > score("k7-k7-skip-k7-skip-k7")
    assert score("k3-zero-skip-k3-zero-k3") > score("k3-skip-skip-k3-skip-k3")


def test_at_equal_width_large_kernels_are_worth_their_weights() -> None:
    # 82.0 and 81.2 % at equal width; 78.8 and 83.4 % at equal parameters.
    large, small = "k5-zero-skip-k5-zero-k5", "k3-zero-skip-zero-avg-zero"
    assert score(large, search=SearchConfig()) > score(small, search=SearchConfig())
    assert score(large) < score(small)


@pytest.mark.parametrize(
    ("table", "control", "search", "error"),
    [("kernel-cells-second.csv", "same_parameters", FILLED, 0.7),
     ("kernel-cells.csv", "same_width", SearchConfig(), 0.7)],
)  # fmt: skip
def test_predictions_are_points_above_the_mean_of_the_table(
    table: str, control: str, search: SearchConfig, error: float
) -> None:
    rows = pd.read_csv(MEASUREMENTS / table)
    known = rows[(rows["control"] == control) & ~rows["group"].isin(["depthwise", "first"])]
    accuracy = known.groupby("archid")["test_accuracy_percent"].mean()
    predicted = pd.Series({archid: score(archid, search=search) for archid in accuracy.index})
    assert predicted.mean() == pytest.approx(0, abs=1e-9)
    assert (predicted - accuracy + accuracy.mean()).abs().mean() < error


def test_the_width_does_not_matter_and_no_way_through_is_no_score() -> None:
    assert score("k3-zero-skip-k3-zero-k3", 8) == score("k3-zero-skip-k3-zero-k3", 80)
    assert score("k3-k3-zero-k3-zero-zero") == -math.inf
