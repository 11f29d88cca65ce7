"""The best path through each cell: deep, with large kernels and thresholds that rise along it.

    score = sum over all cells of max over paths of
            (convolutions on the path, each by its size + rise of the threshold along the path)

A convolution counts log(fan-in) / log(fan-in of a dense 3x3); the rise is the threshold of the
path's last neurons less that of its first, in thresholds of the net. docs/proxy.md gives the
reasons and the measurements.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import assert_never

from spikernel.config import ConvolutionType
from spikernel.search.paths import convolution_paths
from spikernel.search.score import ArchitectureScore
from spikernel.space.architecture import Architecture
from spikernel.space.operations import Convolution


class Score(ArchitectureScore):
    """The score from the graph alone: no weights, no images."""

    def score(self, architecture: Architecture) -> float:
        """Return the sum over all cells; -inf if no path leads through the cell."""
        paths = convolution_paths(architecture.cell)
        if not paths:
            return -math.inf
        rises = [_rise(path, architecture.network.threshold) for path in paths]
        total = 0.0
        stages = zip(architecture.stage_channels, architecture.stage_sizes, strict=True)
        for (channels, side), repeats in zip(stages, architecture.cells_per_stage, strict=True):
            # On one pixel of one channel no convolution has more than one weight.
            unit = math.log(fan_in(3, channels, side)) or 1.0
            values = []
            for path, rise in zip(paths, rises, strict=True):
                # Exact until the logarithm, so that equal paths tie instead of differing by
                # rounding.
                routes = math.prod(_edge_fan_in(edge, channels, side) for edge in path)
                values.append(math.log(routes) / unit + rise)
            total += repeats * max(values)
        return total


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

    Taps that fall into the padding are no weights: a 7x7 on a 4x4 map counts as 4x4.

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
    if kind == "dense":
        return channels * mean**2
    assert_never(kind)
