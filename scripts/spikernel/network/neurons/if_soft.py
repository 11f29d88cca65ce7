"""Integrate-and-fire neurons without a leak, with a soft reset.

At every time step: v <- v + x; spike where v >= threshold; there v <- v - threshold, with the reset
detached from the graph; arctangent surrogate gradient. The potential starts at half the
threshold: then the number of spikes over T steps is the quotient of summed input and threshold,
rounded to the nearest instead of down (Bu et al., ICLR 2022).
"""

import torch
from torch import Tensor

from spikernel.network.dynamics import Dynamics
from spikernel.network.neuron import NeuronLayer
from spikernel.network.neurons._blocks import exact_type
from spikernel.network.neurons._fused import fused, operators
from spikernel.network.neurons._sequence import MembraneSequence, fire


class Neuron(NeuronLayer):
    """IF neurons with a soft reset; they have no time constant, so `tau` does not concern them."""

    @property
    def initial(self) -> float:
        """Potential at rest."""
        return self.threshold / 2

    def dynamics(self) -> Dynamics:
        """Return the rule of a time step."""
        return Dynamics(
            neuron=self.model,
            threshold=float(self.threshold),
            tau=None,
            reset="subtract",
            initial=float(self.initial),
        )

    def step(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the spikes of one time step, and the potential after it."""
        # In float32 also under autocast: see `_blocks`.
        charged = x.to(exact_type(x.dtype)) + (self.initial if state is None else state)
        spikes = fire(charged, self.threshold, self.alpha)
        after = torch.sub(charged, spikes.detach(), alpha=self.threshold)
        return spikes.to(x.dtype), after

    def sequence(self, x: Tensor, time_steps: int) -> Tensor:
        """Return the spikes [T, N, ...] of [T, N, ...], or of [1, N, ...] that is held."""
        if x.is_cuda:
            return self.sequence_fused(x, time_steps)
        spikes: Tensor = MembraneSequence.apply(
            x, None, self.threshold, "subtract", self.initial, self.alpha, time_steps
        )
        return spikes

    def sequence_fused(self, x: Tensor, time_steps: int) -> Tensor:
        """Return the same from SpikingJelly's operator, which has a kernel for a GPU."""
        run = operators().if_multi_step
        return fused(
            x,
            time_steps,
            self.threshold,
            self.alpha,
            lambda sequence, rest, **shared: run(sequence, rest, v_reset=None, **shared),
            self.initial,
        )

    def extra_repr(self) -> str:
        """Show the constants when the net is printed."""
        return f"threshold={self.threshold:g}, calls={self.calls}"
