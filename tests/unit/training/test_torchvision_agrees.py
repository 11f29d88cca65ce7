"""Crop, flip, erase, mixup and cutmix against torchvision's on the same parameters."""

import numpy as np
import pytest
import torch
from torchvision.transforms import v2 as V2

from spikernel.config import TrainingConfig
from spikernel.training.augment import random_crop, random_erase, random_flip
from spikernel.training.mixing import cutmix, mix

F = V2.functional


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 16) -> torch.Tensor:
    return torch.randint(1, 256, (count, 3, 32, 32), generator=generator(9), dtype=torch.uint8)


def test_crop_and_flip() -> None:
    batch = images()
    cropped = random_crop(batch, 4, generator())
    offsets = torch.randint(9, (2, 16, 1), generator=generator())
    flipped = random_flip(batch, generator())
    mirrored = torch.rand(16, 1, 1, 1, generator=generator()) < 0.5
    for index, image in enumerate(batch):
        top, left = int(offsets[0, index]), int(offsets[1, index])
        expected = F.crop(F.pad(image, [4, 4, 4, 4]), top, left, 32, 32)
        assert torch.equal(cropped[index], expected)
        expected = F.horizontal_flip(image) if mirrored[index] else image
        assert torch.equal(flipped[index], expected)


def test_erase() -> None:
    batch = images().float()
    erased = random_erase(batch, 0.7, generator())
    for before, after in zip(batch, erased, strict=True):
        blank = (after == 0).all(0)
        rows, columns = blank.any(1).nonzero().flatten(), blank.any(0).nonzero().flatten()
        if len(rows):
            top, left = int(rows[0]), int(columns[0])
            height, width = len(rows), len(columns)
            before = F.erase(before, top, left, height, width, torch.zeros(3, 1, 1))
        assert torch.equal(after, before)


@pytest.mark.parametrize("method", ["mixup", "cutmix"])
@pytest.mark.parametrize("seed", range(4))
def test_mixing_and_its_loss(method: str, seed: int) -> None:
    """torchvision's MixUp and CutMix, too, pair each image with the one before it."""
    batch, labels = torch.rand(8, 3, 32, 32, generator=generator(seed)), torch.arange(8)
    settings = TrainingConfig.model_validate({f"{method}_alpha": 1.0, "label_smoothing": 0.1})
    ours = mix(batch, labels, settings, np.random.default_rng(seed))
    share = ours.share
    if method == "mixup":
        theirs, parameters = V2.MixUp(num_classes=10), {"lam": share}
    else:
        source = np.random.default_rng(seed)
        source.random(), source.integers(1)  # as `mix` draws
        wanted = float(source.beta(1.0, 1.0))
        _, again = cutmix(batch, batch, wanted, source)
        assert again == share
        changed = (ours.images != batch).any(1).any(0)
        rows, columns = changed.any(1).nonzero().flatten(), changed.any(0).nonzero().flatten()
        box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        theirs, parameters = V2.CutMix(num_classes=10), {"box": box, "lam_adjusted": share}
        assert share == pytest.approx(1 - len(rows) * len(columns) / 32**2)
    parameters |= {"labels": labels, "batch_size": 8}
    torch.testing.assert_close(ours.images, theirs.transform(batch, parameters))
    targets = theirs.transform(labels, parameters)  # both labels, each by its share
    logits = torch.randn(3, 8, 10, generator=generator(seed))
    expected = torch.nn.functional.cross_entropy(logits.mean(0), targets, label_smoothing=0.1)
    loss = ours.weigh(
        lambda label: torch.nn.functional.cross_entropy(logits.mean(0), label, label_smoothing=0.1)
    )
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
