"""Scores that no search uses, on nets whose values can be worked out, and their labels."""

import math
from pathlib import Path

import pytest
import torch
from gradient_scores import GradientScore, gradient_norm, jacobian_covariance, synaptic_flow
from score_values import labels_of, scorers
from spike_scores import code_rank, hamming, label_alignment

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.data.splits import load_split
from spikernel.inference.normaliser import Normaliser
from spikernel.network.spiking_net import build_net
from spikernel.search.batches import draw_batches
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell

NETWORK = NetworkConfig(macro="compact", channels=4, stages=2, stage_widths=(1, 2), stem_channels=6)
CPU = torch.device("cpu")


def architecture(archid: str) -> Architecture:
    return Architecture(Cell.from_archid(archid), NETWORK, ImageShape(1, 8, 10))


def test_label_alignment_by_hand() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    by_class = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])[None]
    across = torch.tensor([[1.0], [0.0], [1.0], [0.0]])[None]
    score = label_alignment(labels)
    assert score([(by_class, 1)]) == pytest.approx(1.0)
    assert score([(across, 1)]) == pytest.approx(0.0)
    assert score([(by_class, 1), (across, 3)]) == pytest.approx(1 / 4)
    assert score([(torch.zeros(1, 4, 2), 1)]) == 0.0  # silent


def test_synaptic_flow_counts_every_layer_once() -> None:
    # In a chain every layer's sum of w dR/dw is R itself, so the score is log(layers x R).
    net = build_net(architecture("zero-zero-k3-zero-zero-zero"), 0, CPU)
    score = synaptic_flow(net, torch.zeros(1, 1, 8, 8), torch.zeros(1))
    with torch.no_grad():
        flow = float(net(torch.ones(1, 1, 8, 8, dtype=torch.float64)).sum())
    layers = 6  # stem, two transitions, two cells, head
    assert score == pytest.approx(math.log(layers * flow))


def test_scores_are_of_shared_weights_and_the_images(digits_manifest: Path) -> None:
    split = load_split(digits_manifest, "train")
    settings = SearchConfig(batch_size=16, batches=1, seed=3)
    batches, labels = draw_batches(split, settings, CPU), labels_of(split, settings, CPU)
    normalise = Normaliser(split.manifest.mean, split.manifest.sd, CPU)
    for image, label in zip(batches[0], labels.tolist(), strict=True):
        same = (normalise(torch.from_numpy(split.images.copy())) == image).flatten(1).all(1)
        assert label in split.labels[same.numpy()]
    net = architecture("k3-zero-skip-k3-zero-k1")
    for name, make in scorers(settings, batches, labels, CPU).items():
        score = make()
        first = score(net)
        score(architecture("k3-k5-skip-k3-zero-k1"))  # changes no weight of the other
        assert score(net) == first, name
        assert math.isfinite(first), name


def test_gradients_of_other_labels_and_of_equal_images() -> None:
    images, labels = torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 3])
    net = architecture("zero-zero-k3-zero-zero-zero")
    norm = GradientScore(gradient_norm, images, labels, 0, CPU)(net)
    other = GradientScore(gradient_norm, images, labels.flip(0), 0, CPU)(net)
    assert norm != other
    # Equal images have equal gradients: one eigenvalue is 4, the others are 0 + 1e-5.
    equal = images[:1].expand(4, -1, -1, -1)
    value = GradientScore(jacobian_covariance, equal, labels, 0, CPU)(net)
    assert value == pytest.approx(-3 * (math.log(1e-5) + 1e5) - math.log(4) - 1 / 4, rel=1e-3)


def test_scores_of_codes_by_hand() -> None:
    codes = torch.tensor([[[1.0, 0, 1], [1, 1, 0]]])  # T = 1, two images, three neurons
    # The images agree with themselves in 3 neurons and with each other in 1; the layer is called
    # twice: 2 [[3, 1], [1, 3]], whose determinant is 32.
    assert hamming([(codes, 2)]) == pytest.approx(math.log(32))
    # Two images differ in one direction.
    assert code_rank([(codes, 2)]) == pytest.approx(2)
    assert code_rank([(codes[:, :1].expand(1, 2, 3), 2)]) == 0
