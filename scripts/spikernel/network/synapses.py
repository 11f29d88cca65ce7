"""How many synaptic operations a layer does, by NeuroBench's definition.

A connection is one (input, output) pair of a layer, joined by one weight; positions near the
border of a padded map have fewer. Zero weights count as connections here (NeuroBench leaves
them out of the effective operations; trained weights are not zero).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Synaptic = nn.Conv2d | nn.Linear
"""Layers with synapses."""


def _per_channel(module: nn.Conv2d) -> int:
    """Return how many outputs one input value reaches through one tap of the kernel."""
    return module.out_channels // module.groups


def _padding(module: nn.Conv2d) -> tuple[int, int]:
    assert isinstance(module.padding, tuple), "the nets pad by numbers"
    rows, columns = module.padding
    return rows, columns


def connections_used(module: Synaptic, inputs: Tensor) -> Tensor:
    """Return how many connections carry a nonzero input, exactly.

    Args:
        module: the layer.
        inputs: its input, [N, C, H, W] for a convolution, [..., features] for a linear layer.

    Returns:
        A scalar in float64.

    """
    active = (inputs != 0).to(torch.float32)
    if isinstance(module, nn.Linear):
        return active.sum(dtype=torch.float64) * module.out_features
    # One input channel's fan-out at a pixel: how many windows hold it. All channels share it.
    per_pixel = active.sum(1, keepdim=True)
    window = torch.ones(1, 1, *module.kernel_size, device=inputs.device)
    windows = F.conv2d(
        per_pixel,
        window,
        stride=tuple(module.stride),
        padding=_padding(module),
        dilation=tuple(module.dilation),
    )
    return windows.sum(dtype=torch.float64) * _per_channel(module)


def dense_connections(module: Synaptic, shape: torch.Size) -> int:
    """Return how many connections a layer has in all, for an input of shape [N, ...].

    They are the operations done if every input were nonzero.
    """
    if isinstance(module, nn.Linear):
        return shape.numel() * module.out_features
    taps = 1
    for axis, side in enumerate(shape[2:]):
        kernel, stride = module.kernel_size[axis], module.stride[axis]
        padding, dilation = _padding(module)[axis], module.dilation[axis]
        outputs = (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        taps *= sum(
            0 <= output * stride + tap * dilation - padding < side
            for output in range(outputs)
            for tap in range(kernel)
        )
    return shape[0] * shape[1] * taps * _per_channel(module)
