"""Mixup and cutmix: a batch blended with a copy of itself, shifted by one image.

Mixup (Zhang et al., ICLR 2018) blends pixels; cutmix (Yun et al., ICCV 2019) pastes a
rectangle. Both blend the loss of the two labels in the same proportion. One proportion is
drawn per batch; the draws come from the host's generator and the partner of an image is the one
before it in the batch, whose order is random, so that nothing is sent to the GPU or waits for it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spikernel.config import TrainingConfig


@dataclass(frozen=True)
class MixedBatch:
    """Images [N, C, H, W], their labels [N], the partners' labels, and the images' own share.

    A share on the device, a scalar, is one that a CUDA graph reads.
    """

    images: Tensor
    labels: Tensor
    partner_labels: Tensor
    share: float | Tensor

    def weigh(self, loss: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the loss of both labels, each by its share of the image."""
        own = loss(self.labels)
        if not isinstance(self.share, Tensor) and self.share == 1:
            return own
        return self.share * own + (1 - self.share) * loss(self.partner_labels)


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
    partners, own = images.roll(1, 0), float(generator.beta(alpha, alpha))
    mixed, share = method(images, partners, own, generator)
    return MixedBatch(mixed, labels, labels.roll(1, 0), share)


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
