"""Leaky integrate-and-fire neurons with a hard reset.

At every time step: v <- v + (x - v) / tau; spike where v >= threshold; hard reset to 0, with
the reset detached from the graph; arctangent surrogate gradient. These are SNASNet's neurons
(Kim et al., ECCV 2022), and SpikingJelly's `LIFNode(tau, decay_input=True, v_reset=0.)`, or its
`ParametricLIFNode` where tau is learned.

On a GPU the sequence runs in SpikingJelly's fused kernel; on the CPU in `MembraneSequence`, which
the tests hold equal to SpikingJelly's.
"""

import math

import torch
from torch import Tensor, nn

from spikernel.config import NetworkConfig
from spikernel.network.dynamics import Dynamics
from spikernel.network.neuron import NeuronLayer
from spikernel.network.neurons._blocks import exact_type
from spikernel.network.neurons._fused import fused, operators
from spikernel.network.neurons._sequence import MembraneSequence, fire

PARAMETERS = "learnable_tau"


class Neuron(NeuronLayer):
    """LIF neurons.

    Where tau is learned there is one per layer, tau = 1 / sigmoid(w), which keeps it above 1
    (PLIF: Fang et al., ICCV 2021).

    Attributes:
        w: the parameter of tau; None where tau is fixed.

    """

    w: nn.Parameter | None

    def __init__(
        self, settings: NetworkConfig, calls: int = 1, threshold: float | None = None
    ) -> None:
        super().__init__(settings, calls, threshold)
        self.initial_tau = settings.tau
        self.w = nn.Parameter(torch.empty(())) if settings.learnable_tau else None
        self.reset_parameters()

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

    def dynamics(self) -> Dynamics:
        """Return the rule with the layer's own constants."""
        return Dynamics(
            neuron=self.model, threshold=float(self.threshold), tau=self.tau, reset="zero"
        )

    def step(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the spikes of one time step, and the potential after it."""
        # In float32 also under autocast: see `_blocks`.
        exact = exact_type(x.dtype)
        rest = torch.zeros_like(x, dtype=exact) if state is None else state.to(exact)
        charged = torch.lerp(rest, x.to(exact), self.rate)
        spikes = fire(charged, self.threshold, self.alpha)
        # No gradient through the reset: the condition is a constant. (`masked_fill` would lose
        # the channels-last layout.)
        return spikes.to(x.dtype), torch.where(spikes.detach().bool(), 0.0, charged)

    def sequence(self, x: Tensor, time_steps: int) -> Tensor:
        """Return the spikes [T, N, ...] of [T, N, ...], or of [1, N, ...] that is held."""
        if x.is_cuda:
            return self.sequence_fused(x, time_steps)
        spikes: Tensor = MembraneSequence.apply(
            x, self.rate, self.threshold, "zero", 0.0, self.alpha, time_steps
        )
        return spikes

    def sequence_fused(self, x: Tensor, time_steps: int) -> Tensor:
        """Return the same from SpikingJelly's operators, which have kernels for a GPU."""
        functional = operators()
        run = functional.lif_multi_step if self.w is None else functional.plif_multi_step
        constant = self.initial_tau if self.w is None else self.w
        return fused(
            x,
            time_steps,
            self.threshold,
            self.alpha,
            lambda sequence, rest, **shared: run(
                sequence, rest, constant, decay_input=True, v_reset=0.0, **shared
            ),
        )

    def extra_repr(self) -> str:
        """Show the constants when the net is printed."""
        return f"tau={self.tau:g}, threshold={self.threshold:g}, calls={self.calls}"
