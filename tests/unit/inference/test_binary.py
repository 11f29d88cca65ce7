import torch

from spikernel.config import NetworkConfig
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, binary_accuracy_percent
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell

SHAPE = ImageShape(1, 8, 10)
CELL = Cell.from_archid("k3-zero-skip-zero-k3-zero")
NORMALISE = Normaliser([0.5], [0.25], torch.device("cpu"))


def net_of(**settings: object) -> SpikingNet:
    network = NetworkConfig.parse({"channels": 4, "pool": 2, "hidden": 16, **settings}, "n")
    return build_net(Architecture(CELL, network, SHAPE), 0, torch.device("cpu"))


def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(256, (300, 1, 8, 8), dtype=torch.uint8, generator=generator)


def test_binary_spikes_of_integer_neurons_predict_what_one_pass_does() -> None:
    net = net_of(neuron="integer", time_steps=1, levels=3)
    assert net.binary_steps == 3
    labels = net.eval()(NORMALISE(images())).mean(0).argmax(1)
    assert accuracy_percent(net, images(), labels, NORMALISE) == 100
    # Sums in another order may round a logit across another one, on no more than an image or two.
    assert binary_accuracy_percent(net, images(), labels, NORMALISE) >= 99


def test_neurons_that_are_binary_already_are_run_as_they_are() -> None:
    net = net_of(time_steps=3)
    assert net.binary_steps == 3
    labels = net.eval()(NORMALISE(images())).mean(0).argmax(1)
    assert binary_accuracy_percent(net, images(), labels, NORMALISE) == 100
