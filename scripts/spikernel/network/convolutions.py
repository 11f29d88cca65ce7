"""Convolutions on the edges of a cell: dense, depthwise separable, factorised.

All read spikes, keep the size of the maps and end in batch normalisation. The two factors of the
last two types follow each other without neurons between them, see `spikernel.space.operations`.
"""

from typing import assert_never

from torch import Tensor, nn

from spikernel.network.blocks import ConvNorm
from spikernel.space.operations import Convolution


class Factors(nn.Module):
    """Two convolutions without bias in a row, then batch norm over time, batch and space."""

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d) -> None:
        super().__init__()
        self.first = first
        self.second = second
        self.norm = nn.BatchNorm2d(second.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C, H, W]."""
        normed: Tensor = self.norm(self.second(self.first(x)))
        return normed


def edge_convolution(convolution: Convolution, channels: int) -> ConvNorm | Factors:
    """Return the layers of a convolution edge between maps of `channels` channels."""
    size, reach = convolution.size, convolution.size // 2
    if convolution.type == "depthwise":
        return Factors(
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.Conv2d(channels, channels, size, padding=reach, groups=channels, bias=False),
        )
    if convolution.type == "factorised":
        return Factors(
            nn.Conv2d(channels, channels, (1, size), padding=(0, reach), bias=False),
            nn.Conv2d(channels, channels, (size, 1), padding=(reach, 0), bias=False),
        )
    if convolution.type == "dense":
        return ConvNorm(channels, channels, size)
    assert_never(convolution.type)
