"""SpikingJelly's multi-step operators, which are one fused kernel per sequence on a GPU.

SpikingJelly is imported when it is needed, so that CPU runs do not pay for it, nor print its remark
about the missing Triton.
"""

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def operators() -> Any:
    """Return SpikingJelly's module of operators."""
    logging.getLogger("torch._library.triton").setLevel(logging.ERROR)
    from spikingjelly.activation_based import functional

    return functional


def fused(
    x: Tensor,
    time_steps: int,
    threshold: float,
    alpha: float,
    run: Callable[..., tuple[Tensor, ...]],
    initial: float = 0.0,
) -> Tensor:
    """Run neurons over a sequence in one operator, detached reset, arctangent surrogate.

    The potential is float32 also where the input is bfloat16: SpikingJelly's nodes give it the
    type of the input, for which there is no kernel, and then take a Python loop over time.

    Args:
        x: [T, N, ...], or [1, N, ...] that is held for T steps.
        time_steps: T.
        threshold: potential at which a neuron fires.
        alpha: steepness of the surrogate gradient.
        run: the operator, given the sequence, the potentials at rest and the shared arguments.
        initial: potential at rest.

    """
    from spikingjelly.activation_based import surrogate

    x = x.expand(time_steps, *x.shape[1:])
    # The kernel wants memory in one piece. A channels-last sequence is that once its axes are
    # named in the order they lie in; `contiguous` would move it, and the next layer again.
    last = x.dim() == 5 and x[0].is_contiguous(memory_format=torch.channels_last)
    ordered = (x.permute(0, 1, 3, 4, 2) if last else x).contiguous()
    spikes, *_ = run(
        ordered,
        torch.full_like(ordered[0], initial, dtype=torch.float32),
        v_threshold=threshold,
        surrogate_function=surrogate.ATan(alpha),
        detach_reset=True,
    )
    return spikes.permute(0, 1, 4, 2, 3) if last else spikes
