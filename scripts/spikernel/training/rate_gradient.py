"""The gradient of a net of spikes over T steps by way of its firing rates.

Rate-based backpropagation (Yu et al., NeurIPS 2024, arXiv:2410.11488). The images run twice. First
the net runs its T steps as it is, without a graph, and every layer of neurons leaves behind its
firing rates r, and by how much each of them would change with an input that changed equally at all
steps: dr/dx = 1/T sum over t of the surrogate gradient. Then they run in one step with a graph, in
which the neurons give r, with that gradient. So backward costs one step instead of T, and so does
its memory; the outputs are the means over T of those of the spikes.

Gradients of layers between neurons are exact for rates that are alike at all steps. Batch norm
scales by the variance over all T steps, and max-pooling passes the gradient on where the mean of
the steps is largest. With T = 1 the gradient is the one of backpropagation through time.

Shapes: T time steps, N batch.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from spikernel.network.neuron import NeuronLayer
from spikernel.network.spiking_net import SpikingNet

Forwards = Mapping[nn.Module, Callable[..., Tensor]]
Seen = dict[nn.Module, tuple[Tensor, Tensor]]


def rate_logits(net: SpikingNet, images: Tensor) -> Tensor:
    """Return the mean over T of the logits, [1, N, classes], with the gradient of the rates.

    Args:
        net: one of a phase that `phase_architecture` lets pass; its running statistics take in the
            T steps.
        images: normalised, [N, C, H, W].

    """
    generators = net.generators()
    before = [generator.get_state() for generator in generators]
    neurons = net.neurons()
    # Frozen ones use their running statistics and leave the mean of the steps as it is.
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d) and m.training]
    rates: Seen = {}
    spreads: dict[nn.Module, Tensor] = {}
    spiking: Forwards = {neuron: partial(_run_steps, neuron, rates) for neuron in neurons}
    measured: Forwards = {norm: partial(_norm_steps, norm, spreads) for norm in norms}
    with torch.no_grad(), _replaced({**spiking, **measured}):
        net(images)
    torch.clear_autocast_cache()  # it holds copies of the weights that lead to no gradient
    for generator, state in zip(generators, before, strict=True):  # equal masks in both runs
        generator.set_state(state)
    firing: Forwards = {neuron: partial(_give_rates, *rates[neuron]) for neuron in neurons}
    normed: Forwards = {norm: partial(_norm_rates, norm, spreads[norm]) for norm in norms}
    with _replaced({**firing, **normed}):
        logits: Tensor = net(images, 1)
    return logits


@contextmanager
def _replaced(forwards: Forwards) -> Iterator[None]:
    """Let modules compute something else for a while."""
    for module, forward in forwards.items():
        module.forward = forward
    try:
        yield
    finally:
        for module in forwards:
            del module.forward


def _run_steps(neuron: NeuronLayer, seen: Seen, x: Tensor, time_steps: int | None = None) -> Tensor:
    """Return the spikes [T, N, ...]; keep the rates [1, N, ...] and their gradient."""
    steps = time_steps or len(x)
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        spikes = neuron.sequence(x, steps)
        (gradient,) = torch.autograd.grad(spikes, x, torch.full_like(spikes, 1 / steps))
    spikes = spikes.detach()
    seen[neuron] = spikes.mean(0, keepdim=True), gradient.sum(0, keepdim=True)
    return spikes


def _give_rates(
    rates: Tensor, gradient: Tensor, x: Tensor, _time_steps: int | None = None
) -> Tensor:
    """Return the rates, with their gradient to the mean input x [1, N, ...]."""
    return torch.addcmul(rates, gradient, x - x.detach())


def _norm_steps(norm: nn.BatchNorm2d, seen: dict[nn.Module, Tensor], x: Tensor) -> Tensor:
    """Return what the norm makes of all steps [T N, C, H, W]; keep 1 / standard deviation [C]."""
    assert norm.num_batches_tracked is not None
    assert norm.momentum is not None
    norm.num_batches_tracked.add_(1)
    normed, _, seen[norm] = torch.native_batch_norm(
        x, norm.weight, norm.bias, norm.running_mean, norm.running_var,
        True, norm.momentum, norm.eps,
    )  # fmt: skip
    return normed


def _norm_rates(norm: nn.BatchNorm2d, inverse_sd: Tensor, x: Tensor) -> Tensor:
    """Return means [N, C, H, W] over the steps, scaled by the deviation over all steps.

    The gradient is that of a batch norm over all steps, summed over the steps.
    """
    shift = x.float() - x.float().mean((0, 2, 3), keepdim=True)
    own = shift.square().mean((0, 2, 3))
    scale = (own + (inverse_sd**-2 - own.detach())).rsqrt() * norm.weight
    normed: Tensor = shift * scale.view(1, -1, 1, 1) + norm.bias.view(1, -1, 1, 1)
    return normed.to(x.dtype)
