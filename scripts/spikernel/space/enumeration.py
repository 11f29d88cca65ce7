"""Every distinct forward cell of an operation set, and random draws from it.

Size of SNASNet's space {zero, skip, k1, k3, avg}: 15,625 cells, 12,500 accepted,
7,556 distinct after clean-up, 7,012 when the exchange of the middle nodes is one cell.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spikernel.errors import ConfigError
from spikernel.space.cell import EDGES, Cell
from spikernel.space.operations import AVG, SKIP, ZERO, kernel_size


@dataclass(frozen=True)
class SpaceCounts:
    """How many forward cells there are, counted four ways."""

    raw: int
    accepted: int
    distinct: int
    canonical: int


def forward_cells(operations: Sequence[str]) -> Iterator[Cell]:
    """Yield every forward cell over `operations`, in lexicographic order of the operations."""
    for choice in itertools.product(operations, repeat=len(EDGES)):
        yield Cell(choice)


def canonical_cells(operations: Sequence[str]) -> list[Cell]:
    """Return every distinct accepted forward cell once, sorted by archid."""
    found = {cell.canonical() for cell in forward_cells(operations) if cell.accepted}
    return sorted(found, key=lambda cell: cell.archid)


def count_forward(operations: Sequence[str]) -> SpaceCounts:
    """Count the forward cells over `operations` by enumeration."""
    accepted = [cell for cell in forward_cells(operations) if cell.accepted]
    return SpaceCounts(
        raw=len(operations) ** len(EDGES),
        accepted=len(accepted),
        distinct=len({cell.cleaned() for cell in accepted}),
        canonical=len({cell.canonical() for cell in accepted}),
    )


def draw_cell(operations: Sequence[str], generator: random.Random) -> Cell:
    """Draw a uniform forward cell, repeat until it is accepted, and return it canonical.

    This is SNASNet's sampling; equal cells are drawn as often as there.

    Raises:
        ConfigError: `operations` holds nothing that could join input and output.

    """
    if set(operations) <= {ZERO}:
        raise ConfigError("the search needs an operation other than zero")
    while True:
        cell = Cell(tuple(generator.choice(operations) for _ in EDGES))
        if cell.accepted:
            return cell.canonical()


def smallest_cell(operations: Sequence[str]) -> Cell:
    """Return the accepted cell with at least one convolution that has the fewest parameters.

    Raises:
        ConfigError: `operations` holds no convolution.

    """
    sizes = [size for operation in operations if (size := kernel_size(operation)) is not None]
    if not sizes:
        raise ConfigError("the search needs at least one convolution")
    convolution = f"k{min(sizes)}"
    # Without zero every edge carries something; the cheapest filling is parameter-free.
    free = next((name for name in (ZERO, SKIP, AVG) if name in operations), convolution)
    return Cell(tuple(convolution if edge == (0, 3) else free for edge in EDGES)).canonical()
