"""RandAugment (Cubuk et al., CVPR Workshops 2020) for whole batches on their device.

Each image gets operations of its own. Every kind of operation runs once on the whole batch and
each image takes the result of its own one: nothing depends on values that only the device
knows, so nothing waits for it. Operations and magnitudes are those of torchvision's
`transforms.v2.RandAugment`, with nearest neighbours and black outside.

Shapes: N batch, C channels (1 or 3), H, W. Images are float with whole values 0..255.
"""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

OPERATIONS = (
    "identity", "shear_x", "shear_y", "translate_x", "translate_y", "rotate", "brightness",
    "color", "contrast", "sharpness", "posterize", "solarize", "auto_contrast", "equalize",
)  # fmt: skip
SIGNED = frozenset(OPERATIONS[1:10])
"""Operations whose strength is negative in half of the cases."""
LEVELS = 31
"""Magnitudes are 0 to 30."""
_NUMBER = {name: number for number, name in enumerate(OPERATIONS)}


def strengths(magnitude: int, side: int) -> list[float]:
    """Return the strength of each operation at a magnitude of 0 to 30 for images of a side.

    Shears: tangent of the angle. Translations: whole pixels. Rotation: degrees. Brightness,
    color, contrast and sharpness: the factor less 1. Posterize: bits that are kept. Solarize:
    share of white from which pixels are inverted.
    """
    share = magnitude / (LEVELS - 1)
    pixels = float(int(150 / 331 * side * share))
    bits = 8.0 - round(4 * share)
    return [
        0.0, 0.3 * share, 0.3 * share, pixels, pixels, 30 * share, *([0.9 * share] * 4), bits,
        1 - share, 0.0, 0.0,
    ]  # fmt: skip


@cache
def _table(magnitude: int, side: int, device: torch.device) -> Tensor:
    """Return the strengths on a device; kept, since sending them waits for it.

    In float64, so that 1 + strength and 1 - (1 + strength) are rounded once, as in torchvision.
    """
    return torch.tensor(strengths(magnitude, side), dtype=torch.float64, device=device)


def rand_augment(
    images: Tensor, operations: int, magnitude: int, generator: torch.Generator
) -> Tensor:
    """Apply `operations` random operations to each of the uint8 images [N, C, H, W]."""
    if operations == 0:
        return images
    device, count = images.device, len(images)
    table = _table(magnitude, images.shape[2], device)
    values = images.float()
    for _ in range(operations):
        chosen = torch.randint(len(OPERATIONS), (count,), device=device, generator=generator)
        negative = torch.rand(count, device=device, generator=generator) <= 0.5
        signed = (chosen >= 1) & (chosen <= len(SIGNED))
        strength = table[chosen]
        values = apply(values, chosen, torch.where(negative & signed, -strength, strength))
    return values.to(torch.uint8)


def apply(images: Tensor, chosen: Tensor, strength: Tensor) -> Tensor:
    """Apply to each image its operation.

    Args:
        images: [N, C, H, W].
        chosen: place in `OPERATIONS` for each image, [N].
        strength: as `strengths` describes it, with its sign, [N].

    """
    if images.shape[1] == 1:  # a grey image has no colour to change
        chosen = torch.where(chosen == _NUMBER["color"], 0, chosen)
    more = strength.view(-1, 1, 1, 1)
    strength, factor = more.to(images.dtype), (1 + more).to(images.dtype)
    less = (-more).to(images.dtype)  # 1 - factor

    def among(first: str, last: str | None = None) -> Tensor:
        """Return which images have one of the operations from `first` to `last`."""
        inside = (chosen >= _NUMBER[first]) & (chosen <= _NUMBER[last or first])
        return inside.view(-1, 1, 1, 1)

    moved = _move(images, chosen, strength)
    onto = _degenerate(images, among("brightness"), among("contrast"))
    blended = (images * factor + onto * less).clamp(0, 255).floor()
    result = torch.where(among("shear_x", "rotate"), moved, images)
    result = torch.where(among("brightness", "contrast"), blended, result)
    result = torch.where(among("sharpness"), _sharpen(images, less), result)
    step = torch.exp2(8 - strength)
    result = torch.where(among("posterize"), (images / step).floor() * step, result)
    solarized = torch.where(images >= 255 * strength, 255 - images, images)
    result = torch.where(among("solarize"), solarized, result)
    result = torch.where(among("auto_contrast"), _stretch(images), result)
    return torch.where(among("equalize"), _equalize(images), result)


