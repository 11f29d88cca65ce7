"""Mixup and cutmix: a batch blended with a shuffled copy of itself.

Mixup (Zhang et al., ICLR 2018) blends pixels; cutmix (Yun et al., ICCV 2019) pastes a
rectangle. Both blend the loss of the two labels in the same proportion. One proportion is
drawn per batch; the draws come from the host's generator, so that nothing waits for the GPU.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spikernel.config import TrainingConfig


@dataclass(frozen=True)
class MixedBatch:
    """Images [N, C, H, W], their labels [N], the partners' labels, and the images' own share."""

    images: Tensor
    labels: Tensor
    partner_labels: Tensor
    share: float


def mix(
    images: Tensor, labels: Tensor, settings: TrainingConfig, generator: np.random.Generator
) -> MixedBatch:
    """Mix a batch by mixup or cutmix, in turn at random where both are on, or not at all."""
    choices = [
        (method, alpha)
        for method, alpha in (
            (mixup, settings.mixup_alpha),
            (cutmix, settings.cutmix_alpha),
        )
        if alpha > 0
    ]
    if not choices or generator.random() >= settings.mix_probability:
        return MixedBatch(images, labels, labels, 1.0)
    method, alpha = choices[generator.integers(len(choices))]
    order = torch.from_numpy(generator.permutation(len(images))).to(images.device)
    mixed, share = method(images, images[order], float(generator.beta(alpha, alpha)), generator)
    return MixedBatch(mixed, labels, labels[order], share)


def mixup(
    images: Tensor, partners: Tensor, share: float, _generator: np.random.Generator
) -> tuple[Tensor, float]:
    """Return share x images + (1 - share) x partners, and the share."""
    return torch.lerp(partners, images, share), share


def cutmix(
    images: Tensor, partners: Tensor, share: float, generator: np.random.Generator
) -> tuple[Tensor, float]:
    """Paste a rectangle of about 1 - share of the area; return the share that really stayed."""
    height, width = images.shape[2:]
    side = math.sqrt(1 - share)
    top, bottom = _span(height, side, generator)
    left, right = _span(width, side, generator)
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = partners[:, :, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / (height * width)


def _span(length: int, side: float, generator: np.random.Generator) -> tuple[int, int]:
    centre, half = int(generator.integers(length)), int(length * side / 2)
    return max(centre - half, 0), min(centre + half, length)
