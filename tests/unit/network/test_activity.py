import pytest
import torch
from torch import nn

from spikernel.config import NetworkConfig
from spikernel.network.activity import measure_activity
from spikernel.network.energy import ENERGY
from spikernel.network.neurobench import neurobench_metrics
from spikernel.network.spiking_net import build_net
from spikernel.network.synapses import connections_used, dense_connections
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell


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
    # Horowitz 2014: fp32 3.7 + 0.9 and 0.9; fp16 1.1 + 0.4 and 0.4; int8 0.2 + int32 add 0.1.
    assert ENERGY["fp32"].total_pj(macs=2, acs=10) == pytest.approx(2 * 4.6 + 10 * 0.9)
    assert ENERGY["fp16"].total_pj(macs=2, acs=10) == pytest.approx(2 * 1.5 + 10 * 0.4)
    assert ENERGY["int8"].total_pj(macs=2, acs=10) == pytest.approx(2 * 0.3 + 10 * 0.1)


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(4, 6, 3, padding=1),
        nn.Conv2d(4, 8, (1, 5), stride=2, padding=(0, 2), groups=4),
        nn.Conv2d(4, 4, (7, 1), padding=(3, 0), groups=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2),
    ],
    ids=str,
)
def test_connections_of_every_kind_of_convolution(conv: nn.Conv2d) -> None:
    """A convolution whose weights are all one counts its active connections by itself."""
    generator = torch.Generator().manual_seed(1)
    nn.init.ones_(conv.weight)
    assert conv.bias is not None
    nn.init.zeros_(conv.bias)
    spikes = (torch.rand(3, 4, 9, 8, generator=generator) < 0.4).float()
    assert connections_used(conv, spikes) == conv(spikes).sum().double().round()
    ones = torch.ones_like(spikes)
    assert dense_connections(conv, spikes.shape) == conv(ones).sum().double().round()


def test_layers_by_hand() -> None:
    """2 channels, 4x4 images, 2 steps: every column of every layer of a small net."""
    settings = NetworkConfig(time_steps=2, channels=2, head="gap", votes=1)
    architecture = Architecture(
        Cell.from_archid("zero-zero-k1-zero-zero-zero"), settings, ImageShape(1, 4, 3)
    )
    net = build_net(architecture, 0, torch.device("cpu"))
    with torch.no_grad():
        net.stem.norm.bias.fill_(10.0)  # drives every neuron of the first cell at every step
    activity = measure_activity(net, [torch.randn(3, 1, 4, 4), torch.randn(2, 1, 4, 4)])
    layers = {layer.layer: layer for layer in activity.layers}
    stem = layers["stem.conv"]
    assert (stem.kind, stem.dense_ops, stem.macs, stem.acs) == ("conv", 200, 200, 0)
    assert stem.energy_pj == pytest.approx(200 * 4.6)
    assert stem.params == 2 * 9
    neurons = layers["cell1.neurons.0"]
    assert (neurons.kind, neurons.firing_rate) == ("lif", 1.0)
    assert (neurons.neurons, neurons.state_bytes, neurons.params) == (2 * 16, 4 * 32, 0)
    edge = layers["cell1.convolutions.03_k1.conv"]
    assert (edge.dense_ops, edge.acs, edge.macs) == (2 * 16 * 2 * 2, 128, 0)
    assert layers["head.outputs"].kind == "linear"
    assert layers["head.outputs"].params == 4 * 3 + 3
    # Neurons: cell 1 and transition 2 x 16, cell 2 and head 4 x 4.
    assert activity.neurons == 2 * 32 + 2 * 16
    assert activity.state_bytes == 4 * activity.neurons
    assert sum(layer.params for layer in activity.layers) == sum(
        parameter.numel() for parameter in net.parameters()
    )
    assert sum(layer.energy_pj for layer in activity.layers) == pytest.approx(activity.energy_pj())


def test_feedback_values_count_as_state() -> None:
    settings = NetworkConfig(time_steps=2, channels=2, head="gap", votes=1)
    cell = Cell.from_archid("k1-skip-k1-k1r-avgr-skip")  # feedback arrives at node 1, twice
    net = build_net(Architecture(cell, settings, ImageShape(1, 4, 3)), 0, torch.device("cpu"))
    activity = measure_activity(net, [torch.randn(1, 1, 4, 4)])
    layers = {layer.layer: layer for layer in activity.layers}
    assert (layers["cell1"].kind, layers["cell1"].state_bytes) == ("feedback", 2 * 16 * 4)
    assert layers["cell2"].state_bytes == 4 * 4 * 4


def test_neurobench_names() -> None:
    settings = NetworkConfig(time_steps=2, channels=2, head="gap", votes=1)
    cell = Cell.from_archid("zero-zero-k1-zero-zero-zero")
    net = build_net(Architecture(cell, settings, ImageShape(1, 4, 3)), 0, torch.device("cpu"))
    with torch.no_grad():
        net.stem.conv.weight[0, 0, 0, 0] = 0
    activity = measure_activity(net, [torch.randn(3, 1, 4, 4)])
    metrics = neurobench_metrics(net, activity, 75.0)
    # Weights: stem 18, edges 4 + 16, transition 72, outputs 12; one of them is zero.
    assert metrics["ConnectionSparsity"] == pytest.approx(1 / (18 + 4 + 16 + 72 + 12))
    assert metrics["ParameterCount"] == sum(p.numel() for p in net.parameters())
    assert metrics["ActivationSparsity"] == 1 - activity.firing_rate
    assert metrics["ClassificationAccuracy"] == 0.75
    assert metrics["SynapticOperations"] == {
        "Effective_MACs": activity.effective_macs,
        "Effective_ACs": activity.effective_acs,
        "Dense": activity.dense_synops,
    }


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
