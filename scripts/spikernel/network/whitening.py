"""Weights of the stem that whiten patches of the training images (airbench: Jordan, 2024).

Half of the filters are the eigenvectors of the patches' covariance with the largest eigenvalues,
each divided by the root of its eigenvalue, so that its output has variance 1; the others are their
negatives, because neurons pass on positive values only.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from spikernel.network.spiking_net import SpikingNet

IMAGES = 5000
"""Images whose patches are enough, as in airbench."""
VALUES_AT_ONCE = 2**28
"""Of the patches that are in memory at once, 2 GB in float64."""
FLOOR = 5e-4
"""Added to the eigenvalues, as in airbench, so that noise is not blown up."""


@torch.no_grad()
def whiten(net: SpikingNet, images: Tensor, normalise: Callable[[Tensor], Tensor]) -> None:
    """Fill the first convolution of a net.

    Args:
        net: its stem has an even number of channels, at most twice the values of a patch.
        images: of the training split, [N, C, H, W], on the device of the net.
        normalise: returns what the net reads of images.

    """
    weight = net.stem.conv.weight
    half, side, values_of_patch = len(weight) // 2, weight.shape[-1], weight[0].numel()
    products = weight.new_zeros(values_of_patch, values_of_patch, dtype=torch.float64)
    count = 0
    at_once = max(1, VALUES_AT_ONCE // (images[0, 0].numel() * values_of_patch))
    for some in images.split(at_once):
        patches = normalise(some).unfold(2, side, 1).unfold(3, side, 1).permute(0, 2, 3, 1, 4, 5)
        flat = patches.reshape(-1, values_of_patch).double()
        products += flat.T @ flat
        count += len(flat)
    values, vectors = torch.linalg.eigh(products / count)
    best = (vectors / (values + FLOOR).sqrt()).T.flip(0)[:half].view(half, *weight.shape[1:])
    weight.copy_(torch.cat([best, -best]))
