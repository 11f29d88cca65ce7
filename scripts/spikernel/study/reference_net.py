"""The reference nets of kernel_impact: one cell, one kernel size, two widths. No torch."""

from collections.abc import Sequence

from spikernel.config import NetworkConfig
from spikernel.space import Architecture, Cell, ImageShape, conv, parameter_count

ANCHOR = 3
"""Kernel size whose parameters the iso-parameter control matches."""


def reference_architecture(
    roles: Sequence[str],
    kernel: int,
    control: str,
    network: NetworkConfig,
    images: ImageShape,
) -> Architecture:
    """Return the reference net of a kernel size under a control.

    Args:
        roles: operation of each edge; `conv` stands for the convolution under test.
        kernel: its size.
        control: `plain` keeps the width; `iso_parameter` takes the width whose parameter count
            is nearest to that of the 3x3 net (the smaller one where two are equally near).
        network: macro-structure, at the width of the 3x3 net, and types of convolution.
        images: shape of the data set's images.

    """

    def build(size: int, channels: int) -> Architecture:
        edge = conv(size, network.convolutions.get(size, "dense"))
        cell = Cell(tuple(edge if role == "conv" else role for role in roles))
        return Architecture(cell, network.model_copy(update={"channels": channels}), images)

    if control == "plain":
        return build(kernel, network.channels)
    wanted = parameter_count(build(ANCHOR, network.channels)).total

    def count(channels: int) -> int:
        return parameter_count(build(kernel, channels)).total

    low, high = 1, 2
    while count(high) < wanted:
        low, high = high, 2 * high
    while high - low > 1:  # count(low) may exceed wanted only where low is 1
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < wanted else (low, middle)
    return build(kernel, min((low, high), key=lambda channels: abs(count(channels) - wanted)))
