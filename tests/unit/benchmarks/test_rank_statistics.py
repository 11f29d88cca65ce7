"""Statistics of scores against accuracies, by hand."""

import math

import numpy as np
import pytest
from rank_statistics import (
    LEFT_OUT,
    beaten_by,
    bootstrap,
    pooled,
    regret,
    tau_b,
    tau_within,
    top_mean,
    top_regret,
    untied_root,
)


def test_tau_b_leaves_out_ties_and_its_order_does_not() -> None:
    x, y = np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    # Pairs: one tied in x, two concordant. tau-b = 2 / sqrt(2 * 3); tau with ties as 0 is 2/3.
    assert tau_b(x, y) == pytest.approx(2 / math.sqrt(6))
    assert tau_b(x, y) * untied_root(x) == pytest.approx(2 / 3)


def test_tau_within_compares_only_rows_of_one_group() -> None:
    x = np.array([1.0, 2.0, 9.0, 1.0, 1.0])
    y = np.array([5.0, 6.0, 0.0, 7.0, 8.0])
    # In group a: (1, 2) concordant. In b: one tied pair. The row without a group is left out.
    assert tau_within(x, y, ["a", "a", None, "b", "b"]) == pytest.approx(1 / 2)
    assert math.isnan(tau_within(x, y, [None] * 5))


def test_top_mean_shares_the_last_place_among_ties() -> None:
    x = np.array([2.0, 1.0, 1.0] + [0.0] * 37)  # a twentieth of 40 is 2
    y = np.array([80.0, 60.0, 70.0] + [10.0] * 37)
    assert top_mean(x, y) == pytest.approx((80 + (60 + 70) / 2) / 2)


def test_pooled_takes_the_mean_of_each_member() -> None:
    values = np.array([1.0, 3.0, 5.0, 7.0])
    assert pooled(values, np.array([0, 0, LEFT_OUT, 1])).tolist() == [2.0, 7.0]


def test_regrets_by_hand() -> None:
    x = np.array([1.0, 5.0, 5.0, 0.0])
    y = np.array([70.0, 80.0, 84.0, 90.0])
    # The choice is one of two: 82 on average. One cell of four beats 84, two beat 80.
    assert regret(x, y) == pytest.approx(90 - 82)
    assert beaten_by(x, y) == pytest.approx((50 + 25) / 2)
    assert regret(np.zeros(4), y) == pytest.approx(90 - 81)  # a random pick
    assert regret(y, y) == beaten_by(y, y) == top_regret(y, y) == 0


def test_top_regret_compares_twentieths() -> None:
    y = np.arange(40.0)  # the best two: 39 and 38
    x = np.where(y == 10, 2.0, np.where(y == 20, 1.0, 0.0))
    assert top_regret(x, y) == pytest.approx(38.5 - 15)


def test_intervals_of_a_regret() -> None:
    x, y = np.array([1.0, 0.0]), np.array([50.0, 60.0])
    # Both cells: 10. One of them twice: 0, in half of the draws.
    assert bootstrap(x, y, 0, regret) == (0.0, 10.0)
    assert all(math.isnan(end) for end in bootstrap(np.zeros(2), y, 0))
