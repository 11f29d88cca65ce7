"""The macro-structure: which modules surround and hold the cells, with their channels and maps.

    stem -> (transition) -> stage 1 -> transition -> stage 2 -> ... -> head

A stage is one cell or several in a row. SNASNet (Kim et al., ECCV 2022) has one convolution in
the stem and two stages of one cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spikernel.config import NetworkConfig
from spikernel.config.network import MOST
from spikernel.errors import ConfigError
from spikernel.space.cell import Cell

DOWNSAMPLING = 2
"""By how much a transition shrinks the side of the maps."""

STEM_KERNEL = TRANSITION_KERNEL = 3

PartKind = Literal["image_stem", "spiking_stem", "cell", "transition", "head"]


def scaled(network: NetworkConfig, width: float) -> NetworkConfig:
    """Return a macro-structure with `width` times the channels, rounded.

    Raises:
        ConfigError: it would have less than one channel, or more than any memory holds.

    """
    wanted = width * network.channels
    if not 1 <= wanted <= MOST:
        raise ConfigError(
            f"width {width:g} of network/channels {network.channels} gives {wanted:g} channels, "
            f"not 1 to {MOST:,}: take another width, or other channels"
        )
    return network.at(round(wanted))


@dataclass(frozen=True)
class Part:
    """One module of a net.

    Attributes:
        name: of the module in the net, and so of its weights.
        kind: what it is. `image_stem` convolves the image, `spiking_stem` spikes.
        inputs: channels that it reads.
        channels: channels that it makes; those that it reads for the head.
        size: side of the maps that it makes, in pixels; of those that it reads for the head.

    """

    name: str
    kind: PartKind
    inputs: int
    channels: int
    size: int


def stage_channels(network: NetworkConfig) -> tuple[int, ...]:
    """Return the channels of the cells of every stage."""
    widths = network.stage_widths or tuple(2.0**stage for stage in range(network.stages))
    return tuple(max(1, round(width * network.channels)) for width in widths)


def stem_size(network: NetworkConfig, image_size: int) -> int:
    """Return the side of the maps of the stem in pixels."""
    return (image_size - 1) // network.stem_stride + 1


def stage_sizes(network: NetworkConfig, image_size: int) -> tuple[int, ...]:
    """Return the side of the maps of every stage in pixels; it is 0 where there is nothing left."""
    size = stem_size(network, image_size)
    sizes = []
    for stage in range(network.stages):
        if stage or network.early_transition:
            # Pooling drops an odd last row, a strided convolution reads it.
            rest = size % DOWNSAMPLING if network.downsampling == "stride" else 0
            size = (size + rest) // DOWNSAMPLING
        sizes.append(size)
    return tuple(sizes)


def cells_per_stage(network: NetworkConfig) -> tuple[int, ...]:
    """Return how often the cell is repeated in every stage."""
    given = network.cells_per_stage
    return (given,) * network.stages if isinstance(given, int) else given


def adds_input(network: NetworkConfig, cell: Cell) -> bool:
    """Whether the input of every cell is added to its output: once, so not beside a direct skip."""
    return network.residual and not cell.has_direct_skip


def parts(network: NetworkConfig, image_channels: int, image_size: int) -> tuple[Part, ...]:
    """Return the modules of a net in their order.

    Names, where n counts up and 1 is left out of `stem` and `transition`: `stem<n>`;
    `cell<stage>`, and `cell<stage>_<n>` from the second of a stage on; `transition<n>` behind
    stage n, 0 before the first; `head`.
    """
    widths, sizes = stage_channels(network), stage_sizes(network, image_size)
    first, full = network.stem_channels or widths[0], stem_size(network, image_size)
    found = [Part("stem", "image_stem", image_channels, first, full)]
    found += [
        Part(f"stem{place}", "spiking_stem", first, first, full)
        for place in range(2, network.stem_convolutions + 1)
    ]
    if network.early_transition:
        found.append(Part("transition0", "transition", first, widths[0], sizes[0]))
    for stage, repeats in enumerate(cells_per_stage(network), start=1):
        width, size = widths[stage - 1], sizes[stage - 1]
        if stage > 1:
            name = "transition" if stage == 2 else f"transition{stage - 1}"
            found.append(Part(name, "transition", widths[stage - 2], width, size))
        for place in range(1, repeats + 1):
            name = f"cell{stage}" if place == 1 else f"cell{stage}_{place}"
            found.append(Part(name, "cell", width, width, size))
    found.append(Part("head", "head", widths[-1], widths[-1], sizes[-1]))
    return tuple(found)


def check_leading(found: Sequence[Part], names: Sequence[str], where: str) -> None:
    """Check that names are those of the first modules of a net.

    Args:
        found: all modules of the net.
        names: in any order.
        where: what to call the names in an error.

    Raises:
        ConfigError: a module is unknown, or one before it is left out, or all are named.

    """
    known = [part.name for part in found]
    if set(names) != set(known[: len(names)]) or len(names) >= len(known):
        raise ConfigError(
            f"{where} must name the first modules of the net, without a gap and not all of "
            f"{', '.join(known)}; got {', '.join(names)}"
        )
