"""An architecture: a cell inside a macro-structure, for images of a given shape."""

from dataclasses import dataclass
from functools import cached_property

from spikernel import registry
from spikernel.config import NetworkConfig
from spikernel.errors import ConfigError
from spikernel.space import macro
from spikernel.space.cell import Cell


@dataclass(frozen=True)
class ImageShape:
    """Shape of the images of a data set, `size` pixels a side, and how many classes there are."""

    channels: int
    size: int
    classes: int


@dataclass(frozen=True)
class Architecture:
    """Everything that fixes the layers of a net.

    Raises:
        ConfigError: the images are too small for a kernel, the transitions or the pooling, or the
            cell's feedback reaches no neuron.

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
        steps = registry.literal("neuron", self.network.neuron, "TIME_STEPS", None)
        if self.cell.has_feedback and steps == 1:
            raise ConfigError(
                f"cell {self.cell.archid} has feedback to the next time step, which neurons "
                f"'{self.network.neuron}' never reach: search forward cells, or use other neurons"
            )
        last = self.stage_sizes[-1]
        if last < 1:
            raise ConfigError(
                f"images of {self.images.size} pixels are too small for stem_stride "
                f"{self.network.stem_stride} and {self.network.stages} stages, each with maps of "
                f"half the size: lower network/stages or network/stem_stride"
            )
        stem, first = self.network.stem_channels, self.stage_channels[0]
        if stem not in (None, first) and not self.network.early_transition:
            raise ConfigError(
                f"network/stem_channels {stem} is not the {first} channels of the first stage: "
                "leave it out, or set early_transition"
            )
        self._check_whitened()
        if self.network.head == "fc" and self.head_size < 1:
            raise ConfigError(
                f"network/pool {self.network.pool} is larger than the {last}x{last} maps before "
                "the head: lower it or set head: gap"
            )

    def _check_whitened(self) -> None:
        stem = self.parts[0]
        most = 2 * stem.inputs * macro.STEM_KERNEL**2
        if self.network.stem_weights == "whitened" and (stem.channels % 2 or stem.channels > most):
            raise ConfigError(
                f"network/stem_weights: a whitened stem on {stem.inputs} channels has an even "
                f"number of at most {most} channels, not {stem.channels}: set stem_channels"
            )

    @cached_property
    def parts(self) -> tuple[macro.Part, ...]:
        """Every module of the net, in order."""
        return macro.parts(self.network, self.images.channels, self.images.size)

    @property
    def stage_channels(self) -> tuple[int, ...]:
        """Channels of the cells of every stage."""
        return macro.stage_channels(self.network)

    @property
    def stage_sizes(self) -> tuple[int, ...]:
        """Side of the feature maps of every stage, in pixels."""
        return macro.stage_sizes(self.network, self.images.size)

    @property
    def cells_per_stage(self) -> tuple[int, ...]:
        """How often the cell is repeated in every stage."""
        return macro.cells_per_stage(self.network)

    @property
    def adds_input(self) -> bool:
        """Whether the input of every cell is added to its output."""
        return macro.adds_input(self.network, self.cell)

    @property
    def head_size(self) -> int:
        """Side of the feature maps that the head reads, in pixels."""
        return 1 if self.network.head == "gap" else self.stage_sizes[-1] // self.network.pool

    @property
    def head_features(self) -> int:
        """Length of the vector that the head reads."""
        return self.stage_channels[-1] * self.head_size**2

    @property
    def outputs(self) -> int:
        """Output neurons: votes per class times classes."""
        return self.network.votes * self.images.classes
