"""The accuracy of a cell, predicted from its graph by what trained cells reached.

A ridge regression on numbers of edges and of paths. Its weights lie beside this file, once for
cells at equal parameters and once for cells at equal width: where cells fill one budget
(`nas_search/budget/fill`), kernels, further convolutions and skips are paid for in channels, which
turns the order round. They were fitted to test accuracies of the public table of cells over kernel
sizes (docs/kernel-cells.md; `benchmarks/designed_scores.py --write` makes them). Points of accuracy
are those of short trainings of `compact` nets on CIFAR-10.
"""

import math
from functools import cache
from pathlib import Path
from statistics import fmean, pstdev
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from spikernel.search.paths import forward_paths
from spikernel.search.score import ArchitectureScore
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.space.operations import AVG, SKIP, kernel_size
from spikernel.space.patterns import INPUT, OUTPUT

WEIGHTS = Path(__file__).with_name("predicted_accuracy.json")
PLAIN = (SKIP, AVG)


class Score(ArchitectureScore):
    """The prediction: no weights of nets, no images."""

    allows_feedback: ClassVar[bool] = False
    dense_only: ClassVar[bool] = True
    sees_thresholds: ClassVar[bool] = False

    def score(self, architecture: Architecture) -> float:
        """Return points of accuracy above the mean of the table; -inf if no path leads through."""
        if not forward_paths(architecture.cell):
            return -math.inf
        fitted = _fitted()
        fit = fitted.same_parameters if self.settings.budget.fill else fitted.same_width
        return fit.predict(counts(architecture.cell))


class Regression(BaseModel):
    """A linear function of standardised counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    middle: dict[str, float]
    """Mean of each count over the cells that it was fitted to."""
    spread: dict[str, float]
    """Standard deviation of each."""
    weights: dict[str, float]
    """Points of accuracy for one standard deviation of each."""

    def predict(self, found: dict[str, float]) -> float:
        """Return points of accuracy above the mean of the cells that it was fitted to."""
        return math.fsum(
            weight * (found[name] - self.middle[name]) / self.spread[name]
            for name, weight in self.weights.items()
        )


class Fits(BaseModel):
    """What each control of the table says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    same_parameters: Regression
    """Fitted to 88 cells; further ones of the table are left to judge it by."""
    same_width: Regression
    """Fitted to 151 cells; judged by fits that leave each out, and by those that it ranks first."""


@cache
def _fitted() -> Fits:
    return Fits.model_validate_json(WEIGHTS.read_text(encoding="utf-8"))


def counts(cell: Cell) -> dict[str, float]:
    """Return what is known of a cell with a path through it, all of it edges and paths."""
    cell = cell.cleaned()
    paths, edges = forward_paths(cell), cell.connections()
    large = [sum(_size(edge) > 1 for edge in path) for path in paths]
    convolutions = [sum(_size(edge) > 0 for edge in path) for path in paths]
    fields = [1 + sum(_reach(edge) for edge in path) for path in paths]
    plain = [(source, target) for source, target, kind in edges if kind in PLAIN]
    return {
        **{f"{n}x{n}": float(sum(_size(kind) == n for *_, kind in edges)) for n in (1, 3, 5, 7)},
        **{name: float(sum(kind == name for *_, kind in edges)) for name in PLAIN},
        "plain_to_output": float(sum(source != INPUT for source, end in plain if end == OUTPUT)),
        "plain_from_input": float(sum(source == INPUT for source, _ in plain)),
        "weights_per_channel_pair": float(sum(_size(kind) ** 2 for *_, kind in edges)),
        "paths": float(len(paths)),
        "any_large": float(max(large) > 0),
        "most_large": float(max(large)),
        "least_large": float(min(large)),
        "mean_large": fmean(large),
        "paths_without_large": float(sum(not number for number in large)),
        "mean_convolutions": fmean(convolutions),
        "paths_without_convolution": float(sum(not number for number in convolutions)),
        "widest_field": float(max(fields)),
        "mean_field": fmean(fields),
        "spread_of_fields": pstdev(fields),
    }


def _size(operation: str) -> int:
    return kernel_size(operation) or 0


def _reach(operation: str) -> int:
    """Return by how many pixels an operation widens the receptive field."""
    return 2 if operation == AVG else max(_size(operation) - 1, 0)
