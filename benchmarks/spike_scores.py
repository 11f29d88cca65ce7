"""Training-free scores of a net's spikes that are compared with ours, but that no search uses."""

from collections.abc import Callable

import torch
from torch import Tensor

from spikernel.network.initialisation import WeightBank
from spikernel.network.neuron import NeuronLayer
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture


class SpikeScore:
    """A score of the spikes [T, B, ...] of all LIF layers, each with its number of calls."""

    def __init__(
        self,
        batch: Tensor,
        function: Callable[[list[tuple[Tensor, int]]], float],
        seed: int,
        device: torch.device,
    ) -> None:
        self._batch = batch
        self._function = function
        self._seed = seed
        self._device = device
        self._bank: WeightBank = {}

    @torch.no_grad()
    def __call__(self, architecture: Architecture) -> float:
        """Score one architecture with shared seeded weights, in train mode as SAHD."""
        net = build_net(architecture, self._seed, self._device, self._bank).train()
        spikes: list[tuple[Tensor, int]] = []

        def keep(module: torch.nn.Module, _: object, output: Tensor) -> None:
            assert isinstance(module, NeuronLayer)
            spikes.append((output, module.calls))

        for neuron in net.neurons():
            neuron.register_forward_hook(keep)
        net.use(torch.Generator(self._device).manual_seed(self._seed))
        net(self._batch)
        return self._function(spikes)


def hamming(layers: list[tuple[Tensor, int]]) -> float:
    """Return log |det K|, K_ij = N - HD_ij summed (Mellor et al., ICML 2021, on spikes)."""
    kernel: Tensor | float = 0.0
    for spikes, calls in layers:
        codes = spikes.flatten(2)
        silent = 1 - codes
        equal = torch.bmm(codes, codes.transpose(1, 2)) + torch.bmm(silent, silent.transpose(1, 2))
        kernel = kernel + calls * equal.double().sum(0)
    assert isinstance(kernel, Tensor)
    return float(torch.linalg.slogdet(kernel).logabsdet)


def code_rank(layers: list[tuple[Tensor, int]]) -> float:
    """Return the effective rank (Roy and Vetterli, EUSIPCO 2007) of each layer's rates, summed.

    exp of the entropy of the spectrum of the centred Gram matrix of the B rate vectors: in how
    many directions the images differ after that layer.
    """
    total = 0.0
    for spikes, calls in layers:
        rates = spikes.mean(0).flatten(1).double()
        centred = rates - rates.mean(0)
        spectrum = torch.linalg.eigvalsh(centred @ centred.T).clamp_min(0)
        if spectrum.sum() > 0:
            shares = spectrum / spectrum.sum()
            total += calls * float(torch.special.entr(shares).sum().exp())
    return total


def label_alignment(labels: Tensor) -> Callable[[list[tuple[Tensor, int]]], float]:
    """Return a score: how far images of one class have like rates, and of others unlike ones.

    The centred alignment (Cortes et al., JMLR 2012) of the Gram matrix of each layer's rates with
    that of the classes, from -1 to 1, averaged over layers, each as often as it is called.

    Args:
        labels: [B], of the images.

    """
    classes = _centred(torch.nn.functional.one_hot(labels).double())

    def score(layers: list[tuple[Tensor, int]]) -> float:
        weighted = calls = 0.0
        for spikes, count in layers:
            rates = _centred(spikes.mean(0).flatten(1).double())
            size = float(rates.norm() * classes.norm())
            weighted += count * float((rates * classes).sum()) / size if size > 0 else 0.0
            calls += count
        return weighted / calls

    return score


def _centred(features: Tensor) -> Tensor:
    """Return the Gram matrix [B, B] of features [B, D] less their mean."""
    centred = features - features.mean(0)
    return centred @ centred.T
