"""The search space: edge operations, cells, architectures and their exact size. No torch."""

from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell, Neurons
from spikernel.space.counts import (
    CellCounter,
    ParameterCount,
    at_parameters,
    memory_mb,
    parameter_count,
)
from spikernel.space.enumeration import (
    CellKind,
    SpaceCounts,
    canonical_cells,
    count_cells,
    draw_cell,
    smallest_cell,
)
from spikernel.space.notation import (
    describe_cell,
    read_cell,
    read_snasnet,
    spikenas_cell,
    spikenas_id,
    write_snasnet,
)
from spikernel.space.operations import (
    AVG,
    SKIP,
    ZERO,
    Convolution,
    conv,
    convolution,
    kernel_size,
    operation_set,
)
from spikernel.space.patterns import EDGES

__all__ = [
    "AVG",
    "EDGES",
    "SKIP",
    "ZERO",
    "Architecture",
    "Cell",
    "CellCounter",
    "CellKind",
    "Convolution",
    "ImageShape",
    "Neurons",
    "ParameterCount",
    "SpaceCounts",
    "at_parameters",
    "canonical_cells",
    "conv",
    "convolution",
    "count_cells",
    "describe_cell",
    "draw_cell",
    "kernel_size",
    "memory_mb",
    "operation_set",
    "parameter_count",
    "read_cell",
    "read_snasnet",
    "smallest_cell",
    "spikenas_cell",
    "spikenas_id",
    "write_snasnet",
]
