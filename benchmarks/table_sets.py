"""Kernel sets on a table of trained cells: which of its cells a search over a set could choose.

A cell belongs to every set that holds all of its kernel sizes, so sets share cells. Only dense
cells that were trained with two seeds or more count: one seed chooses, the other judges, so that
nothing is praised for the luck that it was chosen for.
"""

import itertools
from collections.abc import Iterable, Sequence

import common  # noqa: F401  (puts the library on the path)
import numpy as np
from numpy.typing import NDArray
from rank_statistics import Scores
from trained_cells import TrainedCell

from spikernel.config import DesignConfig

Sizes = tuple[int, ...]


def possible_sets(sizes: Iterable[int]) -> list[Sizes]:
    """Return every set of two or three of these kernel sizes, as the design makes them."""
    ordered = sorted(set(sizes))
    counts = DesignConfig().sizes_per_set
    return [chosen for count in counts for chosen in itertools.combinations(ordered, count)]


def comparable(rows: Iterable[TrainedCell], seeds: int = 2) -> list[TrainedCell]:
    """Return the cells of so many seeds all of whose convolutions, one at least, are dense."""
    return [
        row
        for row in rows
        if {edge.type for edge in row.cell.convolutions()} == {"dense"}
        and len(row.accuracies) >= seeds
    ]


def within(row: TrainedCell, sizes: Sizes) -> bool:
    """Whether a search over a set of kernel sizes can meet a cell."""
    return set(row.cell.kernel_sizes()) <= set(sizes)


def accuracies_of(rows: Sequence[TrainedCell]) -> NDArray[np.float64]:
    """Return the accuracies of the first two seeds of each cell, [2, cells], in percent."""
    return np.array([row.accuracies[:2] for row in rows], dtype=float).reshape(-1, 2).T


def roles(accuracies: Scores) -> tuple[tuple[Scores, Scores], tuple[Scores, Scores]]:
    """Return (chooses, judges) for either seed as the one that chooses."""
    first, second = accuracies
    return (first, second), (second, first)


def judged(rows: Sequence[TrainedCell], seeds: int) -> list[tuple[Scores, Scores]]:
    """Return pairs (chooses, judges) of accuracies, [cells] each.

    Of two seeds either chooses, and the other judges. Of one, what it reaches on the validation
    images chooses, and on the test images judges: the luck of a training is then in both.
    """
    if seeds > 1:
        return list(roles(accuracies_of(rows)))
    chooses = np.array([row.val_accuracies[0] for row in rows])
    return [(chooses, np.array([row.accuracies[0] for row in rows]))]


def shown(sizes: Sizes) -> str:
    """Return a set as text, such as {1, 3}."""
    return "{" + ", ".join(map(str, sizes)) + "}"
