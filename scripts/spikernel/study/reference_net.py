"""The reference nets of kernel_impact: one cell, one kernel size, two widths. No torch."""

from collections.abc import Sequence

from spikernel.config import NetworkConfig
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import at_parameters, parameter_count
from spikernel.space.operations import conv
from spikernel.study.joined import check_joined

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

    Raises:
        ConfigError: no path leads through the cell, or the images are too small for the net.

    """

    def build(size: int) -> Architecture:
        edge = conv(size, network.convolutions)
        cell = Cell(tuple(edge if role == "conv" else role for role in roles))
        check_joined(cell)
        return Architecture(cell, network, images)

    if control == "plain":
        return build(kernel)
    return at_parameters(build(kernel), parameter_count(build(ANCHOR)).total)
