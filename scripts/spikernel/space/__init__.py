"""The search space: edge operations, cells, architectures and their exact size. No torch."""

from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import EDGES, Cell
from spikernel.space.counts import ParameterCount, memory_mb, parameter_count
from spikernel.space.enumeration import (
    SpaceCounts,
    canonical_cells,
    count_forward,
    draw_cell,
    smallest_cell,
)
from spikernel.space.operations import AVG, SKIP, ZERO, conv, kernel_size, operation_set

__all__ = [
    "AVG",
    "EDGES",
    "SKIP",
    "ZERO",
    "Architecture",
    "Cell",
    "ImageShape",
    "ParameterCount",
    "SpaceCounts",
    "canonical_cells",
    "conv",
    "count_forward",
    "draw_cell",
    "kernel_size",
    "memory_mb",
    "operation_set",
    "parameter_count",
    "smallest_cell",
]
