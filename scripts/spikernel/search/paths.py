"""Scores of a cell from its graph alone: no weights, no images, no training.

A path from the cell's input to its output is a chain of LIF + convolution steps. Each step
binarises and mixes again, so a path with d of them is a d-fold nonlinear function, and the longest
one bounds what the cell can express. `longest_convolution_path` counts that.

`rising_path` refines it without a free coefficient. It is the largest value of a path,

    convolutions on it, each by its size + rise of the threshold from its first to its last neurons,

summed over the cells of the net.

* Size. A convolution counts by the logarithm of its fan-in, a dense 3x3 as one step. The product
  of the fan-ins is the number of routes through single weights from one input to one output value:
  log synaptic flow (Tanaka et al., NeurIPS 2020) of the path, every weight and spike set to one.
  So sizes have diminishing returns: at 128 channels k1 counts 0.69, k5 1.14, k7 1.24, and two 3x3
  more than one 7x7 with 2.7 times their weights (Simonyan and Zisserman, ICLR 2015).
* Fan-in counts independent weights, those per output channel: C k^2 of a dense convolution, C + k^2
  of a depthwise separable one, 2 C k of a factorised one. Taps that fall into the padding are no
  weights: a 7x7 on a 4x4 map counts as 4x4.
* Low thresholds first. The first neurons of a path read real values that hardly change over time;
  what stays below their threshold is lost to the path. Spike counts of N(0, 1) values over T = 5
  steps carry 1.15, 0.84 and 0.45 bits at thresholds 0.5, 1.0 and 1.5 (tau = 4/3, hard reset).
* High thresholds last. Later neurons read what earlier ones sent. Sparse spikes have a small
  variance r (1 - r), by which the batch normalisation behind the next convolution divides: of the
  surrogate gradient phi(h) / (r (1 - r)) passes back, 1.65, 1.81 and 2.08 at h = 0.5, 1.0 and 1.5
  standard deviations.
* A rise of one (in thresholds of the net) counts as much as one 3x3. Both reasons above say in
  which direction, not how much; this is the simplest choice. A path without a second layer of
  neurons has no rise, and where all neurons share one threshold there is none anywhere.
* Paths beside the best one add nothing. Among cells of equal score a search takes the one with
  fewer parameters, then the one with more paths, then with fewer poolings: a skip is free, loses
  nothing to binarisation and joins another member to the ensemble (Veit et al., NeurIPS 2016).
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache

from spikernel.config import ConvolutionType, NetworkConfig
from spikernel.errors import ConfigError
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.operations import Convolution, convolution
from spikernel.space.patterns import INPUT, OUTPUT

DISCONNECTED = -math.inf
"""Score of a cell whose output does not depend on its input."""

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


def convolutions_after_clean_up(architecture: Architecture) -> float:
    """Return how many convolutions lie on a path from input to output."""
    return float(len(architecture.cell.cleaned().kernel_sizes()))


def longest_convolution_path(architecture: Architecture) -> float:
    """Return the largest number of convolutions on one path; -inf if there is no path.

    Only edges within a time step count; a feedback edge closes a loop over time.
    """
    lengths = [float(len(_convolutions(path))) for path in forward_paths(architecture.cell)]
    return max(lengths, default=DISCONNECTED)


def rising_path(architecture: Architecture) -> float:
    """Return the largest value of a path, see above, summed over all cells; -inf without a path."""
    paths = [_convolutions(path) for path in forward_paths(architecture.cell)]
    if not paths:
        return DISCONNECTED
    rises = [_rise(path, architecture.network.threshold) for path in paths]
    total = 0.0
    stages = zip(architecture.stage_channels, architecture.stage_sizes, strict=True)
    for (channels, side), repeats in zip(stages, architecture.cells_per_stage, strict=True):
        # On one pixel of one channel no convolution has more than one weight.
        unit = math.log(fan_in(3, channels, side)) or 1.0
        values = []
        for path, rise in zip(paths, rises, strict=True):
            # Exact until the logarithm, so that equal paths tie instead of differing by rounding.
            routes = math.prod(_edge_fan_in(edge, channels, side) for edge in path)
            values.append(math.log(routes) / unit + rise)
        total += repeats * max(values)
    return total


def _convolutions(path: Path) -> list[Convolution]:
    found = (convolution(operation) for operation in path)
    return [edge for edge in found if edge is not None]


def _rise(path: Sequence[Convolution], default: float) -> float:
    """Return threshold of the last less that of the first neurons, in thresholds of the net."""
    if not path:
        return 0.0
    first, last = (
        default if edge.threshold is None else edge.threshold for edge in (path[0], path[-1])
    )
    return (last - first) / default


@lru_cache
def _edge_fan_in(edge: Convolution, channels: int, side: int) -> Fraction:
    return fan_in(edge.size, channels, side, edge.type)


def fan_in(size: int, channels: int, side: int, kind: ConvolutionType = "dense") -> Fraction:
    """Return the mean number of weights that touch a side x side map, per output channel.

    Args:
        size: of the kernel.
        channels: channels of the map.
        side: of the map, in pixels.
        kind: type of the convolution.

    """
    reach = (size - 1) // 2
    taps = sum(min(place, reach) + 1 + min(side - 1 - place, reach) for place in range(side))
    mean = Fraction(taps, side)  # of one row or column of the kernel
    if kind == "depthwise":
        return channels + mean**2
    if kind == "factorised":
        return 2 * channels * mean
    return channels * mean**2


STRUCTURAL_SCORES: dict[str, Callable[[Architecture], float]] = {
    "rising_path": rising_path,
    "longest_convolution_path": longest_convolution_path,
    "convolutions_after_clean_up": convolutions_after_clean_up,
}
"""Every structural score by name."""


def structural_scores(
    cells: Sequence[Cell],
    network: NetworkConfig,
    images: ImageShape,
    score: str,
) -> list[float]:
    """Score cells of one macro-structure, in their order; higher is better.

    Raises:
        ConfigError: there is no structural score of that name.

    """
    if score not in STRUCTURAL_SCORES:
        raise ConfigError(
            f"unknown structural score '{score}': known are {', '.join(STRUCTURAL_SCORES)}"
        )
    function = STRUCTURAL_SCORES[score]
    return [function(Architecture(cell, network, images)) for cell in cells]
