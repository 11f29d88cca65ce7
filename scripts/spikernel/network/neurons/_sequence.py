"""Neurons that integrate and fire, over a sequence, as one function with its own gradient.

The time steps pass over one block of images after another, see `_blocks`.

Shapes: T time steps, N batch.
"""

import math
from typing import Any

import torch
from torch import Tensor

from spikernel.network.dynamics import Reset
from spikernel.network.neurons._blocks import as_type, blocks, empty_sequence, exact_type


def _reset(charged: Tensor, fired: Tensor, threshold: float, reset: Reset, out: Tensor) -> Tensor:
    """Return the potential that a step leaves behind."""
    if reset == "zero":
        return torch.addcmul(charged, charged, fired, value=-1, out=out)
    return torch.add(charged, fired, alpha=-threshold, out=out)


class MembraneSequence(torch.autograd.Function):
    """`Dynamics` over [T, N, ...] on any device; keeps one potential per element for the gradient.

    The reset is detached: no gradient passes through whether a neuron fired.
    """

    @staticmethod
    def forward(
        context: Any,
        x: Tensor,
        rate: float | Tensor | None,
        threshold: float,
        reset: Reset,
        initial: float,
        alpha: float,
        time_steps: int,
    ) -> Tensor:
        """Return the spikes [T, N, ...].

        Args:
            context: of the function.
            x: real-valued input, [T, N, ...], or [1, N, ...] that is held for T steps.
            rate: 1 / tau, a number, or a scalar tensor that gets a gradient too; None: no leak.
            threshold: potential at which a neuron fires.
            reset: kind of reset.
            initial: potential at rest.
            alpha: steepness of the arctangent surrogate gradient.
            time_steps: T.

        """
        weight = float(rate.detach()) if isinstance(rate, Tensor) else rate
        exact = exact_type(x.dtype)
        held = len(x) < time_steps
        x = x.expand(time_steps, *x.shape[1:])
        kept = empty_sequence(x, exact) if any(context.needs_input_grad) else None
        result = empty_sequence(x)
        for block in blocks(x):
            inputs, spikes = x[:, block].unbind(), result[:, block].unbind()
            # Potential before and after the reset.
            charged, work = (torch.empty_like(inputs[0], dtype=exact) for _ in range(2))
            rest = torch.full_like(charged, initial)
            for t in range(len(inputs)):
                if kept is not None:
                    charged = kept[t, block]
                now = as_type(exact, inputs[t], work)
                if weight is None:
                    torch.add(rest, now, out=charged)
                else:
                    torch.lerp(rest, now, weight, out=charged)
                fired = torch.ge(charged, threshold, out=spikes[t] if x.dtype == exact else work)
                _reset(charged, fired, threshold, reset, rest)
                if fired is not spikes[t]:
                    spikes[t].copy_(fired)
        context.save_for_backward(kept)
        context.constants = (weight, threshold, reset, initial, alpha, x.dtype, held)
        return result

    @staticmethod
    def backward(context: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        """Gradient of the spikes [T, N, ...] to those of the input and of `rate`, by the surrogate.

        d spike / d v of ATan is alpha / 2 / (1 + (pi / 2 * alpha * (v - threshold))^2). That of an
        input that was held is summed over time here, block by block.
        """
        (potentials,) = context.saved_tensors
        rate, threshold, reset, initial, alpha, dtype, held = context.constants
        gain, keep = (1.0, 1.0) if rate is None else (rate, 1 - rate)
        exact = potentials.dtype
        of_rate = potentials.new_zeros(()) if context.needs_input_grad[1] else None
        steepness = (math.pi / 2 * alpha) ** 2
        result = empty_sequence(potentials[:1] if held else potentials, dtype)
        one = torch.ones((), dtype=exact, device=potentials.device)
        for block in blocks(potentials):
            sequences = potentials[:, block], gradients[0][:, block], result[:, block]
            charged, arriving, leaving = (sequence.unbind() for sequence in sequences)
            over, work, wide = (torch.empty_like(charged[0]) for _ in range(3))
            later = torch.zeros_like(over)  # what arrives through the next time step
            summed = torch.zeros_like(over) if held else None
            for t in range(len(charged) - 1, -1, -1):
                torch.sub(charged[t], threshold, out=over)
                torch.addcmul(one, over, over, value=steepness, out=work)
                if reset == "zero":  # after a spike a hard reset lets nothing through
                    later.mul_(torch.lt(over, 0, out=over))
                gradient = over if held or dtype != exact else leaving[t]
                arrived = as_type(exact, arriving[t], wide)
                torch.addcdiv(later, arrived, work, value=alpha / 2 * gain, out=gradient)
                if summed is not None:
                    summed.add_(gradient)
                elif gradient is over:
                    leaving[t].copy_(over)
                torch.mul(gradient, keep, out=later)
                if of_rate is not None:
                    # d charged / d rate = x - rest = (charged - rest) / rate, where `rest` is what
                    # the step before left behind.
                    if t > 0:
                        fired = torch.ge(charged[t - 1], threshold, out=wide)
                        rest = _reset(charged[t - 1], fired, threshold, reset, work)
                        change = torch.sub(charged[t], rest, out=work)
                    else:
                        change = torch.sub(charged[t], initial, out=work)
                    of_rate += (gradient * change).sum() / rate**2
            if summed is not None:
                leaving[0].copy_(summed)
        return result, of_rate, *(None,) * 5


def fire(charged: Tensor, threshold: float, alpha: float) -> Tensor:
    """Return the spikes of one time step whose potentials are charged already."""
    # Neurons without a leak, at rest at 0, are charged to just their input, and fire by it.
    spikes: Tensor = MembraneSequence.apply(charged, None, threshold, "zero", 0.0, alpha, 1)
    return spikes
