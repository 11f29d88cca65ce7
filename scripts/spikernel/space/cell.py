"""A cell: four nodes, and one operation on each pair of nodes.

Node 0 is the cell's input, node 3 its output. A pair carries a forward edge (lower to higher
node, within a time step) or a feedback edge (higher to lower node, to the next time step),
never both (SNASNet, Kim et al., ECCV 2022).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

from spikernel.errors import ConfigError
from spikernel.space import patterns
from spikernel.space.operations import SKIP, ZERO, Convolution, convolution
from spikernel.space.patterns import DIRECT, EDGES, Pattern


class Neurons(NamedTuple):
    """A layer of neurons in a cell."""

    node: int
    """Whose value it reads."""
    threshold: float | None = None
    """None: that of the net."""

    @property
    def name(self) -> str:
        """Name of the layer in a cell: the node, and the threshold without a dot, as in 0t0_5."""
        shown = "" if self.threshold is None else f"t{self.threshold:.6f}".rstrip("0").rstrip(".")
        own = shown.replace(".", "_")
        return f"{self.node}{own}"


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
            convolution(operation)
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

    def convolutions(self) -> list[Convolution]:
        """Return the convolution of every edge that has one, in the order of `EDGES`."""
        found = (convolution(operation) for operation in self.operations)
        return [item for item in found if item is not None]

    def kernel_sizes(self) -> list[int]:
        """Return the kernel size of every convolution edge, in the order of `EDGES`."""
        return [item.size for item in self.convolutions()]

    def neurons(self) -> dict[Neurons, int]:
        """Return how many convolutions each layer of neurons feeds; sorted by node, threshold.

        Convolutions that leave a node share its neurons, where they ask for one threshold.
        """
        found = [
            Neurons(source, edge.threshold)
            for source, _, name in self.connections()
            if (edge := convolution(name)) is not None
        ]
        order = sorted(set(found), key=lambda item: (item.node, item.threshold or 0.0))
        return {item: found.count(item) for item in order}

    @property
    def has_direct_skip(self) -> bool:
        """Whether the output contains the input itself, by a skip on the edge 03."""
        return self.operations[DIRECT] == SKIP and not self.feedback[DIRECT]

    @property
    def pattern(self) -> Pattern:
        """Which pairs are joined, and in which direction."""
        return tuple(
            patterns.ABSENT
            if operation == ZERO
            else (patterns.FEEDBACK if back else patterns.FORWARD)
            for operation, back in zip(self.operations, self.feedback, strict=True)
        )

    @property
    def accepted(self) -> bool:
        """Whether the direct edge from input to output is there, as SNASNet demands."""
        return patterns.accepted(self.pattern)

    def cleaned(self) -> "Cell":
        """Return the cell without the edges that can not matter, see `patterns.cleaned`."""
        pattern = self.pattern
        cleaned = patterns.cleaned(pattern)
        if cleaned == pattern:
            return self
        kept = tuple(
            operation if kind != patterns.ABSENT else ZERO
            for kind, operation in zip(cleaned, self.operations, strict=True)
        )
        return Cell(kept, self.feedback)

    def canonical(self) -> "Cell":
        """Return the one representative of cells that differ by clean-up and names of nodes.

        The cell is cleaned; where no edge joins nodes 1 and 2 their names are free, and the
        alphabetically smaller archid is taken. Of other cells that compute the same function, such
        as a skip before or behind one convolution, each stays its own.
        """
        cell = self.cleaned()
        if not patterns.exchangeable(cell.pattern):
            return cell
        other = Cell(patterns.exchanged(cell.operations), patterns.exchanged(cell.feedback))
        return min(cell, other, key=lambda item: item.archid)
