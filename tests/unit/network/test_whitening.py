"""The whitened stem: by hand, and what it makes of patches."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from toy import load

from spikernel.config import NetworkConfig
from spikernel.inference.normaliser import Normaliser
from spikernel.network import whitening
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.network.whitening import FLOOR, whiten
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.study.inputs import Machine
from spikernel.study.shapes import image_shape
from spikernel.study.training_run import make_net

CELL = Cell.from_archid("zero-zero-k3-zero-zero-zero")


def network(stem_channels: int) -> NetworkConfig:
    return NetworkConfig(
        macro="compact", channels=4, stages=1, stage_widths=None, stem_channels=stem_channels
    )


def whitened(images: Tensor, stem_channels: int) -> SpikingNet:
    shape = ImageShape(images.shape[1], images.shape[2], 3)
    architecture = Architecture(CELL, network(stem_channels), shape)
    net = build_net(architecture, 0, torch.device("cpu"))
    whiten(net, images, lambda some: some)
    return net


def test_trainings_start_from_the_components_of_their_images(digits_manifest: Path) -> None:
    train = load(digits_manifest)[0]
    network = NetworkConfig(
        macro="compact", channels=4, stages=1, stage_widths=None, stem_channels=6
    )
    cell = Cell.from_archid("zero-zero-k3-zero-zero-zero")
    architecture = Architecture(cell, network, image_shape(train.manifest))
    net = make_net(architecture, 0, train, Machine("cpu"))
    normalise = Normaliser(train.manifest.mean, train.manifest.sd, torch.device("cpu"))
    images = normalise(torch.from_numpy(np.array(train.images)))
    moments = F.conv2d(images, net.stem.conv.weight).square().mean((0, 2, 3))
    torch.testing.assert_close(moments, torch.ones(6), rtol=0, atol=5e-3)


def test_patches_in_parts_give_the_same_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.randn(40, 3, 10, 10, generator=torch.Generator().manual_seed(0))
    whole = whitened(images, 8).stem.conv.weight
    monkeypatch.setattr(whitening, "VALUES_AT_ONCE", 7 * 10 * 10 * 27)  # seven images
    torch.testing.assert_close(whitened(images, 8).stem.conv.weight, whole)


def test_patches_of_one_grey_level_by_hand() -> None:
    """Patches of nine equal values g: the one component is (1, ..., 1) / 3, of variance 9 g^2."""
    grey = torch.tensor([2.0, -2.0]).view(2, 1, 1, 1).expand(2, 1, 8, 8)
    weight = whitened(grey, stem_channels=2).stem.conv.weight
    expected = (1 / 3) / (36 + FLOOR) ** 0.5
    signs = weight.flatten(1).sign()
    assert torch.equal(signs[0], -signs[1])
    torch.testing.assert_close(weight.abs(), torch.full((2, 1, 3, 3), expected))
    # So the stem gives 9 * 2 / 18 = 1 in the middle of an image, and -1 on its negative.
    sums = F.conv2d(grey, weight).flatten(1).abs()
    torch.testing.assert_close(sums, torch.ones_like(sums), rtol=1e-4, atol=0)


@pytest.mark.parametrize("stem_channels", [8, 54])
def test_outputs_on_patches_are_white_and_come_with_their_negatives(stem_channels: int) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(40, 3, 10, 10, generator=generator)
    images = images + images.mean(1, keepdim=True) + F.avg_pool2d(images, 3, stride=1, padding=1)
    weight = whitened(images, stem_channels).stem.conv.weight.double()
    half = stem_channels // 2
    assert torch.equal(weight[half:], -weight[:half])
    outputs = F.conv2d(images.double(), weight[:half]).permute(1, 0, 2, 3).flatten(1)
    moments = outputs @ outputs.T / outputs.shape[1]
    torch.testing.assert_close(moments, torch.eye(half, dtype=torch.float64), rtol=0, atol=5e-3)
    # They are the components along which patches vary most: no other direction varies more.
    rest = F.unfold(images.double(), 3).transpose(1, 2).flatten(0, 1)
    directions = F.normalize(weight[:half].flatten(1))
    kept = (rest @ directions.T).square().mean(0)
    left = rest - rest @ directions.T @ directions
    most = torch.linalg.eigvalsh(left.T @ left / len(left))[-1]
    assert (kept.diff() <= 1e-9).all()
    assert most <= kept.min() + 1e-9
