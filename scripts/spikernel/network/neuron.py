"""Leaky integrate-and-fire neurons over whole sequences.

At every time step: v <- v + (x - v) / tau; spike where v >= threshold; hard reset to 0, with
the reset detached from the graph; arctangent surrogate gradient. These are SNASNet's neurons
(Kim et al., ECCV 2022), and SpikingJelly's `LIFNode(tau, decay_input=True, v_reset=0.)`, or its
`ParametricLIFNode` where tau is learned.

A call starts from v = 0 and leaves no state behind, so no sequence can leak into the next.
On a GPU the sequence runs in SpikingJelly's fused kernel; on the CPU in `LIFSequence`, which the
tests hold equal to SpikingJelly's.
"""

import logging
import math

import torch
from torch import Tensor, nn

from spikernel.config import NetworkConfig
from spikernel.network.lif_sequence import LIFSequence


class LIF(nn.Module):
    """LIF neurons: [T, N, ...] real-valued input to [T, N, ...] spikes in {0, 1}.

    Where tau is learned there is one per layer, tau = 1 / sigmoid(w), which keeps it above 1
    (PLIF: Fang et al., ICCV 2021).

    Attributes:
        calls: how many LIF layers of the published network this one stands for. A node's
            spikes are computed once although each convolution edge that leaves the node has
            its own LIF there, all of which fire alike.
        threshold: membrane potential at which they fire; by default that of the net.
        w: the parameter of tau; None where tau is fixed.

    """

    w: nn.Parameter | None

    def __init__(
        self, settings: NetworkConfig, calls: int = 1, threshold: float | None = None
    ) -> None:
        super().__init__()
        self.initial_tau = settings.tau
        self.threshold = settings.threshold if threshold is None else threshold
        self.alpha = settings.surrogate_alpha
        self.calls = calls
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

    def forward(self, x: Tensor, time_steps: int | None = None) -> Tensor:
        """Return the spikes of a sequence that starts from rest.

        Args:
            x: [T, N, ...], or [1, N, ...] with `time_steps` for what is held that long.
            time_steps: T; default: that of x.

        """
        if x.is_cuda:
            return self._forward_fused(x, time_steps)
        steps = time_steps or len(x)
        spikes: Tensor = LIFSequence.apply(x, self.rate, self.threshold, self.alpha, steps)
        return spikes

    def _forward_fused(self, x: Tensor, time_steps: int | None = None) -> Tensor:
        if time_steps is not None:
            x = x.expand(time_steps, *x.shape[1:])
        # The kernel wants memory in one piece. A channels-last sequence is that once its axes are
        # named in the order they lie in; `contiguous` would move it, and the next layer again.
        last = x.dim() == 5 and x[0].is_contiguous(memory_format=torch.channels_last)
        ordered = x.permute(0, 1, 3, 4, 2) if last else x
        spikes = fused_lif(ordered.contiguous(), self._constant, self.threshold, self.alpha)
        return spikes.permute(0, 1, 4, 2, 3) if last else spikes

    @property
    def _constant(self) -> float | nn.Parameter:
        """Tau, or the parameter that it is learned by."""
        return self.initial_tau if self.w is None else self.w

    def extra_repr(self) -> str:
        """Show the constants when the net is printed."""
        return f"tau={self.tau:g}, threshold={self.threshold:g}, calls={self.calls}"


def fused_lif(x: Tensor, tau: float | nn.Parameter, threshold: float, alpha: float) -> Tensor:
    """Run LIF over a sequence in SpikingJelly's multi-step operators.

    The potential is float32 also where the input is bfloat16: SpikingJelly's nodes give it the
    type of the input, for which there is no kernel, and then take a Python loop over time.

    SpikingJelly is imported here so that CPU runs do not pay for it, nor print its remark
    about the missing Triton.

    Args:
        x: [T, N, ...], in one piece.
        tau: the time constant, or the parameter w of a learned one, tau = 1 / sigmoid(w).
        threshold: potential at which a neuron fires.
        alpha: steepness of the arctangent surrogate gradient.

    """
    logging.getLogger("torch._library.triton").setLevel(logging.ERROR)
    from spikingjelly.activation_based import functional, surrogate

    run = functional.lif_multi_step if isinstance(tau, float) else functional.plif_multi_step
    spikes, *_ = run(
        x,
        torch.zeros_like(x[0], dtype=torch.float32),
        tau,
        decay_input=True,
        v_threshold=threshold,
        v_reset=0.0,
        surrogate_function=surrogate.ATan(alpha),
        detach_reset=True,
    )
    result: Tensor = spikes
    return result
