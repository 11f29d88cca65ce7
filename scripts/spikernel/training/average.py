"""Exponential moving average of a net's weights, which is evaluated instead of the last ones."""

import copy

import torch

from spikernel.network.spiking_net import SpikingNet


class MovingAverage:
    """average <- d average + (1 - d) weights after every step, with d growing to `decay`.

    In step n (from 0) d = min(decay, (1 + n) / (10 + n)), so that a short run is not judged by
    its initial weights. Running statistics of batch norm are averaged too.
    """

    def __init__(self, net: SpikingNet, decay: float) -> None:
        self.net = copy.deepcopy(net).requires_grad_(False)
        self._decay = decay
        self._averaged = self._floats(self.net)
        self._current = self._floats(net)

    @staticmethod
    def _floats(net: SpikingNet) -> list[torch.Tensor]:
        # Storage is shared with the net, whose optimiser and norms work in place.
        return [value for value in net.state_dict().values() if value.is_floating_point()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step `step` of the run, counted from 0."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._averaged, self._current, 1 - decay)
