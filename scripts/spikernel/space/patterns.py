"""Which pairs of nodes of a cell are joined, and in which direction; no operations.

Whether a cell is accepted, and which edges its clean-up removes, depends on nothing else.
There are 3^6 = 729 patterns, so both are worked out once per pattern.
"""

import itertools
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TypeVar

EDGES: tuple[tuple[int, int], ...] = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""Pairs of nodes, in the order in which operations are listed everywhere."""

INPUT, OUTPUT = 0, 3
DIRECT, MIDDLE = EDGES.index((INPUT, OUTPUT)), EDGES.index((1, 2))
"""Places of the pair of input and output, and of the pair of middle nodes."""

ABSENT, FORWARD, FEEDBACK = 0, 1, 2
Pattern = tuple[int, ...]
"""For each pair of `EDGES`: `ABSENT`, `FORWARD` (lower to higher node) or `FEEDBACK`."""

_EXCHANGED = (1, 0, 2, 3, 5, 4)
"""Place of each pair's entry after nodes 1 and 2 change names: 01<->02 and 13<->23."""

_Entry = TypeVar("_Entry")


def accepted_patterns(kinds: Iterable[int]) -> Iterator[Pattern]:
    """Yield every accepted pattern whose pairs are of the given kinds."""
    for pattern in itertools.product(kinds, repeat=len(EDGES)):
        if accepted(pattern):
            yield pattern


def accepted(pattern: Pattern) -> bool:
    """Whether the direct edge from input to output is there, as SNASNet demands."""
    return pattern[DIRECT] == FORWARD


@cache
def cleaned(pattern: Pattern) -> Pattern:
    """Return the pattern without the edges of nodes that lie on no path from input to output.

    Nodes that do not reach node 3, or are not reached from node 0, lose all their edges. A
    path may take feedback edges.
    """
    arrows = [
        (low, high) if kind == FORWARD else (high, low)
        for (low, high), kind in zip(EDGES, pattern, strict=True)
        if kind != ABSENT
    ]
    useful = _reached(arrows, INPUT) & _reached([(b, a) for a, b in arrows], OUTPUT)
    return tuple(
        kind if low in useful and high in useful else ABSENT
        for (low, high), kind in zip(EDGES, pattern, strict=True)
    )


def exchanged(entries: tuple[_Entry, ...]) -> tuple[_Entry, ...]:
    """Return one entry per pair in the order that it has once nodes 1 and 2 change names."""
    return tuple(entries[place] for place in _EXCHANGED)


def exchangeable(pattern: Pattern) -> bool:
    """Whether the names of nodes 1 and 2 are free: no edge joins the two."""
    return pattern[MIDDLE] == ABSENT


def _reached(arrows: list[tuple[int, int]], start: int) -> set[int]:
    reached = {start}
    for _ in range(OUTPUT):
        reached |= {target for source, target in arrows if source in reached}
    return reached
