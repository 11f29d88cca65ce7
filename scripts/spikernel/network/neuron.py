"""Leaky integrate-and-fire neurons over whole sequences.

At every time step: v <- v + (x - v) / tau; spike where v >= threshold; hard reset to 0, with
the reset detached from the graph; arctangent surrogate gradient. These are SNASNet's neurons
(Kim et al., ECCV 2022), and SpikingJelly's `LIFNode(tau, decay_input=True, v_reset=0.)`, or its
`ParametricLIFNode` where tau is learned.

A call starts from v = 0 and leaves no state behind, so no sequence can leak into the next.
On a GPU the sequence runs in SpikingJelly's fused kernel; on the CPU in the function below,
which the tests hold equal to SpikingJelly's and which is about twice as fast.
"""

import logging
import math
from typing import Any

import torch
from torch import Tensor, nn

from spikernel.config import NetworkConfig


def _empty_sequence(x: Tensor) -> Tensor:
    """Return memory for [T, ...] in which every time step has the layout of x[0].

    `empty_like` does not keep channels-last for an input that is the same at every time step.
    """
    step = torch.empty_like(x[0])
    strides = (step.numel(), *step.stride())
    return torch.empty_strided(x.shape, strides, dtype=x.dtype, device=x.device)


class LIFSequence(torch.autograd.Function):
    """LIF over [T, ...] on any device; keeps one potential per element for the gradient.

    `rate` is 1 / tau: a number, or a scalar tensor that gets a gradient too.
    """

    @staticmethod
    def forward(
        context: Any, x: Tensor, rate: float | Tensor, threshold: float, alpha: float
    ) -> Tensor:
        """[T, ...] real-valued input to [T, ...] spikes."""
        potentials, spikes = _empty_sequence(x), _empty_sequence(x)
        v = torch.zeros_like(spikes[0])
        weight = float(rate.detach()) if isinstance(rate, Tensor) else rate
        for t in range(x.shape[0]):
            charged = torch.lerp(v, x[t], weight, out=potentials[t])
            fired = charged >= threshold
            spikes[t] = fired
            # Not masked_fill, which would lose the channels-last layout.
            v = torch.where(fired, 0.0, charged)
        context.save_for_backward(potentials)
        context.constants = (weight, threshold, alpha)
        return spikes

    @staticmethod
    def backward(context: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        """Gradients of the spikes [T, ...] to the input and to `rate`, by the surrogate."""
        (potentials,) = context.saved_tensors
        rate, threshold, alpha = context.constants
        over = potentials - threshold
        # d spike / d v of ATan: alpha / 2 / (1 + (pi / 2 * alpha * (v - threshold))^2)
        slope = (over * (math.pi / 2 * alpha)).square_().add_(1).reciprocal_().mul_(alpha / 2)
        slope.mul_(gradients[0])
        result = _empty_sequence(slope)
        later = torch.zeros_like(slope[0])  # gradient that arrives through the next time step
        exact = torch.promote_types(slope.dtype, torch.float32)
        of_rate = slope.new_zeros((), dtype=exact) if context.needs_input_grad[1] else None
        for t in range(slope.shape[0] - 1, -1, -1):
            at_charge = later.mul_(over[t] < 0).add_(slope[t])
            torch.mul(at_charge, rate, out=result[t])
            if of_rate is not None:
                # d charged / d rate = x - v = (charged - v) / rate, v being what the step before
                # left behind: its potential, or 0 where it fired.
                charge = potentials[t]
                if t > 0:
                    charge = charge - potentials[t - 1] * (over[t - 1] < 0)
                of_rate += (at_charge * charge).sum(dtype=exact) / rate
            later = at_charge.mul_(1 - rate)
        return result, of_rate, None, None


class LIF(nn.Module):
    """LIF neurons: [T, N, ...] real-valued input to [T, N, ...] spikes in {0, 1}.

    Where tau is learned there is one per layer, tau = 1 / sigmoid(w), which keeps it above 1
    (PLIF: Fang et al., ICCV 2021).

    Attributes:
        calls: how many LIF layers of the published network this one stands for. A node's
            spikes are computed once although each convolution edge that leaves the node has
            its own LIF there, all of which fire alike.
        w: the parameter of tau; None where tau is fixed.

    """

    w: nn.Parameter | None

    def __init__(self, settings: NetworkConfig, calls: int = 1) -> None:
        super().__init__()
        self.initial_tau = settings.tau
        self.threshold = settings.threshold
        self.alpha = settings.surrogate_alpha
        self.calls = calls
        self.w = nn.Parameter(torch.empty(())) if settings.learnable_tau else None
        self.reset_parameters()
        self._fused: Any = None

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Let tau start from the configured value."""
        if self.w is not None:
            self.w.fill_(-math.log(self.initial_tau - 1))

    @property
    def tau(self) -> float:
        """Membrane time constant in time steps."""
        return self.initial_tau if self.w is None else 1 / float(self.w.detach().sigmoid())

    @property
    def rate(self) -> float | Tensor:
        """1 / tau, a scalar tensor where it is learned."""
        return 1 / self.initial_tau if self.w is None else self.w.sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Return the spikes of a sequence that starts from rest."""
        if x.is_cuda:
            return self._forward_fused(x)
        spikes: Tensor = LIFSequence.apply(x, self.rate, self.threshold, self.alpha)
        return spikes

    def _forward_fused(self, x: Tensor) -> Tensor:
        if self._fused is None:
            # Past nn.Module's registration: a submodule would change the names in state.
            fused = spikingjelly_lif(
                self.initial_tau, self.threshold, self.alpha, self.w is not None
            )
            object.__setattr__(self, "_fused", fused)
        if self.w is not None:
            self._fused.w = self.w  # the very parameter, not a copy
        self._fused.train(self.training)
        self._fused.reset()
        spikes: Tensor = self._fused(x.contiguous())
        self._fused.reset()
        return spikes

    def extra_repr(self) -> str:
        """Show the constants when the net is printed."""
        return f"tau={self.tau:g}, threshold={self.threshold:g}, calls={self.calls}"


def spikingjelly_lif(tau: float, threshold: float, alpha: float, learnable: bool = False) -> Any:
    """Return SpikingJelly's multi-step node with the same constants.

    SpikingJelly is imported here so that CPU runs do not pay for it, nor print its remark
    about the missing Triton.
    """
    logging.getLogger("torch._library.triton").setLevel(logging.ERROR)
    from spikingjelly.activation_based import neuron, surrogate

    kind, name = (neuron.ParametricLIFNode, "init_tau") if learnable else (neuron.LIFNode, "tau")
    return kind(
        **{name: tau},
        decay_input=True,
        v_threshold=threshold,
        v_reset=0.0,
        surrogate_function=surrogate.ATan(alpha),
        detach_reset=True,
        step_mode="m",
    )
