import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from spikernel.config import TrainingConfig
from spikernel.data.manifest import Manifest
from spikernel.training.mixing import MixedBatch, cutmix, mix, mixup
from spikernel.training.objective import make_objective


def config(**changes: object) -> TrainingConfig:
    return TrainingConfig.model_validate(changes)


# T = 2, N = 1, K = 2: logits (0, 0) and (2, 0), label 0.
LOGITS = torch.tensor([[[0.0, 0.0]], [[2.0, 0.0]]])
LABEL = torch.tensor([0])


def loss(logits: torch.Tensor, batch: MixedBatch, **changes: object) -> torch.Tensor:
    manifest = Manifest.model_construct()  # these objectives do not look at the data set
    return make_objective(config(**changes), manifest, torch.device("cpu"))(logits, batch)


def of_label(**changes: object) -> float:
    return loss(LOGITS, MixedBatch(torch.empty(0), LABEL, LABEL, 1.0), **changes).item()


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def test_mean_and_tet_by_hand() -> None:
    # Cross-entropy of two classes is log(1 + exp(wrong - right)).
    assert of_label(objective="mean") == pytest.approx(softplus(-1))
    assert of_label(objective="tet") == pytest.approx((softplus(0) + softplus(-2)) / 2)


def test_label_smoothing_by_hand() -> None:
    # Target (0.9, 0.1) for smoothing 0.2 of two classes.
    expected = 0.9 * softplus(-1) + 0.1 * softplus(1)
    assert of_label(objective="mean", label_smoothing=0.2) == pytest.approx(expected)


def test_mixed_loss_weighs_both_labels() -> None:
    batch = MixedBatch(torch.empty(0), LABEL, 1 - LABEL, 0.75)
    expected = 0.75 * softplus(-1) + 0.25 * softplus(1)
    assert loss(LOGITS, batch).item() == pytest.approx(expected)
    on_device = replace(batch, share=torch.tensor(0.75))
    assert loss(LOGITS, on_device).item() == pytest.approx(expected)


def test_objectives_have_the_gradient_of_their_differences() -> None:
    logits = torch.randn(3, 4, 5, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 4, 2, 2])
    batch = MixedBatch(torch.empty(0), labels, labels.flip(0), 0.3)
    for name in ("mean", "tet"):
        changes = {"objective": name, "label_smoothing": 0.1}
        assert torch.autograd.gradcheck(lambda x, c=changes: loss(x, batch, **c), (logits,))


def test_mixup_and_cutmix_share() -> None:
    ones, zeros = torch.ones(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)
    generator = np.random.default_rng(0)
    mixed, share = mixup(ones, zeros, 0.3, generator)
    assert share == 0.3
    torch.testing.assert_close(mixed, torch.full_like(ones, 0.3))
    for _ in range(20):
        pasted, share = cutmix(ones, zeros, 0.6, generator)
        assert pasted.mean().item() == pytest.approx(share)
        assert 0.6 - 1e-9 <= share <= 1


def test_mixing_is_off_seeded_or_sometimes() -> None:
    images, labels = torch.randn(6, 1, 4, 4), torch.arange(6)
    off = mix(images, labels, config(), np.random.default_rng(0))
    assert off.images is images
    assert off.share == 1
    both = config(mixup_alpha=1.0, cutmix_alpha=1.0, mix_probability=0.5)
    first = [mix(images, labels, both, np.random.default_rng(seed)) for seed in range(40)]
    again = [mix(images, labels, both, np.random.default_rng(seed)) for seed in range(40)]
    assert all(torch.equal(a.images, b.images) for a, b in zip(first, again, strict=True))
    mixed = sum(batch.images is not images for batch in first)
    assert 10 <= mixed <= 30
