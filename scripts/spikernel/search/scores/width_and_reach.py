"""Channels, and how far the cell sees: for cells that compete at equal memory.

    score = log(channels of the first stage) + log(receptive field of the cell) / 3

The receptive field is the side, in pixels, of what the widest path through one cell sees; pooling
edges do not count. Where every cell has the channels that a budget allows (`budget/fill`), each
kernel and each further convolution is paid for in channels, and the score says for what: a 3x3 is
worth it where all else is 1x1, further reach hardly ever. The third is the ratio of the two
coefficients in a least-squares fit of accuracy (0.38), rounded to a fraction, on the cells of
docs/measurements/kernel-cells-begun.csv; docs/kernel-cells.md has how it does on others.
"""

import math

from spikernel.search.paths import convolution_paths
from spikernel.search.score import ArchitectureScore
from spikernel.space.architecture import Architecture

REACH = 1 / 3
"""Logarithms of channels that a logarithm of the receptive field is worth."""


class Score(ArchitectureScore):
    """The score from width and graph alone: no weights, no images."""

    def score(self, architecture: Architecture) -> float:
        """Return the score; -inf if no path leads through the cell."""
        paths = convolution_paths(architecture.cell)
        if not paths:
            return -math.inf
        reach = max(1 + sum(edge.size - 1 for edge in path) for path in paths)
        return math.log(architecture.network.channels) + REACH * math.log(reach)