def _move(images: Tensor, chosen: Tensor, strength: Tensor) -> Tensor:
    """Shear, shift or rotate: each pixel (x, y) from the centre is taken from elsewhere."""
    height, width = images.shape[2:]
    device = images.device
    x = (torch.arange(width, device=device) + 0.5 - width / 2).view(1, 1, -1)
    y = (torch.arange(height, device=device) + 0.5 - height / 2).view(1, -1, 1)
    amount = strength.view(-1, 1, 1)

    def only(name: str) -> Tensor:
        return torch.where(chosen.view(-1, 1, 1) == _NUMBER[name], amount, 0.0)

    angle = torch.deg2rad(only("rotate"))
    from_x = x * angle.cos() - y * angle.sin() + only("shear_x") * (y + height / 2)
    from_y = x * angle.sin() + y * angle.cos() + only("shear_y") * (x + width / 2)
    from_x, from_y = from_x - only("translate_x"), from_y - only("translate_y")
    grid = torch.stack((from_x / (width / 2), from_y / (height / 2)), dim=3)
    return F.grid_sample(images, grid, mode="nearest", align_corners=False)


def _degenerate(images: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """Return what an image is mixed with: black, itself in grey, or its mean grey."""
    grey = _grey(images)
    mean = grey.mean((1, 2, 3), keepdim=True)
    return torch.where(brightness, 0.0, torch.where(contrast, mean, grey)).expand_as(images)


def _grey(images: Tensor) -> Tensor:
    if images.shape[1] == 1:
        return images
    red, green, blue = images.split(1, dim=1)
    return (0.2989 * red + 0.587 * green + 0.114 * blue).floor()  # ITU-R BT.601, as torchvision


def _sharpen(images: Tensor, less: Tensor) -> Tensor:
    """Mix with a blurred image; the border stays."""
    around = F.avg_pool2d(images, 3, stride=1) * 9
    inner = images[:, :, 1:-1, 1:-1]
    blurred = ((around + 4 * inner) / 13).round()
    result = images.clone()
    result[:, :, 1:-1, 1:-1] = inner + less * (blurred - inner)
    return result.clamp(0, 255).floor()


def _stretch(images: Tensor) -> Tensor:
    """Stretch each channel to 0..255; a channel of one value stays."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    flat = high == low
    low = torch.where(flat, 0.0, low)
    scale = torch.where(flat, 1.0, (high - low) * (1 / 255))
    return ((images - low) / scale).clamp(0, 255).floor()


def _equalize(images: Tensor) -> Tensor:
    """Equalise each channel's histogram as Pillow does, in whole numbers."""
    pixels = images.flatten(2).long()  # [N, C, H*W]
    counts = pixels.new_zeros((*pixels.shape[:2], 256))
    counts.scatter_add_(2, pixels, torch.ones_like(pixels))
    below = counts.cumsum(2)
    # All pixels but those of the largest value, in 255 steps.
    largest = counts.gather(2, below.argmax(2, keepdim=True))
    step = (pixels.shape[2] - largest) // 255
    table = (below + step // 2) // step.clamp(min=1)
    table = F.pad(table[..., :-1], (1, 0)).clamp(0, 255)
    equal = table.gather(2, pixels).view_as(images).to(images.dtype)
    return torch.where((step > 0).unsqueeze(3), equal, images)
