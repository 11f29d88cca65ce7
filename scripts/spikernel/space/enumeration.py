"""Every distinct cell of an operation set, how many there are, and random draws from it.

Sizes of SNASNet's spaces over {zero, skip, k1, k3, avg}; a zero has no direction:

| cells | raw | accepted | distinct after clean-up | canonical, see `Cell.canonical` |
|---|---|---|---|---|
| forward | 15,625 | 12,500 | 7,556 | 7,012 |
| feedback | 531,441 | 236,196 | 104,708 | 102,596 |

Clean-up removes edges whatever their operations, so the distinct cells are the fillings of the
cleaned patterns (at most 3^5) with operations other than zero: no raw cell is ever made.
"""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spikernel.errors import ConfigError
from spikernel.space import patterns
from spikernel.space.cell import Cell
from spikernel.space.operations import AVG, SKIP, ZERO, convolution
from spikernel.space.patterns import ABSENT, EDGES, FEEDBACK, FORWARD, Pattern

CellKind = Literal["forward", "feedback"]
"""`forward`: every edge leads to a higher node. `feedback`: each edge leads either way."""

_DIRECTIONS: dict[str, tuple[int, ...]] = {
    "forward": (FORWARD,),
    "feedback": (FORWARD, FEEDBACK),
}


@dataclass(frozen=True)
class SpaceCounts:
    """How many cells there are, counted four ways.

    Attributes:
        raw: choices of an operation, and of a direction unless it is zero, for every pair.
        accepted: those with the direct edge from input to output.
        distinct: accepted cells that differ after clean-up.
        canonical: distinct cells, where two that differ by the names of nodes 1 and 2 are one.

    """

    raw: int
    accepted: int
    distinct: int
    canonical: int


def count_cells(operations: Sequence[str], cells: CellKind = "forward") -> SpaceCounts:
    """Count the cells over a set of operations, feedback cells with or without feedback.

    Raises:
        ConfigError: the kind of cells is unknown.

    """
    present = len(_present(operations))
    choices = present * len(_directions(cells)) + (ZERO in operations)
    # Pairs of cells become one where the exchange of nodes 1 and 2 turns one into the other,
    # so canonical = (distinct + those that it leaves as they are) / 2 (Burnside's lemma).
    distinct = unchanged = 0
    for pattern in _cleaned_patterns(operations, cells):
        joined = [edge for edge, kind in zip(EDGES, pattern, strict=True) if kind != ABSENT]
        distinct += present ** len(joined)
        if not patterns.exchangeable(pattern):
            unchanged += present ** len(joined)
        elif patterns.exchanged(pattern) == pattern:
            # 01 and 02 must hold one operation, and so must 13 and 23.
            unchanged += present ** len({(0, 1), (0, 3), (1, 3)}.intersection(joined))
    return SpaceCounts(
        raw=choices ** len(EDGES),
        accepted=present * choices ** (len(EDGES) - 1),
        distinct=distinct,
        canonical=(distinct + unchanged) // 2,
    )


def canonical_cells(operations: Sequence[str], cells: CellKind = "forward") -> list[Cell]:
    """Return every distinct accepted cell once, sorted by archid.

    Raises:
        ConfigError: the kind of cells is unknown.

    """
    found: list[Cell] = []
    for pattern in _cleaned_patterns(operations, cells):
        feedback = tuple(kind == FEEDBACK for kind in pattern)
        choices = [_present(operations) if kind != ABSENT else (ZERO,) for kind in pattern]
        for filling in itertools.product(*choices):
            cell = Cell(filling, feedback)
            # Of two cells that differ by the names of nodes 1 and 2 only one is canonical.
            if not patterns.exchangeable(pattern) or cell.canonical() is cell:
                found.append(cell)
    return sorted(found, key=lambda cell: cell.archid)


def draw_cell(
    operations: Sequence[str], generator: random.Random, cells: CellKind = "forward"
) -> Cell:
    """Draw a uniform cell, repeat until it is accepted, and return it canonical.

    This is SNASNet's sampling; equal cells are drawn as often as there. The direction of each
    pair of a feedback cell is a fair coin, tossed whatever the operation is.

    Raises:
        ConfigError: `operations` holds nothing that could join input and output, or the kind
            of cells is unknown.

    """
    if not _present(operations):
        raise ConfigError("the search needs an operation other than zero")
    two_way = FEEDBACK in _directions(cells)
    while True:
        filling = tuple(generator.choice(operations) for _ in EDGES)
        feedback = tuple(two_way and generator.random() < 0.5 for _ in EDGES)
        cell = Cell(filling, feedback)
        if cell.accepted:
            return cell.canonical()


def smallest_cell(operations: Sequence[str]) -> Cell:
    """Return the accepted cell with at least one convolution that has the fewest parameters.

    Of several types of convolution the smallest size is taken; which type has the fewest
    parameters depends on the channels.

    Raises:
        ConfigError: `operations` holds no convolution.

    """
    sizes = {name: found.size for name in operations if (found := convolution(name)) is not None}
    if not sizes:
        raise ConfigError("the search needs at least one convolution")
    least = min(sizes, key=lambda name: sizes[name])
    # Without zero every edge carries something; the cheapest filling is parameter-free.
    free = next((name for name in (ZERO, SKIP, AVG) if name in operations), least)
    return Cell(tuple(least if edge == (0, 3) else free for edge in EDGES)).canonical()


def _directions(cells: str) -> tuple[int, ...]:
    if cells not in _DIRECTIONS:
        raise ConfigError(f"unknown cells '{cells}': known are {', '.join(_DIRECTIONS)}")
    return _DIRECTIONS[cells]


def _present(operations: Sequence[str]) -> tuple[str, ...]:
    """Return the operations that join two nodes, each once."""
    return tuple(name for name in dict.fromkeys(operations) if name != ZERO)


def _cleaned_patterns(operations: Sequence[str], cells: str) -> set[Pattern]:
    """Return the patterns of the cells that are left after clean-up.

    Every filling of a cleaned pattern comes from an accepted cell: fill the removed edges.
    """
    kinds = _directions(cells) if _present(operations) else ()
    if ZERO in operations:
        kinds = (ABSENT, *kinds)
    return {patterns.cleaned(pattern) for pattern in patterns.accepted_patterns(kinds)}
