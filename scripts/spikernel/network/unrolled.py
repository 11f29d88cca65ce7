"""A net of integer neurons run as the binary spiking net that it stands for.

Layer by layer: every synaptic layer is applied to the binary spikes of each of the D steps, the
results are averaged, and then the next neurons fire. All layers between neurons but max-pooling are
affine in evaluation mode, so averages pass through them; a max-pool takes the largest of what the
convolution before it has added up in all D steps. The result is that of the pass with integers, but
for rounding; equal where sums are exact.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn

from spikernel.network.blocks import ConvNorm
from spikernel.network.neuron import NeuronLayer
from spikernel.network.spiking_net import SpikingNet


@contextmanager
def unrolled(net: SpikingNet) -> Iterator[int]:
    """Let the neurons of a net take the mean of D steps and fire D binary steps.

    A net of binary neurons is left as it is.

    Args:
        net: in evaluation mode.

    Yields:
        The time steps for which the net must be called meanwhile.

    Raises:
        ValueError: the net is in training mode, where averages do not pass through its norms.

    """
    neurons = [neuron for neuron in net.neurons() if neuron.levels > 1]
    if not neurons:
        yield net.architecture.network.time_steps
        return
    if net.training:
        raise ValueError("only a net in evaluation mode can be unrolled: call eval() first")
    handles: list[Any] = []
    for neuron in neurons:
        handles.append(neuron.register_forward_pre_hook(_averaged))
        handles.append(neuron.register_forward_hook(_fired))
    for module in net.modules():
        if isinstance(module, ConvNorm) and module.max_pool > 1:
            hook = partial(_added_up, neurons[0].levels)
            handles.append(module.conv.register_forward_hook(hook))
    try:
        yield neurons[0].levels
    finally:
        for handle in handles:
            handle.remove()


def _averaged(_: NeuronLayer, inputs: tuple[Any, ...]) -> tuple[Tensor, int]:
    return inputs[0].mean(0, keepdim=True), 1


def _added_up(steps: int, _: nn.Conv2d, __: tuple[Any, ...], mixed: Tensor) -> Tensor:
    """Replace [D * N, C, H, W] by the average over the D steps, at each of them."""
    by_step = mixed.unflatten(0, (steps, -1))
    return by_step.mean(0, keepdim=True).expand_as(by_step).flatten(0, 1)


def _fired(neuron: NeuronLayer, _: tuple[Any, ...], spikes: Tensor) -> Tensor:
    return neuron.unroll(spikes)
