"""Our operation counts against those of two well-known tools, on the same net and images."""

from typing import Any

import pytest
import torch

from spikernel.config import NetworkConfig
from spikernel.network.activity import measure_activity
from spikernel.network.neurobench import neurobench_metrics
from spikernel.network.neurons import lif
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.network.unrolled import unrolled
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell

SMALL: dict[str, Any] = {"time_steps": 3, "channels": 3, "pool": 2, "hidden": 6, "votes": 2}
MODERN: dict[str, Any] = {"macro": "modern", "time_steps": 3, "channels": 4, "stages": 2}
NETS = [
    pytest.param("k3-zero-skip-k1-avg-k3", SMALL, id="forward"),
    pytest.param("k3-skip-k1-k3r-avgr-k1", SMALL, id="feedback"),
    pytest.param("d7-skip-k1-f5-avg-k3", SMALL, id="two factors"),
    pytest.param("k3-skip-skip-d5-avg-f3", MODERN, id="modern"),
    pytest.param("k3-zero-k3-d5-avg-f3", MODERN | {"downsampling": "stride"}, id="strided"),
]

INTEGER = pytest.param(
    "k3-zero-skip-k1-avg-d3", SMALL | {"neuron": "integer", "time_steps": 1}, id="integer"
)


def net_and_images(archid: str, settings: dict[str, Any]) -> tuple[SpikingNet, torch.Tensor]:
    cell = Cell.from_archid(archid)
    architecture = Architecture(cell, NetworkConfig(**settings), ImageShape(1, 8, 4))
    net = build_net(architecture, 0, torch.device("cpu")).eval()
    return net, torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("archid", "settings"), [*NETS, INTEGER])
def test_spikingjelly_counts_the_same_accumulates(archid: str, settings: dict[str, Any]) -> None:
    from spikingjelly.activation_based.op_counter import DispatchCounterMode, SynOpCounter

    net, images = net_and_images(archid, settings)
    activity = measure_activity(net, [images])
    counter = SynOpCounter()
    with torch.no_grad(), unrolled(net) as steps, DispatchCounterMode([counter]):
        net(images, steps)
    assert activity.effective_acs > 0
    assert counter.get_total() == activity.effective_acs * len(images)


@pytest.mark.parametrize(("archid", "settings"), NETS)
def test_neurobench_measures_the_same(archid: str, settings: dict[str, Any]) -> None:
    """Run by `make test-neurobench`: neurobench and snntorch are not among our dependencies."""
    pytest.importorskip("snntorch")
    pytest.importorskip("neurobench")
    from neurobench.metrics.static import ConnectionSparsity, Footprint, ParameterCount
    from neurobench.metrics.workload import ActivationSparsity, SynapticOperations
    from neurobench.models import TorchModel

    net, images = net_and_images(archid, settings)
    ours = neurobench_metrics(net, measure_activity(net, [images]), 50.0)
    model = TorchModel(net)
    model.add_activation_module(lif.Neuron)
    model.register_hooks()
    with torch.no_grad():
        predictions = model(images)
    data = (images, torch.zeros(len(images)))
    assert Footprint()(model) == ours["Footprint"]
    assert ParameterCount()(model) == ours["ParameterCount"]
    assert ConnectionSparsity()(model) == round(ours["ConnectionSparsity"], 4)
    assert ActivationSparsity()(model, predictions, data) == pytest.approx(
        ours["ActivationSparsity"], rel=1e-6
    )
    theirs = SynapticOperations()(model, predictions, data)
    assert theirs == pytest.approx(ours["SynapticOperations"], rel=1e-6)
