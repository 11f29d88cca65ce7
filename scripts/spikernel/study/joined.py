"""Whether the output of a cell depends on its input. No torch."""

from spikernel.errors import ConfigError
from spikernel.space.cell import Cell
from spikernel.space.patterns import ABSENT, cleaned


def check_joined(cell: Cell) -> None:
    """Check that a path leads through a cell.

    Raises:
        ConfigError: there is none from node 0 to node 3.

    """
    if all(kind == ABSENT for kind in cleaned(cell.pattern)):
        raise ConfigError(
            f"cell {cell.archid}: no path leads from its input, node 0, to its output, node 3: "
            "give an operation to edge 03, or to 01 and 13, or to 02 and 23"
        )
