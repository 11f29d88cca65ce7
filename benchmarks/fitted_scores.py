"""The form of the library's `predicted_accuracy`, fitted to trained cells and judged without them.

A ridge regression of accuracy on numbers of edges and paths. The library's weights were fitted to
all dense cells of the table over kernel sizes, so on that table they know the answers. There each
cell is predicted by a fit to all others in their place.
"""

import math
from collections.abc import Sequence

import common  # noqa: F401  (puts the library on the path)
import numpy as np
from numpy.typing import NDArray
from rank_statistics import Scores

from spikernel.search.paths import forward_paths
from spikernel.search.scores.predicted_accuracy import Regression, counts
from spikernel.space.cell import Cell

RIDGE = 3.0
"""Weight of the penalty, for counts of standard deviation 1 and accuracies in percent."""


def fit(cells: Sequence[Cell], accuracy: Scores, penalty: float) -> Regression:
    """Return a ridge regression of accuracy on the counts of cells."""
    found = [counts(cell) for cell in cells]
    known = np.array([list(item.values()) for item in found])
    middle, spread = known.mean(0), known.std(0)
    spread[spread == 0] = 1
    x = (known - middle) / spread
    weights: NDArray[np.float64] = np.linalg.solve(
        x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (accuracy - accuracy.mean())
    )
    named = (dict(zip(found[0], map(float, values), strict=True))
             for values in (middle, spread, weights))  # fmt: skip
    return Regression(**dict(zip(("middle", "spread", "weights"), named, strict=True)))


def predictions(regression: Regression, cells: Sequence[Cell]) -> Scores:
    """Return what a fit says of cells; -inf where no path leads through, as the library's score."""
    return np.array([
        regression.predict(counts(cell)) if forward_paths(cell) else -math.inf for cell in cells
    ])  # fmt: skip


def left_out(cells: Sequence[Cell], accuracy: Scores, penalty: float = RIDGE) -> Scores:
    """Return what the regression on all other dense cells says of each, in percent."""
    dense = [{edge.type for edge in cell.convolutions()} == {"dense"} for cell in cells]
    found = []
    for place, cell in enumerate(cells):
        others = [other for other, usable in enumerate(dense) if usable and other != place]
        known = accuracy[others]
        # Each fit says how far a cell is from its own mean.
        fitted = fit([cells[other] for other in others], known, penalty)
        found.append(known.mean() + fitted.predict(counts(cell)))
    return np.array(found)
