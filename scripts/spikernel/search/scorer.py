"""SAHD of one architecture, under random numbers that all candidates share.

Every candidate sees the same mini-batches, the same dropout masks and, for the same
(cell, edge, operation), the same weights, so that two scores differ by the architecture
alone. Nets run in train mode (batch statistics), as in SNASNet.
"""

import torch
from torch import Tensor, nn

from spikernel.network.initialisation import WeightBank
from spikernel.network.neuron import NeuronLayer
from spikernel.network.spiking_net import build_net
from spikernel.search.sahd import Alpha, KernelSum
from spikernel.space.architecture import Architecture


class Scorer:
    """Scores architectures of one macro-structure, on normalised mini-batches [B, C, H, W]."""

    def __init__(
        self, batches: list[Tensor], alpha: Alpha, seed: int, device: torch.device
    ) -> None:
        self._batches = batches
        self._alpha = alpha
        self._seed = seed
        self._device = device
        self._bank: WeightBank = {}

    @torch.no_grad()
    def score(self, architecture: Architecture) -> float:
        """Return the mean over the mini-batches of log |det K|; it can be -inf."""
        net = build_net(architecture, self._seed, self._device, self._bank).train()
        kernels: list[KernelSum] = []

        def add(neuron: nn.Module, _: object, spikes: Tensor) -> None:
            assert isinstance(neuron, NeuronLayer)
            kernels[-1].add(neuron.unroll(spikes), neuron.calls)

        for layer in net.neurons():
            layer.register_forward_hook(add)
        for index, batch in enumerate(self._batches):
            generator = torch.Generator(self._device).manual_seed(self._seed + index)
            net.use(generator)
            kernels.append(KernelSum(self._alpha))
            net(batch)
        # One copy to the host per candidate.
        return float(torch.stack([kernel.log_determinant() for kernel in kernels]).mean())
