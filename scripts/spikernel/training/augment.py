"""Augmentation of whole batches on their device, with an explicit generator.

Shapes: N batch, C channels, H, W; images are square.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from spikernel.config import TrainingConfig
from spikernel.inference.normaliser import Normaliser


def default_padding(size: int) -> int:
    """Return an eighth of the side: 4 for 32x32 and 8 for 64x64 images, as SNASNet."""
    return size // 8


def random_crop(images: Tensor, padding: int, generator: torch.Generator) -> Tensor:
    """Shift each image [N, C, H, W] by up to `padding` pixels; black comes in from outside."""
    if padding == 0:
        return images
    count, _, height, width = images.shape
    device = images.device
    offsets = torch.randint(2 * padding + 1, (2, count, 1), device=device, generator=generator)
    rows = offsets[0] + torch.arange(height, device=device)  # [N, H]
    columns = offsets[1] + torch.arange(width, device=device)  # [N, W]
    padded = F.pad(images, (padding,) * 4).permute(0, 2, 3, 1)
    picked = padded[
        torch.arange(count, device=device).view(-1, 1, 1), rows.unsqueeze(2), columns.unsqueeze(1)
    ]
    return picked.permute(0, 3, 1, 2)


def random_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each image left to right with probability 0.5."""
    flipped = torch.rand(len(images), 1, 1, 1, device=images.device, generator=generator) < 0.5
    return torch.where(flipped, images.flip(3), images)


def random_erase(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Set a random rectangle of an image to 0, the mean of normalised images.

    Area 2 % to 33 % and aspect ratio 0.3 to 3.3 as in Zhong et al., AAAI 2020; a rectangle
    that reaches over the border is cut off there.
    """
    if probability == 0:
        return images
    count, _, height, width = images.shape
    draws = torch.rand(5, count, 1, device=images.device, generator=generator)
    area = (0.02 + (0.33 - 0.02) * draws[0]) * height * width
    lowest, highest = math.log(0.3), math.log(3.3)
    ratio = torch.exp(lowest + (highest - lowest) * draws[1])
    inside = [
        _inside(length, side, centre)
        for length, side, centre in (
            ((area * ratio).sqrt(), height, draws[2]),
            ((area / ratio).sqrt(), width, draws[3]),
        )
    ]
    erased = inside[0].unsqueeze(2) & inside[1].unsqueeze(1) & (draws[4] < probability).unsqueeze(2)
    return images.masked_fill(erased.unsqueeze(1), 0.0)


def _inside(length: Tensor, side: int, centre: Tensor) -> Tensor:
    """Return which of `side` positions lie within `length` around a centre in 0..1: [N, side]."""
    positions = torch.arange(side, device=length.device) + 0.5
    return (positions - centre * side).abs() <= length / 2


class Augmenter:
    """From uint8 images to a normalised, augmented float batch."""

    def __init__(
        self, settings: TrainingConfig, normalise: Normaliser, generator: torch.Generator
    ) -> None:
        self._settings = settings
        self._normalise = normalise
        self._generator = generator

    def __call__(self, images: Tensor) -> Tensor:
        """Return the training batch of uint8 images [N, C, H, W]."""
        settings = self._settings
        padding = settings.crop_padding
        if padding is None:
            padding = default_padding(images.shape[2])
        images = random_crop(images, padding, self._generator)
        if settings.horizontal_flip:
            images = random_flip(images, self._generator)
        return random_erase(self._normalise(images), settings.erase_probability, self._generator)
