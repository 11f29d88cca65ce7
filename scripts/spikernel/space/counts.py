"""Exact parameter and memory counts, from the architecture alone.

One k x k edge costs C^2 k^2 + 2C per cell. Checked in the tests against torch, against the
published SNASNet nets (19.52 M and 20.63 M) and against SpikeNAS-Bench's formula
17,179,620 + 738,048 per 3x3 edge (Sun et al., IEEE TAI 2025).
"""

from dataclasses import dataclass
from typing import Literal

from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell

Precision = Literal["fp32", "fp16", "int8"]
BYTES: dict[str, int] = {"fp32": 4, "fp16": 2, "int8": 1}
"""Bytes of one parameter in each number format."""

STEM_KERNEL = TRANSITION_KERNEL = 3


@dataclass(frozen=True)
class ParameterCount:
    """Trainable parameters of each part of a net (batch normalisation: scale and shift)."""

    stem: int
    cell1: int
    transition: int
    cell2: int
    head: int

    @property
    def total(self) -> int:
        """All trainable parameters."""
        return self.stem + self.cell1 + self.transition + self.cell2 + self.head


def _norm(channels: int) -> int:
    return 2 * channels


def _convolution(inputs: int, outputs: int, kernel: int) -> int:
    return inputs * outputs * kernel**2 + _norm(outputs)


def _cell(cell: Cell, channels: int) -> int:
    return sum(_convolution(channels, channels, kernel) for kernel in cell.kernel_sizes())


def _head(architecture: Architecture) -> int:
    network = architecture.network
    norm = _norm(architecture.stage_channels[1])
    if network.head == "gap":
        return norm + (architecture.head_features + 1) * architecture.outputs
    hidden = architecture.head_features * network.hidden
    return norm + hidden + (network.hidden + 1) * architecture.outputs


def parameter_count(architecture: Architecture) -> ParameterCount:
    """Count the trainable parameters of an architecture."""
    first, second = architecture.stage_channels
    return ParameterCount(
        stem=_convolution(architecture.images.channels, first, STEM_KERNEL),
        cell1=_cell(architecture.cell, first),
        transition=_norm(first) + _convolution(first, second, TRANSITION_KERNEL),
        cell2=_cell(architecture.cell, second),
        head=_head(architecture),
    )


def memory_mb(params: int, precision: Precision) -> float:
    """Return the memory of the parameters in MB (10^6 bytes), all in one number format."""
    return params * BYTES[precision] / 1e6
