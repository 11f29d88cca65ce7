"""Score of one architecture, under random numbers that all candidates share.

Every candidate sees the same mini-batches, the same dropout masks and, for the same
(cell, edge, operation), the same weights, so that two scores differ by the architecture
alone. Nets run in train mode (batch statistics), as in SNASNet.
"""

import numpy as np
import torch
from torch import Tensor

from spikernel.config import SearchConfig
from spikernel.data.splits import Split
from spikernel.errors import ConfigError
from spikernel.inference.normaliser import Normaliser
from spikernel.network.initialisation import WeightBank
from spikernel.network.neuron import NeuronLayer
from spikernel.network.spiking_net import build_net
from spikernel.search.sahd import KernelSum
from spikernel.space.architecture import Architecture


def draw_batches(split: Split, settings: SearchConfig, device: torch.device) -> list[Tensor]:
    """Draw the mini-batches [B, C, H, W] of a search, without repetition, normalised.

    Raises:
        ConfigError: the split has fewer images than the batches need.

    """
    wanted = settings.batch_size * settings.batches
    if wanted > len(split.labels):
        raise ConfigError(
            f"nas_search needs batch_size x batches = {wanted} training images, but there are "
            f"{len(split.labels)}: lower one of the two"
        )
    order = np.random.default_rng(settings.seed).permutation(len(split.labels))[:wanted]
    images = torch.from_numpy(np.ascontiguousarray(split.images[order])).to(device)
    normalise = Normaliser(split.manifest.mean, split.manifest.sd, device)
    return list(normalise(images).split(settings.batch_size))


class Scorer:
    """Scores architectures of one macro-structure."""

    def __init__(self, batches: list[Tensor], score: str, seed: int, device: torch.device) -> None:
        self._batches = batches
        self._score = score
        self._seed = seed
        self._device = device
        self._bank: WeightBank = {}

    @torch.no_grad()
    def score(self, architecture: Architecture) -> float:
        """Return the mean over the mini-batches of log |det K|; it can be -inf."""
        net = build_net(architecture, self._seed, self._device, self._bank).train()
        kernels: list[KernelSum] = []
        for neuron in net.neurons():
            neuron.register_forward_hook(
                lambda module, _, spikes: kernels[-1].add(spikes, _calls(module))
            )
        for index, batch in enumerate(self._batches):
            generator = torch.Generator(self._device).manual_seed(self._seed + index)
            for dropout in net.dropouts():
                dropout.generator = generator
            kernels.append(KernelSum(self._score))
            net(batch)
        # One copy to the host per candidate.
        return float(torch.stack([kernel.log_determinant() for kernel in kernels]).mean())


def _calls(module: torch.nn.Module) -> int:
    assert isinstance(module, NeuronLayer)
    return module.calls
