import pytest
import torch
from torch.nn import functional as F

from spikernel.config import TrainingConfig
from spikernel.inference.normaliser import Normaliser
from spikernel.training.augment import Augmenter, random_crop, random_erase, random_flip


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_crop_is_a_shift_with_black_outside() -> None:
    images = torch.arange(1, 1 + 2 * 3 * 6 * 6, dtype=torch.uint8).view(2, 3, 6, 6)
    shifts = set()
    for seed in range(60):
        cropped = random_crop(images, 2, generator(seed))
        offsets = torch.randint(5, (2, 2, 1), generator=generator(seed))
        padded = F.pad(images, (2,) * 4)
        for index in range(2):
            top, left = int(offsets[0, index]), int(offsets[1, index])
            expected = padded[index, :, top : top + 6, left : left + 6]
            assert torch.equal(cropped[index], expected)
            shifts.add((top, left))
    assert len(shifts) == 25  # every shift of -2..2 in both directions occurs
    assert random_crop(images, 0, generator()) is images


def test_flip_mirrors_about_half_of_the_images() -> None:
    images = torch.rand(200, 1, 2, 3)
    flipped = random_flip(images, generator())
    kept = (flipped == images).flatten(1).all(1)
    mirrored = (flipped == images.flip(3)).flatten(1).all(1)
    assert bool((kept | mirrored).all())
    assert 70 < int(mirrored.sum()) < 130


def test_erase_blanks_one_rectangle_of_the_stated_size() -> None:
    images = torch.ones(300, 2, 32, 32)
    erased = random_erase(images, 0.5, generator()) == 0
    touched = erased.flatten(1).any(1)
    assert 110 < int(touched.sum()) < 190
    for mask in erased[touched]:
        assert torch.equal(mask[0], mask[1])  # all channels
        rows, columns = mask[0].any(1), mask[0].any(0)
        assert int(mask[0].sum()) == int(rows.sum()) * int(columns.sum())  # a full rectangle
        assert int(mask[0].sum()) <= 0.45 * 32 * 32
    assert random_erase(images, 0, generator()) is images


@pytest.mark.parametrize("flip", [False, True])
def test_augmenter_normalises_and_repeats_with_its_seed(flip: bool) -> None:
    images = torch.randint(256, (4, 3, 16, 16), generator=generator(1), dtype=torch.uint8)
    normalise = Normaliser([0.1, 0.2, 0.3], [0.5, 1.0, 2.0], torch.device("cpu"))
    settings = TrainingConfig(horizontal_flip=flip, crop_padding=0)
    batches = [Augmenter(settings, normalise, generator(3))(images) for _ in range(2)]
    assert torch.equal(*batches)
    plain = normalise(images)
    expected = (images[0, 1, 2, 3].item() / 255 - 0.2) / 1.0
    assert plain[0, 1, 2, 3].item() == pytest.approx(expected, abs=1e-6)
    assert torch.equal(batches[0], plain) is not flip


def test_default_padding_is_an_eighth_of_the_side() -> None:
    images = torch.full((64, 1, 32, 32), 255, dtype=torch.uint8)
    settings = TrainingConfig(horizontal_flip=False)
    out = Augmenter(settings, Normaliser([0.0], [1.0], torch.device("cpu")), generator())(images)
    black_rows = (out[:, 0] == 0).all(2).sum(1)
    assert int(black_rows.max()) == 4
