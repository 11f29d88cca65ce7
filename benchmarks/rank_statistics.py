"""How well a score orders cells, and how good the cell is that it chooses, with intervals.

`tau` is Kendall's tau-b, whose denominator leaves out pairs that the score ties. `order` is the
tau-b to expect once ties are broken at random, which a search must do to choose. `top` is the
mean accuracy of the best twentieth by the score, ties shared evenly.

`regret` is what the table's best cell has more than the one with the highest score, in points of
accuracy; `top_regret` what the best twentieth has more than the twentieth with the highest scores,
both means; `beaten_by` the percentage of the cells that are better than the chosen one. Equal
scores are broken at random, and these are expected values. The best of many noisy accuracies is too
good by luck, so even a perfect score has some regret in another seed.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

TOP_SHARE = 1 / 20
RESAMPLES = 1000
LEFT_OUT = -1
DIGITS = 9

Scores = NDArray[np.float64]
Labels = NDArray[np.int64]
"""For each row the member of a population that it belongs to, or `LEFT_OUT`."""


def summarise(
    values: Scores, accuracy: Scores, populations: Mapping[str, Labels], seed: int
) -> dict[str, float | None]:
    """Return tau and regrets with intervals on all cells, and on other populations by name."""
    summary: dict[str, float | None] = {}
    for name, labels in populations.items():
        suffix = "" if name == "all" else f"_{name}"
        x, y = pooled(values, labels), pooled(accuracy, labels)
        low, high = bootstrap(x, y, seed)
        tau = tau_b(x, y)
        figures = {"tau": tau, "low": low, "high": high, "order": tau * untied_root(x)}
        for figure_name, statistic in CHOICE.items():
            low, high = bootstrap(x, y, seed, statistic)
            figures[figure_name] = statistic(x, y)
            figures |= {f"{figure_name}_low": low, f"{figure_name}_high": high}
        for key, figure in figures.items():
            summary[key + suffix] = None if math.isnan(figure) else round(figure, 4)
    return summary


def members(labels: Labels) -> int:
    """Return how many members a population has."""
    return len(set(labels.tolist()) - {LEFT_OUT})


def pooled(values: Scores, labels: Labels) -> Scores:
    """Return the mean of each member's values, in the order of their labels."""
    kept = labels != LEFT_OUT
    _, member = np.unique(labels[kept], return_inverse=True)
    means = np.bincount(member, weights=values[kept]) / np.bincount(member)
    # The mean of equal scores differs from them in the last digits, which would break ties.
    rounded: Scores = np.round(means, DIGITS)
    return rounded


def tau_b(x: Scores, y: Scores) -> float:
    """Return Kendall's tau-b, NaN where one side is constant."""
    if len(x) < 2:
        return math.nan
    return float(kendalltau(x, y).statistic)


def untied_root(x: Scores) -> float:
    """Return sqrt(share of pairs that x does not tie).

    tau-b times this is the tau-b to expect when ties of x are broken at random: the numerator
    stays the same on average, while the denominator grows to that of an untied x.
    """
    pairs = len(x) * (len(x) - 1) / 2
    tied = sum(count * (count - 1) / 2 for count in Counter(x.tolist()).values())
    return math.sqrt(1 - tied / pairs) if pairs else math.nan


Statistic = Callable[[Scores, Scores], float]
"""Of scores and accuracies."""


def bootstrap(x: Scores, y: Scores, seed: int, statistic: Statistic = tau_b) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic over resampled cells."""
    return interval(len(x), lambda places: statistic(x[places], y[places]), seed)


def interval(
    units: int, statistic: Callable[[NDArray[np.int64]], float], seed: int
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic of the places of resampled units.

    NaN where there are too few, or the statistic always is.
    """
    if units < 2:
        return math.nan, math.nan
    generator = np.random.default_rng(seed)
    found = [statistic(generator.integers(units, size=units)) for _ in range(RESAMPLES)]
    if np.isnan(found).all():
        return math.nan, math.nan
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def top_mean(x: Scores, y: Scores) -> float:
    """Return the mean of y over the best twentieth by x; equal x share the last places evenly."""
    places = len(x) * TOP_SHARE
    last = np.sort(x)[-math.ceil(places)]
    above = x > last
    shared = float(y[x == last].mean()) * (places - int(above.sum()))
    return (float(y[above].sum()) + shared) / places


def regret(x: Scores, y: Scores) -> float:
    """Return the largest y less that of the largest x, the mean over equal x."""
    return max(0.0, float(y.max() - y[x == x.max()].mean())) if len(x) else math.nan


def top_regret(x: Scores, y: Scores) -> float:
    """Return the mean of the best twentieth of y less that of the best twentieth by x."""
    return max(0.0, top_mean(y, y) - top_mean(x, y)) if len(x) else math.nan


def beaten_by(x: Scores, y: Scores) -> float:
    """Return the percentage of the cells whose y is above that of the largest x."""
    if not len(x):
        return math.nan
    return float(np.mean([100 * np.mean(y > chosen) for chosen in y[x == x.max()]]))


CHOICE: Mapping[str, Statistic] = {
    "regret": regret,
    "top_regret": top_regret,
    "beaten_by": beaten_by,
}
"""Figures of what a score chooses, by name."""


def tau_within(x: Scores, y: Scores, groups: Sequence[Hashable]) -> float:
    """Return (concordant - discordant) / pairs over the pairs whose two rows share a group.

    Groups that are None are left out. Pairs that x or y ties count as neither. NaN where no two
    rows share a group.
    """
    pairs = balance = 0
    for group in dict.fromkeys(groups):
        if group is None:
            continue
        places = [place for place, other in enumerate(groups) if other == group]
        for index, first in enumerate(places):
            for second in places[index + 1 :]:
                pairs += 1
                balance += int(np.sign(x[first] - x[second]) * np.sign(y[first] - y[second]))
    return balance / pairs if pairs else math.nan
