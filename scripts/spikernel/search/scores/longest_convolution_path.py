"""The largest number of convolutions on one path from a cell's input to its output."""

import math
from typing import ClassVar

from spikernel.search.paths import convolution_paths
from spikernel.search.score import ArchitectureScore
from spikernel.space.architecture import Architecture


class Score(ArchitectureScore):
    """Depth of the cell in convolutions.

    Only edges within a time step count; a feedback edge closes a loop over time.
    """

    sees_thresholds: ClassVar[bool] = False

    def score(self, architecture: Architecture) -> float:
        """Return the depth; -inf if there is no path."""
        lengths = [float(len(path)) for path in convolution_paths(architecture.cell)]
        return max(lengths, default=-math.inf)
