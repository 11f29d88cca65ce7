"""Floating-point operations of a forward pass, from the architecture alone.

A convolution or linear layer does two, a product and a sum, for each of its weights at each pixel
that it makes; windows that the border cuts count in full, as in torch's counter, and so do zeros.
Norms, neurons and pooling are not counted.
"""

from spikernel.space.architecture import Architecture
from spikernel.space.macro import STEM_KERNEL, TRANSITION_KERNEL, Part
from spikernel.space.operations import convolution


def forward_flop(architecture: Architecture, time_steps: int | None = None) -> int:
    """Return the FLOP of one image.

    Args:
        architecture: of the net.
        time_steps: T of the run; default: that of the architecture.

    """
    steps = time_steps or architecture.network.time_steps
    products, size = 0, architecture.images.size
    for part in architecture.parts:
        if part.kind == "cell":
            products += _cell(architecture, part, steps)
        elif part.kind == "head":
            products += steps * _head(architecture)
        elif part.kind == "transition":
            # Pooling comes after the convolution, which works on the maps before.
            side = size if architecture.network.downsampling == "pool" else part.size
            products += steps * part.inputs * part.channels * TRANSITION_KERNEL**2 * side**2
        else:
            repeats = 1 if part.kind == "image_stem" else steps
            products += repeats * part.inputs * part.channels * STEM_KERNEL**2 * part.size**2
        size = part.size
    return 2 * products


def _cell(architecture: Architecture, part: Part, steps: int) -> int:
    total = 0
    for source, target, operation in architecture.cell.connections():
        edge = convolution(operation)
        if edge is not None:
            # What the last step feeds back, nothing reads.
            repeats = steps if source < target else steps - 1
            total += repeats * edge.weights(part.channels) * part.size**2
    return total


def _head(architecture: Architecture) -> int:
    network, features = architecture.network, architecture.head_features
    if network.head == "gap":
        return features * architecture.outputs
    return (features + architecture.outputs) * network.hidden
