"""Which cells a search scores exactly: all that it looks at, or the best of a prefilter."""

import hashlib
from dataclasses import dataclass, field

from spikernel.config import SearchConfig
from spikernel.provenance import Stopwatch
from spikernel.search.score import ArchitectureScore
from spikernel.search.strategies import Space, filter_order, plan
from spikernel.space.cell import Cell


@dataclass(frozen=True)
class Screened:
    """The cells to score exactly, and how they were come by.

    Attributes:
        cells: the cells, in the order in which they are scored.
        evaluated: how many samples they were chosen from.
        distinct: how many cells these samples are.
        prefilter: first-cell score of every distinct cell by archid; empty without a prefilter.
        seconds: what the choice took.

    """

    cells: list[Cell]
    evaluated: int
    distinct: int
    prefilter: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    def digest(self) -> str:
        """Return a SHA-256 of the cells, by which parts of one search are recognised."""
        return hashlib.sha256(" ".join(cell.archid for cell in self.cells).encode()).hexdigest()


def screen(settings: SearchConfig, space: Space, score: ArchitectureScore) -> Screened:
    """Choose the cells of a `random` or `exhaustive` search.

    Args:
        settings: the search.
        space: its cells.
        score: of the search, whose first-cell scores are the prefilter.

    Raises:
        BudgetError: almost no cell meets the budget.
        ConfigError: there are too many cells to list.

    """
    watch = Stopwatch()
    chosen = plan(settings, space)
    cells, keep = chosen.cells, settings.prefilter
    if keep is None or keep >= len(cells):
        return Screened(cells, chosen.evaluated, len(cells), seconds=watch.seconds())
    scores = score.first_cell_scores(cells, space.network, space.images)
    order = filter_order(cells, scores, space)
    return Screened(
        cells=[cells[place] for place in order[:keep]],
        evaluated=chosen.evaluated,
        distinct=len(cells),
        prefilter={cells[place].archid: scores[place] for place in order},
        seconds=watch.seconds(),
    )
