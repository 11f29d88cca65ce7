"""What both versions of SAHD share: they differ in alpha alone, see `spikernel.search.sahd`."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from spikernel.config import NetworkConfig
from spikernel.search.score import ArchitectureScore
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell

if TYPE_CHECKING:
    from spikernel.search.scorer import Scorer


class Sahd(ArchitectureScore):
    """Sparsity-aware Hamming distance of the spikes on images."""

    needs_images = True
    allows_prefilter = True

    @staticmethod
    @abstractmethod
    def alpha(neurons: int) -> float:
        """Return alpha for a layer of so many neurons."""

    def score(self, architecture: Architecture) -> float:
        """Return the mean over the mini-batches of log |det K|; it can be -inf."""
        return self._scorer.score(architecture)

    def first_cell_scores(
        self, cells: Sequence[Cell], network: NetworkConfig, images: ImageShape
    ) -> list[float]:
        """Return log |det K| of each net's first cell, the mean over the mini-batches."""
        from spikernel.search.first_cell import FirstCell

        first = FirstCell(network, images, self.batches, self.alpha, self.settings.seed)
        return first.scores(cells)

    @cached_property
    def _scorer(self) -> "Scorer":
        from spikernel.search.scorer import Scorer

        return Scorer(self.batches, self.alpha, self.settings.seed, self.device)
