"""Neurons without memory that fire up to D spikes at once, as one integer level.

In one pass: y = round(clip(x / range, 0, 1) D) / D, ties to even, with a straight-through gradient
inside the clip. Trained so, a net runs as a binary spiking net of D steps per layer: level k is k
spikes, in the first k of D steps (thermometer code), whose mean is y. See
`spikernel.network.unrolled`. This is the integer training and spike-driven inference of
SpikeYOLO (Luo et al., ECCV 2024) and of Yao et al. (TPAMI 2025, arXiv 2411.16061), here without a
potential that is carried on, since images are presented once.

`range` is `level_range` times the threshold, so that a convolution's own threshold scales it.
"""

from typing import Any

import torch
from torch import Tensor

from spikernel.config import NetworkConfig
from spikernel.network.dynamics import Levels
from spikernel.network.neuron import NeuronLayer
from spikernel.network.neurons._blocks import as_type, blocks, empty_sequence, exact_type

TIME_STEPS = 1


class LevelFunction(torch.autograd.Function):
    """Levels of [T, N, ...]; keeps one byte per element for the gradient."""

    @staticmethod
    def forward(context: Any, x: Tensor, reach: float, levels: int) -> Tensor:
        """Return the levels of `Levels`, between 0 and 1, for a range called `reach` here."""
        exact = exact_type(x.dtype)
        result = empty_sequence(x)
        inside = empty_sequence(x, torch.bool) if context.needs_input_grad[0] else None
        for block in blocks(x):
            found = result[:, block]
            work = torch.empty_like(found, dtype=exact)
            target = found if x.dtype == exact else torch.empty_like(work)
            torch.mul(as_type(exact, x[:, block], work), levels / reach, out=work)
            torch.clamp(work, 0, levels, out=target)
            if inside is not None:
                torch.eq(work, target, out=inside[:, block])
            target.round_().div_(levels)
            if target is not found:
                found.copy_(target)
        context.save_for_backward(inside)
        context.reach = reach
        return result

    @staticmethod
    def backward(context: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        """1 / range inside the clip, its ends included, 0 outside."""
        (inside,) = context.saved_tensors
        result = empty_sequence(gradients[0])
        for block in blocks(result):
            torch.mul(gradients[0][:, block], inside[:, block], out=result[:, block])
            result[:, block].mul_(1 / context.reach)
        return result, None, None


class Neuron(NeuronLayer):
    """Neurons with D + 1 levels.

    Attributes:
        levels: D.
        level_range: input, in units of the threshold, from which on they give all their levels.

    """

    states = 0

    def __init__(
        self, settings: NetworkConfig, calls: int = 1, threshold: float | None = None
    ) -> None:
        super().__init__(settings, calls, threshold)
        self.levels = settings.levels
        self.level_range = settings.level_range

    @property
    def range(self) -> float:
        """Input from which on they give all their levels."""
        return self.level_range * self.threshold

    def dynamics(self) -> Levels:
        """Return the rule, the same at every time step."""
        return Levels(neuron=self.model, levels=self.levels, range=float(self.range))

    def sequence(self, x: Tensor, time_steps: int) -> Tensor:
        """Return the levels [T, N, ...]: real values in {0, 1/D, ..., 1}."""
        found: Tensor = LevelFunction.apply(x, self.range, self.levels)
        return found.expand(time_steps, *found.shape[1:])

    def unroll(self, spikes: Tensor) -> Tensor:
        """Return the binary spikes [D, N, ...] of levels [1, N, ...], whose mean they are."""
        # Half a level keeps away from rounding.
        steps = torch.arange(self.levels, device=spikes.device, dtype=spikes.dtype) + 0.5
        places = steps.view(-1, *(1,) * (spikes.dim() - 1))
        return (spikes * self.levels > places).to(spikes.dtype)

    def extra_repr(self) -> str:
        """Show the constants when the net is printed."""
        return f"levels={self.levels}, range={self.range:g}, calls={self.calls}"
