"""Exact parameter and memory counts, from the architecture alone.

In a cell of C channels a dense k x k edge costs C^2 k^2 + 2C, a depthwise separable one
C^2 + C k^2 + 2C, a factorised one 2 C^2 k + 2C. Checked in the tests against torch, against the
published SNASNet nets (19.52 M and 20.63 M) and against SpikeNAS-Bench's formula
17,179,620 + 738,048 per 3x3 edge (Sun et al., IEEE TAI 2025).
"""

from collections.abc import Callable
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

    Batch normalisation has a shift and, where it is learned, a scale per channel; a layer of
    neurons has those that its model names, such as a learned time constant. A whitened stem counts
    though it is not trained, since it has to be stored.
    """

    modules: dict[str, int]

    @property
    def total(self) -> int:
        """All trainable parameters."""
        return sum(self.modules.values())


def parameter_count(architecture: Architecture) -> ParameterCount:
    """Count the trainable parameters of an architecture."""
    counts = _Layers.of(architecture.network)
    modules = {}
    for part in architecture.parts:
        if part.kind == "image_stem":
            count = counts.convolution(part.inputs, part.channels, STEM_KERNEL)
        elif part.kind == "spiking_stem":
            count = counts.neuron + counts.convolution(part.inputs, part.channels, STEM_KERNEL)
        elif part.kind == "transition":
            widen = counts.convolution(part.inputs, part.channels, TRANSITION_KERNEL)
            count = counts.entry(part.inputs) + widen
        elif part.kind == "cell":
            count = counts.cell(architecture.cell, part.channels)
        else:
            count = counts.head(architecture)
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
        return replace(architecture, network=architecture.network.at(channels))

    def count(channels: int) -> int:
        return parameter_count(at(channels)).total

    below = most_channels(lambda channels: count(channels) < wanted)
    nearest = (max(below, 1), below + 1)
    return at(min(nearest, key=lambda channels: abs(count(channels) - wanted)))


def most_channels(fits: Callable[[int], bool]) -> int:
    """Return the most channels that fit, if all fewer ones do; 0 where not even one does."""
    low, high = 0, 1
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


class CellCounter:
    """Totals of `parameter_count` for many cells in one macro-structure, from a table.

    Raises:
        ConfigError: the images are too small for the macro-structure.

    """

    def __init__(self, network: NetworkConfig, images: ImageShape) -> None:
        empty = Architecture(Cell((ZERO,) * len(EDGES)), network, images)
        self._around = parameter_count(empty).total
        self._channels = [part.channels for part in empty.parts if part.kind == "cell"]
        self._layers = _Layers.of(network)
        self._per_node = len(self._channels) * self._layers.neuron
        self._per_edge: dict[str, int] = {}

    def total(self, cell: Cell) -> int:
        """Return the trainable parameters of a cell's net."""
        count = self._around + sum(map(self._edge, cell.operations))
        return count + self._per_node * len(cell.neurons()) if self._per_node else count

    def _edge(self, operation: str) -> int:
        if operation not in self._per_edge:
            edge = convolution(operation)
            counts = (self._layers.edge(edge, channels) for channels in self._channels)
            self._per_edge[operation] = sum(counts)
        return self._per_edge[operation]


@dataclass(frozen=True)
class _Layers:
    """Counts of the layers of one macro-structure."""

    norm: int
    """Parameters of batch normalisation per channel."""
    neuron: int
    """Parameters of a layer of neurons."""
    entry_norm: bool

    @classmethod
    def of(cls, network: NetworkConfig) -> "_Layers":
        """Return the counts of a macro-structure."""
        norm = 2 if network.norm_scale == "learned" else 1
        return cls(norm, neuron_parameters(network), network.entry_norm)

    def convolution(self, inputs: int, outputs: int, kernel: int) -> int:
        """Count a convolution and its norm."""
        return inputs * outputs * kernel**2 + self.norm * outputs

    def entry(self, channels: int) -> int:
        """Count what stands before a transition's convolution and in the head."""
        return self.norm * channels * self.entry_norm + self.neuron

    def edge(self, edge: Convolution | None, channels: int) -> int:
        """Count an edge of a cell."""
        return 0 if edge is None else edge.weights(channels) + self.norm * channels

    def cell(self, cell: Cell, channels: int) -> int:
        """Count the edges of a cell, and the neurons of its nodes."""
        edges = sum(self.edge(edge, channels) for edge in cell.convolutions())
        return edges + self.neuron * len(cell.neurons())

    def head(self, architecture: Architecture) -> int:
        """Count the head."""
        network = architecture.network
        before = self.entry(architecture.stage_channels[-1])
        if network.head == "gap":
            return before + (architecture.head_features + 1) * architecture.outputs
        hidden = architecture.head_features * network.hidden + self.neuron
        return before + hidden + (network.hidden + 1) * architecture.outputs


def memory_mb(params: int, precision: Precision) -> float:
    """Return the memory of the parameters in MB (10^6 bytes), all in one number format."""
    return params * BYTES[precision] / 1e6
