"""Exact parameter and memory counts, from the architecture alone.

In a cell of C channels a dense k x k edge costs C^2 k^2 + 2C, a depthwise separable one
C^2 + C k^2 + 2C, a factorised one 2 C^2 k + 2C. Checked in the tests against torch, against the
published SNASNet nets (19.52 M and 20.63 M) and against SpikeNAS-Bench's formula
17,179,620 + 738,048 per 3x3 edge (Sun et al., IEEE TAI 2025).
"""

from dataclasses import dataclass, replace
from typing import Literal

from spikernel import registry
from spikernel.config import NetworkConfig
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.macro import STEM_KERNEL, TRANSITION_KERNEL
from spikernel.space.operations import ZERO, Convolution, convolution
from spikernel.space.patterns import EDGES

Precision = Literal["fp32", "fp16", "int8"]
BYTES: dict[str, int] = {"fp32": 4, "fp16": 2, "int8": 1}
"""Bytes of one parameter in each number format."""


@dataclass(frozen=True)
class ParameterCount:
    """Trainable parameters of each module of a net, by its name there.

    Batch normalisation has a scale and a shift per channel; a layer of neurons has those that
    its model names, such as a learned time constant.
    """

    modules: dict[str, int]

    @property
    def total(self) -> int:
        """All trainable parameters."""
        return sum(self.modules.values())


def parameter_count(architecture: Architecture) -> ParameterCount:
    """Count the trainable parameters of an architecture."""
    neuron = neuron_parameters(architecture.network)
    modules = {}
    for part in architecture.parts:
        if part.kind == "image_stem":
            count = _convolution(part.inputs, part.channels, STEM_KERNEL)
        elif part.kind == "spiking_stem":
            count = neuron + _convolution(part.inputs, part.channels, STEM_KERNEL)
        elif part.kind == "transition":
            widen = _convolution(part.inputs, part.channels, TRANSITION_KERNEL)
            count = _norm(part.inputs) + neuron + widen
        elif part.kind == "cell":
            count = _cell(architecture.cell, part.channels, neuron)
        else:
            count = _head(architecture, neuron)
        modules[part.name] = count
    return ParameterCount(modules)


def neuron_parameters(network: NetworkConfig) -> int:
    """Return the trainable parameters of one layer of neurons, see `spikernel.network.neurons`."""
    named = registry.literal("neuron", network.neuron, "PARAMETERS", 0)
    return int(getattr(network, named) if isinstance(named, str) else named)


def at_parameters(architecture: Architecture, wanted: int) -> Architecture:
    """Return the architecture at the width whose parameter count is nearest to `wanted`.

    Where two widths are equally near, the smaller one.
    """

    def at(channels: int) -> Architecture:
        network = architecture.network.model_copy(update={"channels": channels})
        return replace(architecture, network=network)

    def count(channels: int) -> int:
        return parameter_count(at(channels)).total

    low, high = 1, 2
    while count(high) < wanted:
        low, high = high, 2 * high
    while high - low > 1:  # count(low) may exceed wanted only where low is 1
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < wanted else (low, middle)
    return at(min((low, high), key=lambda channels: abs(count(channels) - wanted)))


class CellCounter:
    """Totals of `parameter_count` for many cells in one macro-structure, from a table.

    Raises:
        ConfigError: the images are too small for the macro-structure.

    """

    def __init__(self, network: NetworkConfig, images: ImageShape) -> None:
        empty = Architecture(Cell((ZERO,) * len(EDGES)), network, images)
        self._around = parameter_count(empty).total
        self._channels = [part.channels for part in empty.parts if part.kind == "cell"]
        self._per_node = len(self._channels) * neuron_parameters(network)
        self._per_edge: dict[str, int] = {}

    def total(self, cell: Cell) -> int:
        """Return the trainable parameters of a cell's net."""
        count = self._around + sum(map(self._edge, cell.operations))
        return count + self._per_node * len(cell.neurons()) if self._per_node else count

    def _edge(self, operation: str) -> int:
        if operation not in self._per_edge:
            edge = convolution(operation)
            self._per_edge[operation] = sum(_edge(edge, channels) for channels in self._channels)
        return self._per_edge[operation]


def _norm(channels: int) -> int:
    return 2 * channels


def _convolution(inputs: int, outputs: int, kernel: int) -> int:
    return inputs * outputs * kernel**2 + _norm(outputs)


def _cell(cell: Cell, channels: int, neuron: int) -> int:
    edges = sum(_edge(edge, channels) for edge in cell.convolutions())
    return edges + neuron * len(cell.neurons())


def _edge(edge: Convolution | None, channels: int) -> int:
    return 0 if edge is None else edge.weights(channels) + _norm(channels)


def _head(architecture: Architecture, neuron: int) -> int:
    network = architecture.network
    before = _norm(architecture.stage_channels[-1]) + neuron
    if network.head == "gap":
        return before + (architecture.head_features + 1) * architecture.outputs
    hidden = architecture.head_features * network.hidden + neuron
    return before + hidden + (network.hidden + 1) * architecture.outputs


def memory_mb(params: int, precision: Precision) -> float:
    """Return the memory of the parameters in MB (10^6 bytes), all in one number format."""
    return params * BYTES[precision] / 1e6
