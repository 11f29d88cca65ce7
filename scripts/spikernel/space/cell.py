"""A cell: four nodes, and one operation on each pair of nodes.

Node 0 is the cell's input, node 3 its output. A pair carries a forward edge (lower to higher
node, within a time step) or a feedback edge (higher to lower node, to the next time step),
never both (SNASNet, Kim et al., ECCV 2022).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

from spikernel.errors import ConfigError
from spikernel.space.operations import ZERO, kernel_size

EDGES: tuple[tuple[int, int], ...] = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""Pairs of nodes, in the order in which operations are listed everywhere."""

INPUT, OUTPUT = 0, 3
_EXCHANGED = (1, 0, 2, 3, 5, 4)
"""Place of each pair's operation after nodes 1 and 2 change names: 01<->02 and 13<->23."""


@dataclass(frozen=True)
class Cell:
    """Operations on the pairs `EDGES`, and which of them point backwards."""

    operations: tuple[str, ...]
    feedback: tuple[bool, ...] = (False,) * len(EDGES)

    def __post_init__(self) -> None:
        """Refuse a wrong number of edges and unknown operations; a zero has no direction."""
        if len(self.operations) != len(EDGES) or len(self.feedback) != len(EDGES):
            raise ConfigError(
                f"a cell has {len(EDGES)} edges, got {len(self.operations)}: {self.operations}"
            )
        for operation in self.operations:
            kernel_size(operation)
        directed = tuple(
            back and operation != ZERO
            for back, operation in zip(self.feedback, self.operations, strict=True)
        )
        object.__setattr__(self, "feedback", directed)

    @classmethod
    def from_archid(cls, archid: str) -> Self:
        """Read an archid such as `k3-skip-k1-zero-avg-k3r` (a trailing r marks feedback).

        Raises:
            ConfigError: the text does not name six known operations.

        """
        parts = archid.split("-")
        feedback = tuple(part.endswith("r") and part != "zeror" for part in parts)
        names = tuple(
            part[:-1] if back else part for part, back in zip(parts, feedback, strict=True)
        )
        if len(parts) != len(EDGES):
            raise ConfigError(
                f"archid '{archid}': expected {len(EDGES)} operations joined by '-', "
                f"found {len(parts)}"
            )
        return cls(names, feedback)

    @cached_property
    def archid(self) -> str:
        """Return the cell's name: its operations in the order of `EDGES`, joined by '-'."""
        return "-".join(
            operation + ("r" if back else "")
            for operation, back in zip(self.operations, self.feedback, strict=True)
        )

    @property
    def has_feedback(self) -> bool:
        """Whether any edge points backwards."""
        return any(self.feedback)

    def connections(self) -> list[tuple[int, int, str]]:
        """Return (source, target, operation) of every edge that is not zero."""
        return [
            (high, low, operation) if back else (low, high, operation)
            for (low, high), operation, back in zip(
                EDGES, self.operations, self.feedback, strict=True
            )
            if operation != ZERO
        ]

    def kernel_sizes(self) -> list[int]:
        """Return the kernel size of every convolution edge, in the order of `EDGES`."""
        sizes = (kernel_size(operation) for operation in self.operations)
        return [size for size in sizes if size is not None]

    @property
    def accepted(self) -> bool:
        """Whether the direct edge from input to output is there, as SNASNet demands."""
        place = EDGES.index((INPUT, OUTPUT))
        return self.operations[place] != ZERO and not self.feedback[place]

    def cleaned(self) -> "Cell":
        """Return the cell without the edges of nodes that lie on no path from input to output.

        Nodes that do not reach node 3, or are not reached from node 0, lose all their edges.
        """
        useful = _reached(self.connections(), INPUT) & _reached(
            [(target, source, operation) for source, target, operation in self.connections()],
            OUTPUT,
        )
        if len(useful) == OUTPUT + 1:
            return self
        kept = tuple(
            operation if low in useful and high in useful else ZERO
            for (low, high), operation in zip(EDGES, self.operations, strict=True)
        )
        return Cell(kept, self.feedback)

    def canonical(self) -> "Cell":
        """Return the one representative of all cells that compute the same function.

        The cell is cleaned; where no edge joins nodes 1 and 2 their names are free, and the
        alphabetically smaller archid is taken.
        """
        cell = self.cleaned()
        if cell.operations[EDGES.index((1, 2))] != ZERO:
            return cell
        exchanged = Cell(
            tuple(cell.operations[place] for place in _EXCHANGED),
            tuple(cell.feedback[place] for place in _EXCHANGED),
        )
        return min(cell, exchanged, key=lambda item: item.archid)


def _reached(connections: list[tuple[int, int, str]], start: int) -> set[int]:
    reached = {start}
    for _ in range(OUTPUT):
        reached |= {target for source, target, _ in connections if source in reached}
    return reached
