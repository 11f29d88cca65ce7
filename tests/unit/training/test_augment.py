import pytest
import torch
from torch.nn import functional as F

from spikernel.config import TrainingConfig
from spikernel.errors import ConfigError
from spikernel.inference.normaliser import Normaliser
from spikernel.training.augment import (
    Augmenter,
    alternating_flip,
    cutout,
    random_crop,
    random_erase,
    random_flip,
)


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


def test_crop_may_be_filled_by_reflection() -> None:
    images = torch.arange(5 * 3 * 6 * 6).view(5, 3, 6, 6)
    cropped = random_crop(images, 5, generator(4), reflect=True)
    offsets = torch.randint(11, (2, 5, 1), generator=generator(4))
    padded = F.pad(images.float(), (5,) * 4, mode="reflect").long()
    for index in range(5):
        top, left = int(offsets[0, index]), int(offsets[1, index])
        assert torch.equal(cropped[index], padded[index, :, top : top + 6, left : left + 6])


def test_two_epochs_in_a_row_show_both_sides_of_each_image() -> None:
    images, places = torch.rand(1000, 1, 2, 3), torch.arange(1000)
    epochs = [alternating_flip(images, places, epoch) for epoch in (1, 2, 3)]
    mirrored = [(found == images.flip(3)).flatten(1).all(1) for found in epochs]
    assert torch.equal(mirrored[0], ~mirrored[1])
    assert torch.equal(mirrored[0], mirrored[2])
    assert 450 < int(mirrored[0].sum()) < 550
    # It hangs on the image, not on its place in the batch.
    order = torch.randperm(1000, generator=generator())
    shuffled = alternating_flip(images[order], places[order], 1)
    assert torch.equal(shuffled, epochs[0][order])


def test_cutout_blanks_a_whole_square_anywhere() -> None:
    images = torch.ones(400, 2, 6, 6)
    blank = cutout(images, 4, generator()) == 0
    assert (blank.sum((2, 3)) == 16).all()
    corners = set()
    for mask in blank:
        rows, columns = mask[0].any(1).nonzero().flatten(), mask[0].any(0).nonzero().flatten()
        assert len(rows) == len(columns) == 4
        corners.add((int(rows[0]), int(columns[0])))
    assert corners == {(row, column) for row in range(3) for column in range(3)}
    assert cutout(images, 0, generator()) is images


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"crop_fill": "reflect", "crop_padding": 8}, "crop_padding 8 cannot be filled by the ref"),
        ({"cutout": 9}, "cutout 9 is larger than the images of 8 pixels"),
    ],
)
def test_crop_or_square_that_does_not_fit_is_one_line(
    given: dict[str, object], message: str
) -> None:
    normalise = Normaliser([0.0], [1.0], torch.device("cpu"))
    with pytest.raises(ConfigError, match=message):
        Augmenter(TrainingConfig.parse(given, "t"), 8, normalise, generator())


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


@pytest.mark.parametrize("flip", ["none", "random", "alternating"])
def test_augmenter_normalises_and_repeats_with_its_seed(flip: str) -> None:
    images = torch.randint(256, (4, 3, 16, 16), generator=generator(1), dtype=torch.uint8)
    normalise = Normaliser([0.1, 0.2, 0.3], [0.5, 1.0, 2.0], torch.device("cpu"))
    settings = TrainingConfig.model_validate({"flip": flip, "crop_padding": 0})
    places = torch.arange(4)
    batches = [Augmenter(settings, 16, normalise, generator(3))(images, places, 1) for _ in "ab"]
    assert torch.equal(*batches)
    plain = normalise(images)
    expected = (images[0, 1, 2, 3].item() / 255 - 0.2) / 1.0
    assert plain[0, 1, 2, 3].item() == pytest.approx(expected, abs=1e-6)
    assert torch.equal(batches[0], plain) is (flip == "none")


def test_default_padding_is_an_eighth_of_the_side() -> None:
    images = torch.full((64, 1, 32, 32), 255, dtype=torch.uint8)
    normalise = Normaliser([0.0], [1.0], torch.device("cpu"))
    augmenter = Augmenter(TrainingConfig(flip="none"), 32, normalise, generator())
    out = augmenter(images, torch.arange(64), 1)
    black_rows = (out[:, 0] == 0).all(2).sum(1)
    assert int(black_rows.max()) == 4
