"""Finalists of a search: which cells are trained, which are trained longer, how all are ranked."""

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spikernel.search.paths import convolution_paths
from spikernel.space.cell import Cell

Accuracies = Mapping[str, float]
"""archid -> mean validation accuracy in percent on one rung; NaN where a training diverged."""


@dataclass(frozen=True)
class Scored:
    """A cell that the search ranked."""

    archid: str
    params: int
    score_rank: int
    """Its place by score, from 1."""


def choose(cells: Sequence[Scored], best: int, beside: int, seed: int) -> list[Scored]:
    """Return the cells to train: the best by score, then a stratified sample of the others.

    The others are put in the order of depth, then number of convolutions, then parameters, and cut
    into `beside` stretches of equal length; one cell is drawn from each.

    Args:
        cells: ranked by score, the best first.
        best: how many of the best.
        beside: how many of the others; fewer where there are fewer.
        seed: of the draw.

    """
    others = sorted(cells[best:], key=_stratum)
    count = min(beside, len(others))
    ends = [len(others) * place // count for place in range(count + 1)] if count else []
    generator = random.Random(seed)
    drawn = [others[generator.randrange(*pair)] for pair in itertools.pairwise(ends)]
    return [*cells[:best], *drawn]


def _stratum(item: Scored) -> tuple[int, int, int, str]:
    cell = Cell.from_archid(item.archid)
    depth = max((len(path) for path in convolution_paths(cell)), default=0)
    return depth, len(cell.kernel_sizes()), item.params, item.archid


def rung_sizes(finalists: int, rungs: int, reduction_factor: int) -> list[int]:
    """Return how many finalists each rung trains, if no training diverges."""
    sizes = [finalists]
    for _ in range(rungs - 1):
        sizes.append(max(1, sizes[-1] // reduction_factor))
    return sizes


def better_part(
    rung: Accuracies, score_ranks: Mapping[str, int], reduction_factor: int
) -> list[str]:
    """Return the archids that go on to the next rung, best first; equal ones by score.

    Args:
        rung: accuracies of all cells of a rung.
        score_ranks: their places by score.
        reduction_factor: one in so many goes on, at least one; none that diverged.

    """
    _, size = rung_sizes(len(rung), 2, reduction_factor)
    trained = [archid for archid, accuracy in rung.items() if math.isfinite(accuracy)]
    return sorted(trained, key=lambda archid: (-rung[archid], score_ranks[archid]))[:size]


@dataclass(frozen=True)
class Evidence:
    """What a finalist's rank rests on."""

    rung: int
    """The last one on which it has an accuracy, from 1."""
    val_accuracy_percent: float
    """There, mean over the seeds."""


def evidence(rungs: Sequence[Accuracies]) -> dict[str, Evidence]:
    """Return archid -> evidence of the finalists that have an accuracy.

    Args:
        rungs: accuracies of each rung, the shortest trainings first.

    """
    return {
        archid: Evidence(place, accuracy)
        for place, rung in enumerate(rungs, start=1)
        for archid, accuracy in rung.items()
        if math.isfinite(accuracy)
    }


def ranking(score_ranks: Mapping[str, int], found: Mapping[str, Evidence]) -> list[str]:
    """Return all archids, best first: by the last rung reached, the accuracy there, the score."""

    def order(archid: str) -> tuple[int, float, int]:
        own = found.get(archid, Evidence(0, 0.0))
        return -own.rung, -own.val_accuracy_percent, score_ranks[archid]

    return sorted(score_ranks, key=order)
