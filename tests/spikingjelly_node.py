"""SpikingJelly's multi-step node with the constants of ours, to compare with."""

import logging
from typing import Any


def spikingjelly_lif(tau: float, threshold: float, alpha: float, learnable: bool = False) -> Any:
    """Return the node, whose state is kept from call to call."""
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


def spikingjelly_if(threshold: float, alpha: float) -> Any:
    """Return the node without a leak and with a soft reset."""
    logging.getLogger("torch._library.triton").setLevel(logging.ERROR)
    from spikingjelly.activation_based import neuron, surrogate

    return neuron.IFNode(
        v_threshold=threshold,
        v_reset=None,
        surrogate_function=surrogate.ATan(alpha),
        detach_reset=True,
        step_mode="m",
    )
