"""Averages of a net's weights, which are evaluated and kept instead of the last ones."""

import copy
from typing import Protocol

import torch
from torch import Tensor

from spikernel.config import TrainingConfig
from spikernel.errors import ConfigError
from spikernel.network.spiking_net import SpikingNet

LOOKAHEAD_STEPS = 5
"""Steps of the fast weights between two of the slow ones, as in airbench94."""


class Average(Protocol):
    """An average of weights; running statistics of batch norm are averaged too."""

    net: SpikingNet

    def update(self, step: int) -> None:
        """Take in the weights after step `step` of the run, counted from 0."""
        ...


def make_average(net: SpikingNet, settings: TrainingConfig, steps: int) -> Average | None:
    """Return the average that a recipe asks for in a run of so many steps; None: none.

    Raises:
        ConfigError: the run is too short for lookahead, which would keep the initial weights.

    """
    if settings.lookahead:
        if steps < LOOKAHEAD_STEPS:
            raise ConfigError(
                f"training/lookahead: the run has {steps} steps, fewer than the "
                f"{LOOKAHEAD_STEPS} that are averaged: set it to false, lower batch_size or raise "
                "epochs"
            )
        return Lookahead(net, steps)
    return MovingAverage(net, settings.ema_decay) if settings.ema_decay > 0 else None


def _floats(net: SpikingNet) -> list[Tensor]:
    # Storage is shared with the net, whose optimiser and norms work in place.
    return [value for value in net.state_dict().values() if value.is_floating_point()]


class MovingAverage:
    """average <- d average + (1 - d) weights after every step, with d growing to `decay`.

    In step n (from 0) d = min(decay, (1 + n) / (10 + n)), so that a short run is not judged by
    its initial weights.
    """

    def __init__(self, net: SpikingNet, decay: float) -> None:
        self.net = copy.deepcopy(net).requires_grad_(False)
        self._decay = decay
        self._averaged = _floats(self.net)
        self._current = _floats(net)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step `step` of the run, counted from 0."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._averaged, self._current, 1 - decay)


class Lookahead:
    """Every 5 steps: slow <- d slow + (1 - d) weights, then weights <- slow.

    After n of N steps d = 0.95^5 (n / N)^3. Lookahead (Zhang et al., NeurIPS 2019) with the
    schedule of airbench94 (Jordan, 2024); after the last step only the slow weights count.
    """

    def __init__(self, net: SpikingNet, steps: int) -> None:
        self.net = copy.deepcopy(net).requires_grad_(False)
        self._steps = steps
        self._slow = _floats(self.net)
        self._fast = _floats(net)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step `step` of the run, counted from 0."""
        done = step + 1
        if done % LOOKAHEAD_STEPS == 0:
            decay = 0.95**LOOKAHEAD_STEPS * (done / self._steps) ** 3
            torch._foreach_lerp_(self._slow, self._fast, 1 - decay)
            torch._foreach_copy_(self._fast, self._slow)
