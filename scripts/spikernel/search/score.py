"""The contract of a score: a number per architecture, higher is better, without training."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from spikernel import registry
from spikernel.config import NetworkConfig, SearchConfig
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell

if TYPE_CHECKING:
    import torch  # here only: a configuration is checked where there is no torch


class ArchitectureScore(ABC):
    """Base of the class `Score` that every module of `search/scores` defines.

    What a score needs and allows is said by class attributes, and its module can be imported
    without torch: torch is imported inside its methods.
    """

    needs_images: ClassVar[bool] = False
    """The score is measured on mini-batches of training images."""
    allows_prefilter: ClassVar[bool] = False
    """`first_cell_scores` is there."""
    allows_feedback: ClassVar[bool] = True
    """Cells whose edges lead back to an earlier node can be scored."""
    dense_only: ClassVar[bool] = False
    """Only cells of dense convolutions can be scored."""
    sees_thresholds: ClassVar[bool] = True
    """Cells that differ in the thresholds of their neurons alone may have different scores."""

    def __init__(
        self, settings: SearchConfig, batches: "list[torch.Tensor]", device: "torch.device"
    ) -> None:
        """Prepare to score.

        Args:
            settings: of the search.
            batches: mini-batches [B, C, H, W] on the device, normalised; none if not needed.
            device: where nets run.
        """
        self.settings = settings
        self.batches = batches
        self.device = device

    @abstractmethod
    def score(self, architecture: Architecture) -> float:
        """Return the score of an architecture; one that is not finite gets no rank."""

    def first_cell_scores(
        self, cells: Sequence[Cell], network: NetworkConfig, images: ImageShape
    ) -> list[float]:
        """Return a score of the first cell of each net alone, which costs little for all at once.

        Args:
            cells: canonical forward cells, each with at least one convolution.
            network: macro-structure around them.
            images: shape of the images.
        """
        raise NotImplementedError(f"{type(self).__module__} allows a prefilter, but has none")


def score_class(name: str) -> type[ArchitectureScore]:
    """Return the class of a score.

    Raises:
        ConfigError: there is no score of that name.
    """
    found: type[ArchitectureScore] = registry.load("score", name).Score
    return found
