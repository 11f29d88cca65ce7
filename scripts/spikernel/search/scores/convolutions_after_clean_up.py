"""How many convolutions lie on a path from a cell's input to its output."""

from typing import ClassVar

from spikernel.search.score import ArchitectureScore
from spikernel.space.architecture import Architecture


class Score(ArchitectureScore):
    """The number of convolutions of the cleaned cell."""

    sees_thresholds: ClassVar[bool] = False

    def score(self, architecture: Architecture) -> float:
        """Count."""
        return float(len(architecture.cell.cleaned().kernel_sizes()))
