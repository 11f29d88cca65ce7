"""T belongs to a run: one net, with the same weights, at any number of time steps."""

import pytest
import torch

from spikernel.config import NetworkConfig
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell

FORWARD, FEEDBACK = "k3-avg-skip-k1-skip-k3", "k3-skip-k1-k3r-avgr-k1"


def net(archid: str, time_steps: int) -> SpikingNet:
    settings = NetworkConfig(
        time_steps=time_steps, channels=4, pool=2, hidden=6, stem_convolutions=2, residual=True
    )
    architecture = Architecture(Cell.from_archid(archid), settings, ImageShape(2, 8, 3))
    built = build_net(architecture, 0, torch.device("cpu")).eval()
    generator = torch.Generator().manual_seed(0)
    for module in built.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # so that neurons fire at every depth
            torch.nn.init.uniform_(module.bias, 0, 1.2, generator=generator)
    return built


@pytest.mark.parametrize("archid", [FORWARD, FEEDBACK])
def test_a_run_at_another_t_equals_the_net_that_was_built_for_it(archid: str) -> None:
    images = torch.randn(5, 2, 8, 8, generator=torch.Generator().manual_seed(0)).mul(3)
    three, five = net(archid, 3), net(archid, 5)
    assert torch.equal(three(images, 5), five(images))
    assert torch.equal(five(images, 3), three(images))
    assert three(images).shape == (3, 5, 3)
    assert three(images).std(0).min() > 0
    assert three(images, 1).shape == (1, 5, 3)


def test_the_first_steps_do_not_depend_on_how_many_follow() -> None:
    images = torch.randn(5, 2, 8, 8, generator=torch.Generator().manual_seed(0)).mul(3)
    built = net(FEEDBACK, 4)
    logits = built(images, 6)
    assert logits.std(0).min() > 0
    torch.testing.assert_close(built(images, 2), logits[:2])
