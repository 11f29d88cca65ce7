"""An architecture: a cell inside a macro-structure, for images of a given shape.

Macro-structure of SNASNet (Kim et al., ECCV 2022): stem convolution 3x3, cell at C channels,
transition (convolution 3x3 to 2C, average pooling 2), the same cell at 2C channels, head.
"""

from dataclasses import dataclass

from spikernel.config import NetworkConfig
from spikernel.errors import ConfigError
from spikernel.space.cell import Cell

TRANSITION_POOL = 2


@dataclass(frozen=True)
class ImageShape:
    """Shape of the images of a data set, and how many classes there are."""

    channels: int
    size: int
    classes: int


@dataclass(frozen=True)
class Architecture:
    """Everything that fixes the layers of a net.

    Raises:
        ConfigError: the images are too small for a kernel, the transition or the pooling.

    """

    cell: Cell
    network: NetworkConfig
    images: ImageShape

    def __post_init__(self) -> None:
        """Check that every layer has something to work on."""
        largest = max(self.cell.kernel_sizes(), default=1)
        if largest > self.images.size:
            raise ConfigError(
                f"kernel size {largest} is larger than the {self.images.size}x{self.images.size} "
                f"images: remove that size from the kernel set"
            )
        if self.stage_sizes[1] < 1:
            raise ConfigError(
                f"images of {self.images.size} pixels are too small for stem_stride "
                f"{self.network.stem_stride} and the pooling by {TRANSITION_POOL}"
            )
        if self.network.head == "fc" and self.head_size < 1:
            raise ConfigError(
                f"network/pool {self.network.pool} is larger than the {self.stage_sizes[1]}x"
                f"{self.stage_sizes[1]} maps before the head: lower it or set head: gap"
            )

    @property
    def stage_channels(self) -> tuple[int, int]:
        """Channels of the first and the second cell."""
        return self.network.channels, 2 * self.network.channels

    @property
    def stage_sizes(self) -> tuple[int, int]:
        """Side of the feature maps of the first and the second cell, in pixels."""
        first = (self.images.size - 1) // self.network.stem_stride + 1
        return first, first // TRANSITION_POOL

    @property
    def head_size(self) -> int:
        """Side of the feature maps that the head reads, in pixels."""
        return 1 if self.network.head == "gap" else self.stage_sizes[1] // self.network.pool

    @property
    def head_features(self) -> int:
        """Length of the vector that the head reads."""
        return self.stage_channels[1] * self.head_size**2

    @property
    def outputs(self) -> int:
        """Output neurons: votes per class times classes."""
        return self.network.votes * self.images.classes
