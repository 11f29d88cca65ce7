import pytest
import torch
from torch import nn

from spikernel.config import NetworkConfig
from spikernel.network import build_net, measure_activity
from spikernel.network.activity import AC_PJ, MAC_PJ, Activity, connections_used
from spikernel.space import Architecture, Cell, ImageShape


def test_connections_of_a_convolution_by_hand() -> None:
    # 3x3 image, 3x3 kernel, padding 1: the centre lies in 9 windows, a corner in 4.
    spikes = torch.zeros(1, 1, 3, 3)
    spikes[0, 0, 1, 1] = 1
    spikes[0, 0, 0, 0] = 1
    conv = nn.Conv2d(1, 2, 3, padding=1, bias=False)
    assert connections_used(conv, spikes) == (9 + 4) * 2
    # All nine pixels: 4 corners x 4 + 4 edges x 6 + 1 centre x 9 = 49 windows.
    assert connections_used(conv, torch.ones(1, 1, 3, 3)) == 49 * 2
    assert connections_used(nn.Linear(5, 7), torch.tensor([[1.0, 0, 0.5, 0, 0]])) == 2 * 7


def test_connections_equal_counting_with_unit_weights() -> None:
    generator = torch.Generator().manual_seed(0)
    for kernel, stride in ((1, 1), (3, 2), (5, 1), (7, 2)):
        conv = nn.Conv2d(3, 4, kernel, stride=stride, padding=kernel // 2, bias=False)
        nn.init.ones_(conv.weight)
        spikes = (torch.rand(2, 3, 9, 9, generator=generator) < 0.3).float()
        assert connections_used(conv, spikes) == conv(spikes).sum().double().round()


def test_whole_net_by_hand() -> None:
    """A net whose only convolutions are stem and transition, on images that leave it silent."""
    settings = NetworkConfig(time_steps=2, channels=2, head="gap", votes=1)
    cell = Cell.from_archid("zero-zero-skip-zero-zero-zero")
    net = build_net(Architecture(cell, settings, ImageShape(1, 4, 3)), 0, torch.device("cpu"))
    activity = measure_activity(net, [torch.full((2, 1, 4, 4), 0.001)])
    # 4x4 image, 3x3 kernel: 4 corners x 4 + 8 edges x 6 + 4 inner x 9 = 100 windows.
    assert activity.effective_macs == 100 * 2  # stem, once per image, every input nonzero
    assert activity.effective_acs == 0
    assert activity.firing_rate == 0
    # Dense: stem 200; transition 2 inputs x 100 windows x 4 outputs x 2 steps; linear 4 x 3 x 2.
    assert activity.dense_synops == 200 + 1600 + 24
    assert set(activity.layer_rates) == {"transition.neuron", "head.neuron"}


def test_spikes_count_as_accumulates_and_fractions_as_macs() -> None:
    settings = NetworkConfig(time_steps=2, channels=2, head="gap", votes=1)
    cell = Cell.from_archid("zero-zero-k1-zero-zero-zero")
    net = build_net(Architecture(cell, settings, ImageShape(1, 4, 3)), 0, torch.device("cpu"))
    with torch.no_grad():
        net.stem.norm.bias.fill_(10.0)  # drives every neuron of the first cell at every step
    activity = measure_activity(net, [torch.randn(3, 1, 4, 4)])
    assert activity.layer_rates["cell1.neurons.0"] == 1.0
    first_cell = 2 * 16 * 2 * 2  # 2 inputs x 16 pixels x 2 outputs x 2 steps, all binary
    assert activity.effective_acs >= first_cell
    assert activity.effective_macs >= 200  # the stem, and the pooled inputs of the classifier


def test_energy_follows_the_45_nm_convention() -> None:
    activity = Activity(0.1, effective_acs=10, effective_macs=2, dense_synops=50, layer_rates={})
    assert activity.energy_pj == pytest.approx(10 * 0.9 + 2 * 4.6)
    assert (AC_PJ, MAC_PJ) == (0.9, 4.6)


def test_counting_needs_images_and_leaves_the_net_as_it_was() -> None:
    settings = NetworkConfig(time_steps=2, channels=2, head="gap", votes=1)
    cell = Cell.from_archid("zero-zero-k3-zero-zero-zero")
    net = build_net(Architecture(cell, settings, ImageShape(1, 4, 3)), 0, torch.device("cpu"))
    net.train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    measure_activity(net, [torch.randn(2, 1, 4, 4)])
    assert net.training
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    with pytest.raises(ValueError, match="at least one image"):
        measure_activity(net, [])
