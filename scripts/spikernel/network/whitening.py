"""Weights of the stem that whiten patches of the training images (airbench: Jordan, 2024).

Half of the filters are the eigenvectors of the patches' covariance with the largest eigenvalues,
each divided by the root of its eigenvalue, so that its output has variance 1; the others are their
negatives, because neurons pass on positive values only.
"""

import torch
from torch import Tensor

from spikernel.network.spiking_net import SpikingNet

IMAGES = 5000
"""Images whose patches are enough, as in airbench."""
FLOOR = 5e-4
"""Added to the eigenvalues, as in airbench, so that noise is not blown up."""


@torch.no_grad()
def whiten(net: SpikingNet, images: Tensor) -> None:
    """Fill the first convolution of a net.

    Args:
        net: its stem has an even number of channels, at most twice the values of a patch.
        images: normalised training images [N, C, H, W].

    """
    weight = net.stem.conv.weight
    half, side = len(weight) // 2, weight.shape[-1]
    patches = images.unfold(2, side, 1).unfold(3, side, 1).permute(0, 2, 3, 1, 4, 5)
    flat = patches.reshape(-1, weight[0].numel()).double()
    values, vectors = torch.linalg.eigh(flat.T @ flat / len(flat))
    best = (vectors / (values + FLOOR).sqrt()).T.flip(0)[:half].view(half, *weight.shape[1:])
    weight.copy_(torch.cat([best, -best]))
