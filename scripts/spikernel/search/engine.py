"""The search itself: score every planned cell, once, resumably."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikernel.provenance import Stopwatch
from spikernel.search.journal import Evaluation, Journal
from spikernel.space import Cell

log = logging.getLogger(__name__)

REPORT_EVERY_SECONDS = 10.0


def evaluate(
    cells: Sequence[Cell],
    score: Callable[[Cell], float],
    journal_path: Path,
    fingerprint: Mapping[str, Any],
) -> list[Evaluation]:
    """Score the cells that the journal does not hold yet; return all, in the order of `cells`.

    Args:
        cells: distinct cells.
        score: scores one cell.
        journal_path: where finished evaluations are kept.
        fingerprint: everything a score depends on.

    """
    with Journal(journal_path, fingerprint) as journal:
        missing = [cell for cell in cells if cell.archid not in journal.done]
        if len(missing) < len(cells):
            log.info("resumed: %d of %d cells were scored", len(cells) - len(missing), len(cells))
        start = reported = time.perf_counter()
        for count, cell in enumerate(missing, start=1):
            watch = Stopwatch()
            value = score(cell)
            journal.add(Evaluation(cell.archid, value, watch.seconds()))
            now = time.perf_counter()
            if now - reported >= REPORT_EVERY_SECONDS or count == len(missing):
                reported = now
                left = (now - start) / count * (len(missing) - count)
                log.info("scored %d/%d cells, %.0f s left", count, len(missing), left)
        return [journal.done[cell.archid] for cell in cells]
