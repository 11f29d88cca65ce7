"""A net of more channels that computes what a narrower one does (Net2Net, Chen et al., ICLR 2016).

The channels that it has beyond those of the narrower net are copies of these, in turn. What reads a
channel and its copies shares the weights out among them, so that the sum is what it was. The shares
are drawn, because copies that are read by equal weights would learn the same.
"""

import torch
from torch import Tensor

from spikernel.space.architecture import Architecture

WIDTHS = ("channels", "stage_widths", "stem_channels", "hidden")
"""Settings of a network in which the wider net may differ."""


def is_wider(net: Architecture, known: Architecture) -> bool:
    """Whether a net differs from a known one in nothing but more channels somewhere."""
    widths = {name: getattr(net.network, name) for name in WIDTHS}
    alike = known.network.model_copy(update=widths) == net.network
    if not alike or (known.cell, known.images) != (net.cell, net.images):
        return False
    before, after = (
        [part.channels for part in each.parts] + [each.network.hidden] for each in (known, net)
    )
    return all(old <= new for old, new in zip(before, after, strict=True))


def widened(known: dict[str, Tensor], shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    """Return the state of a wider net that gives the outputs of a known one, but for rounding.

    Args:
        known: state of the narrower net. Weights are [outputs, inputs, ...], or one value for each
            channel.
        shapes: of the state of the wider net, no side of a tensor shorter.

    """
    generator = torch.Generator().manual_seed(0)
    return {name: _widened(known[name], shape, generator) for name, shape in shapes.items()}


def _widened(tensor: Tensor, shape: torch.Size, generator: torch.Generator) -> Tensor:
    if tensor.shape == shape:
        return tensor
    copied = tensor[_origin(len(tensor), shape[0]).to(tensor.device)]
    if tensor.dim() < 2 or tensor.shape[1] == shape[1]:
        return copied
    origin = _origin(tensor.shape[1], shape[1])
    drawn = torch.rand(shape[1], generator=generator) + 0.5
    sums = torch.zeros(tensor.shape[1]).index_add_(0, origin, drawn)
    shares = (drawn / sums[origin]).to(tensor)
    return copied[:, origin.to(tensor.device)] * shares.view(-1, *[1] * (tensor.dim() - 2))


def _origin(old: int, new: int) -> Tensor:
    """Return of which of the old channels each new one is a copy.

    In turns, so that it holds as well for what is flattened from channels and pixels.
    """
    return torch.arange(new) % old
