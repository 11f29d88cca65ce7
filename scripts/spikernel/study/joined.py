"""Whether every edge of a cell lies on a way from its input to its output. No torch."""

from spikernel.errors import ConfigError
from spikernel.space.cell import Cell
from spikernel.space.patterns import ABSENT, cleaned


def check_joined(cell: Cell) -> None:
    """Check that a path leads through a cell, and that no edge lies beside all paths.

    Raises:
        ConfigError: there is none from node 0 to node 3, or an edge begins or ends nowhere.

    """
    if all(kind == ABSENT for kind in cleaned(cell.pattern)):
        raise ConfigError(
            f"cell {cell.archid}: no path leads from its input, node 0, to its output, node 3: "
            "give an operation to edge 03, or to 01 and 13, or to 02 and 23"
        )
    if cell.cleaned() != cell:
        raise ConfigError(
            f"cell {cell.archid}: an edge begins at a node that nothing reaches, or ends at one "
            f"that nothing leaves: write {cell.cleaned().archid}, which computes the same"
        )
