"""Scores of a cell from its graph alone: no weights, no images, no training.

Why structure. A path from the cell's input to its output is a chain of LIF + convolution steps.
Each step binarises and mixes again, so a path with d of them is a d-fold nonlinear function, and
the longest one bounds what the cell can express. That number, `longest_convolution_path`, is
coarse: most cells of a space share it, it ignores kernel sizes, and a search has to choose.

`path_capacity` refines it without a free coefficient:

    log2(paths x fan-in product of the strongest path), summed over the cells of the net.

* The product of the fan-ins along a path is the number of routes through single weights from one
  input to one output value; its logarithm is a depth in which each convolution counts by its
  size. It is log synaptic flow (Tanaka et al., NeurIPS 2020) of that path with every weight and
  spike set to one, which leaves nothing to draw at random.
* Batch normalisation after every convolution brings each to the same variance whatever its
  fan-in. Beside the strongest path the others therefore count as equals: by their number, as
  members of an ensemble (Veit et al., NeurIPS 2016), not by their weights.

What follows from it:

* A cell has at most four paths, worth 2 bits, while a convolution has a fan-in of 128 or more at
  128 channels, worth 7 bits: the strongest path decides, the number of paths comes next.
* Kernel sizes have diminishing returns. At 128 channels on large maps one k x k convolution is
  worth 7.0 bits for k = 1, 10.2 for 3, 11.6 for 5 and 12.6 for 7. Two 3x3 in a row are worth more
  than one 7x7 that has 2.7 times their weights (Simonyan and Zisserman, ICLR 2015), and 1x1 less
  than 3x3, but not nothing: it still adds a nonlinear step.
* A fan-in counts independent weights, those per output channel: C k^2 of a dense convolution,
  C + k^2 of a depthwise separable one, 2 C k of a factorised one. Routes through both factors are
  products of the same weights with no neuron between them, so they are no further depth.
* A residual path around the cell is one more path, where edge 03 is not a skip already.
* Taps that fall into the padding are no weights: a 7x7 on a 4x4 map counts as 4x4.
* Convolutions beside the strongest path are worth no more than a skip, which loses nothing to
  binarisation and has no weights. Among cells of equal score take the one with fewer parameters.

Without a budget the score asks for the largest kernels on the strongest path; under a budget on
parameters, of which 7x7 takes 5.4 times those of 3x3, it asks for depth first.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache

from spikernel.config import ConvolutionType, NetworkConfig
from spikernel.errors import ConfigError
from spikernel.space import Architecture, Cell, ImageShape, convolution
from spikernel.space.patterns import INPUT, OUTPUT

DISCONNECTED = -math.inf
"""Score of a cell whose output does not depend on its input."""


def convolutions_after_clean_up(architecture: Architecture) -> float:
    """Return how many convolutions lie on a path from input to output."""
    return float(len(architecture.cell.cleaned().kernel_sizes()))


def longest_convolution_path(architecture: Architecture) -> float:
    """Return the largest number of convolutions on one path; -inf if there is no path.

    Only edges within a time step count; a feedback edge closes a loop over time.
    """
    longest: dict[int, float] = {INPUT: 0.0}
    for target, arriving in _arriving(architecture.cell):
        found = [
            longest[source] + (convolution(operation) is not None)
            for source, operation in arriving
            if source in longest
        ]
        if found:
            longest[target] = max(found)
    return longest.get(OUTPUT, DISCONNECTED)


def path_capacity(architecture: Architecture) -> float:
    """Return log2(paths x fan-in product of the strongest path), summed over all cells.

    -inf if there is no path. Only edges within a time step count.
    """
    arriving = _arriving(architecture.cell)
    total = 0.0
    stages = zip(architecture.stage_channels, architecture.stage_sizes, strict=True)
    for (channels, side), repeats in zip(stages, architecture.cells_per_stage, strict=True):
        paths = {INPUT: 1}
        # Exact, so that cells of equal value tie instead of differing by rounding.
        strongest = {INPUT: Fraction(1)}
        for target, edges in arriving:
            reached = [(source, operation) for source, operation in edges if source in paths]
            if reached:
                paths[target] = sum(paths[source] for source, _ in reached)
                strongest[target] = max(
                    strongest[source] * _operation_fan_in(operation, channels, side)
                    for source, operation in reached
                )
        if OUTPUT not in paths:
            return DISCONNECTED
        routes = (paths[OUTPUT] + architecture.adds_input) * strongest[OUTPUT]
        total += repeats * math.log2(routes)
    return total


@lru_cache
def _operation_fan_in(operation: str, channels: int, side: int) -> Fraction:
    edge = convolution(operation)
    if edge is None:
        return fan_in(None, channels, side)
    return fan_in(edge.size, channels, side, edge.type)


def fan_in(
    kernel: int | None, channels: int, side: int, kind: ConvolutionType = "dense"
) -> Fraction:
    """Return the mean number of weights that touch a side x side map, per output channel.

    Args:
        kernel: size of the convolution; None for an edge without weights, which counts as one.
        channels: channels of the map.
        side: of the map, in pixels.
        kind: type of the convolution.

    """
    if kernel is None:
        return Fraction(1)
    reach = (kernel - 1) // 2
    taps = sum(min(place, reach) + 1 + min(side - 1 - place, reach) for place in range(side))
    mean = Fraction(taps, side)  # of one row or column of the kernel
    if kind == "depthwise":
        return channels + mean**2
    if kind == "factorised":
        return 2 * channels * mean
    return channels * mean**2


STRUCTURAL_SCORES: dict[str, Callable[[Architecture], float]] = {
    "path_capacity": path_capacity,
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


def _arriving(cell: Cell) -> list[tuple[int, list[tuple[int, str]]]]:
    """Return the forward edges (source, operation) into each node but the input, in order."""
    forward = [edge for edge in cell.connections() if edge[0] < edge[1]]
    return [
        (node, [(source, operation) for source, target, operation in forward if target == node])
        for node in range(INPUT + 1, OUTPUT + 1)
    ]
