"""Augmentation of whole batches on their device, with an explicit generator.

Shapes: N batch, C channels, H, W; images are square.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from spikernel.config import TrainingConfig
from spikernel.errors import ConfigError
from spikernel.inference.normaliser import Normaliser


def default_padding(size: int) -> int:
    """Return an eighth of the side: 4 for 32x32 and 8 for 64x64 images, as SNASNet."""
    return size // 8


def random_crop(
    images: Tensor, padding: int, generator: torch.Generator, reflect: bool = False
) -> Tensor:
    """Shift each image [N, C, H, H] by up to `padding` pixels.

    What comes in from outside is black, or the image mirrored at its border pixels.
    """
    if padding == 0:
        return images
    count, channels, side, _ = images.shape
    device = images.device
    offsets = torch.randint(2 * padding + 1, (2, count, 1), device=device, generator=generator)
    places = offsets + torch.arange(side, device=device)  # [2, N, H], in the padded image
    if reflect:
        last = side - 1
        places = last - (last - (places - padding).abs()).abs()  # in the image itself
        padded = images
    else:
        padded = F.pad(images, (padding,) * 4)
    rows, columns = places
    pixels = rows.unsqueeze(2) * padded.shape[3] + columns.unsqueeze(1)
    wanted = pixels.view(count, 1, -1).expand(-1, channels, -1)
    return padded.flatten(2).gather(2, wanted).view_as(images)


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


def alternating_flip(images: Tensor, places: Tensor, epoch: int) -> Tensor:
    """Mirror an image in every second epoch: half of them in the odd ones, the rest in the even.

    Which ones is a hash of their places in the data set [N], so that two epochs in a row show both
    sides of each image (Jordan, 2024, arXiv:2404.00498).
    """
    flipped = ((_hash(places) + epoch) & 1 == 1).view(-1, 1, 1, 1)
    return torch.where(flipped, images.flip(3), images)


def _hash(values: Tensor) -> Tensor:
    """Return MurmurHash3's 32 mixed bits of non-negative whole numbers, here without its seed."""
    for factor, shift in ((0x85EBCA6B, 16), (0xC2B2AE35, 13), (1, 16)):
        values = ((values ^ (values >> shift)) * factor) & 0xFFFFFFFF
    return values


def cutout(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Set a random square within each image to 0, the mean of normalised images.

    DeVries & Taylor, 2017; as in airbench the whole square lies within the image.
    """
    if side == 0:
        return images
    count, _, size, _ = images.shape
    device = images.device
    first = torch.randint(size - side + 1, (2, count, 1), device=device, generator=generator)
    places = torch.arange(size, device=device) - first  # [2, N, H]
    rows, columns = (places >= 0) & (places < side)
    return images.masked_fill((rows.unsqueeze(2) & columns.unsqueeze(1)).unsqueeze(1), 0.0)


def _inside(length: Tensor, side: int, centre: Tensor) -> Tensor:
    """Return which of `side` positions lie within `length` around a centre in 0..1: [N, side]."""
    positions = torch.arange(side, device=length.device) + 0.5
    return (positions - centre * side).abs() <= length / 2


class Augmenter:
    """From uint8 images to a normalised, augmented float batch.

    Raises:
        ConfigError: a crop or a square does not fit the images.

    """

    def __init__(
        self,
        settings: TrainingConfig,
        size: int,
        normalise: Normaliser,
        generator: torch.Generator,
    ) -> None:
        padding = settings.crop_padding
        self._padding = default_padding(size) if padding is None else padding
        self._reflect = settings.crop_fill == "reflect"
        for key, reason in settings.misfits(size):
            raise ConfigError(f"training/{key} {reason}")
        self._settings = settings
        self._normalise = normalise
        self._generator = generator

    def __call__(self, images: Tensor, places: Tensor, epoch: int) -> Tensor:
        """Return a training batch.

        Args:
            images: uint8 [N, C, H, W].
            places: of the images in the data set, [N].
            epoch: from 1.

        """
        settings = self._settings
        images = random_crop(images, self._padding, self._generator, self._reflect)
        if settings.flip == "random":
            images = random_flip(images, self._generator)
        elif settings.flip == "alternating":
            images = alternating_flip(images, places, epoch)
        erased = random_erase(self._normalise(images), settings.erase_probability, self._generator)
        return cutout(erased, settings.cutout, self._generator)
