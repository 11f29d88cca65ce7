"""Scoring that is journalled, resumed and reported, one cell at a time."""

import logging
import time
from collections.abc import Callable, Sequence

from spikernel.provenance import Stopwatch
from spikernel.search.journal import Evaluation, Journal
from spikernel.space.cell import Cell

log = logging.getLogger(__name__)

REPORT_EVERY_SECONDS = 10.0


class Engine:
    """Scores cells through a journal: what it holds is not scored again."""

    def __init__(self, score: Callable[[Cell], float], journal: Journal, expected: int) -> None:
        """Take the score of one cell, an open journal, and how many cells will come."""
        self._score = score
        self._journal = journal
        self._expected = expected
        self._known = len(journal.done)
        self._start = self._reported = time.perf_counter()
        self._scored = 0
        if self._known:
            log.info("resumed: %d of %d cells were scored", self._known, expected)

    def evaluate(self, cell: Cell) -> Evaluation:
        """Return the evaluation of a cell, from the journal if it is there."""
        if cell.archid not in self._journal.done:
            watch = Stopwatch()
            value = self._score(cell)
            self._journal.add(Evaluation(cell.archid, value, watch.seconds()))
            self._scored += 1
            self._report()
        return self._journal.done[cell.archid]

    def evaluate_all(self, cells: Sequence[Cell]) -> list[Evaluation]:
        """Return the evaluations in the order of the cells."""
        return [self.evaluate(cell) for cell in cells]

    def _report(self) -> None:
        now, left = time.perf_counter(), self._expected - self._known - self._scored
        if now - self._reported >= REPORT_EVERY_SECONDS or left == 0:
            self._reported = now
            seconds = (now - self._start) / self._scored * left
            log.info(
                "scored %d/%d cells, %.0f s left", self._expected - left, self._expected, seconds
            )
