"""Every operation against torchvision's on the same parameters."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2 as V2

from spikernel.training.randaugment import (
    LEVELS,
    OPERATIONS,
    SIGNED,
    apply,
    rand_augment,
    strengths,
)

F = V2.functional
STILL = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}


def degrees(tangent: float) -> float:
    return math.degrees(math.atan(tangent))


THEIRS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "identity": lambda x, _: x,
    "shear_x": lambda x, s: F.affine(x, **{**STILL, "shear": [degrees(s), 0.0]}, center=[0, 0]),
    "shear_y": lambda x, s: F.affine(x, **{**STILL, "shear": [0.0, degrees(s)]}, center=[0, 0]),
    "translate_x": lambda x, s: F.affine(x, **{**STILL, "translate": [int(s), 0]}),
    "translate_y": lambda x, s: F.affine(x, **{**STILL, "translate": [0, int(s)]}),
    "rotate": lambda x, s: F.rotate(x, s),
    "brightness": lambda x, s: F.adjust_brightness(x, 1 + s),
    "color": lambda x, s: F.adjust_saturation(x, 1 + s),
    "contrast": lambda x, s: F.adjust_contrast(x, 1 + s),
    "sharpness": lambda x, s: F.adjust_sharpness(x, 1 + s),
    "posterize": lambda x, s: F.posterize(x, int(s)),
    "solarize": lambda x, s: F.solarize(x, 255.0 * s),
    "auto_contrast": lambda x, _: F.autocontrast(x),
    "equalize": lambda x, _: F.equalize(x),
}


def pictures(channels: int) -> Tensor:
    """Return smooth and noisy images, and one of a single grey."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(6, channels, 4, 4, generator=generator) * 255
    smooth = torch.nn.functional.interpolate(coarse, size=(32, 32), mode="bilinear")
    noisy = torch.rand(5, channels, 32, 32, generator=generator) * 200 + 20
    return torch.cat([smooth, noisy, torch.full((1, channels, 32, 32), 77.0)]).to(torch.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", OPERATIONS)
def test_equals_torchvision(name: str, channels: int) -> None:
    images = pictures(channels)
    number = OPERATIONS.index(name)
    for magnitude in (3, 9, 22):
        for sign in (1, -1) if name in SIGNED else (1,):
            strength = sign * strengths(magnitude, 32)[number]
            chosen = torch.full((len(images),), number)
            amounts = torch.full((len(images),), strength, dtype=torch.float64)
            ours = apply(images.float(), chosen, amounts)
            theirs = torch.stack([THEIRS[name](image, strength) for image in images])
            # Rounding decides a pixel whose source lies between two, or whose value is whole.
            same = (ours == theirs).float().mean().item()
            assert same > 0.995, (name, strength, same)
            if name not in ("shear_x", "shear_y", "rotate"):
                assert (ours - theirs.float()).abs().max() <= 1


def test_strengths_equal_torchvisions() -> None:
    space = V2.RandAugment._AUGMENTATION_SPACE
    names = [name.title().replace("_", "") for name in OPERATIONS]
    assert set(names) == set(space)
    for magnitude in range(LEVELS):
        for name, ours in zip(names, strengths(magnitude, 32), strict=True):
            values, signed = space[name]
            theirs = values(LEVELS, 32, 32)
            expected = 0.0 if theirs is None else float(theirs[magnitude])
            if name.startswith("Translate"):
                expected = int(expected)
            assert ours == pytest.approx(expected, abs=1e-6), (name, magnitude)
            assert signed == (name in {n.title().replace("_", "") for n in SIGNED})


def test_each_image_gets_its_own_operation() -> None:
    images = pictures(3)[:1].expand(14, -1, -1, -1)
    chosen = torch.arange(14)
    strength = torch.tensor(strengths(12, 32), dtype=torch.float64)
    together = apply(images.float(), chosen, strength)
    for number in range(14):
        one = slice(number, number + 1)
        alone = apply(images[one].float(), chosen[one], strength[one])
        assert torch.equal(together[one], alone)


def test_random_choice_repeats_with_its_seed_and_reaches_all_operations() -> None:
    images = pictures(3)[:1].repeat(400, 1, 1, 1)
    first, again, other = (
        rand_augment(images, 1, 20, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.dtype == torch.uint8
    # 9 signed operations count twice, 5 others once, at most; some leave this image as it is.
    kinds = {image.numpy().tobytes() for image in first}
    assert 18 <= len(kinds) <= 23
    assert rand_augment(images, 0, 9, torch.Generator()) is images
