"""The ways through a cell: chains of operations from its input to its output."""

from spikernel.space.cell import Cell
from spikernel.space.operations import Convolution, convolution
from spikernel.space.patterns import INPUT, OUTPUT

Path = tuple[str, ...]
"""Operations on the way from a cell's input to its output."""


def forward_paths(cell: Cell) -> list[Path]:
    """Return every path from input to output within a time step; feedback edges are none."""
    forward = [edge for edge in cell.connections() if edge[0] < edge[1]]

    def onwards(node: int) -> list[Path]:
        if node == OUTPUT:
            return [()]
        return [
            (operation, *rest)
            for source, target, operation in forward
            if source == node
            for rest in onwards(target)
        ]

    return onwards(INPUT)


def convolution_paths(cell: Cell) -> list[list[Convolution]]:
    """Return the convolutions on every path from input to output within a time step."""
    paths = [[convolution(operation) for operation in path] for path in forward_paths(cell)]
    return [[edge for edge in path if edge is not None] for path in paths]
