"""Firing rates, synaptic operations and compute energy, measured on real images.

Definitions follow NeuroBench: a layer whose inputs are all in {0, 1} does one accumulate (AC)
per nonzero input and outgoing connection; any other layer does multiply-accumulates (MAC).
Biases, pooling and normalisation are not counted. The stem's first convolution runs once per
image; all other layers run once per time step. Average pooling before the classifier makes its
inputs fractional, so that layer counts MACs; so does the second factor of a depthwise separable
or factorised convolution, which reads what the first made of the spikes.

Energy is compute energy alone, without memory traffic: 4.6 pJ per MAC and 0.9 pJ per AC,
fp32 at 45 nm (Horowitz, ISSCC 2014).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikernel.network.neuron import LIF
from spikernel.network.spiking_net import SpikingNet

MAC_PJ = 4.6
AC_PJ = 0.9


@dataclass(frozen=True)
class Activity:
    """Activity of a net, per image, averaged over the images seen.

    Attributes:
        firing_rate: spikes per neuron and time step, over all neurons of the net.
        effective_acs: accumulates caused by spikes, per image.
        effective_macs: multiply-accumulates of nonzero non-binary inputs, per image.
        dense_synops: operations if every input were nonzero, per image.
        layer_rates: firing rate of each LIF layer by its name.

    """

    firing_rate: float
    effective_acs: float
    effective_macs: float
    dense_synops: float
    layer_rates: dict[str, float]

    @property
    def energy_pj(self) -> float:
        """Compute energy per image in pJ."""
        return self.effective_macs * MAC_PJ + self.effective_acs * AC_PJ


def connections_used(module: nn.Conv2d | nn.Linear, inputs: Tensor) -> Tensor:
    """Return how many (input, output) connections carry a nonzero input, exactly.

    Args:
        module: the layer.
        inputs: its input, [N, C, H, W] for a convolution, [..., features] for a linear layer.

    Returns:
        A scalar in float64. Positions near the border have fewer outgoing connections.

    """
    active = (inputs != 0).to(torch.float32)
    if isinstance(module, nn.Linear):
        return active.sum(dtype=torch.float64) * module.out_features
    # One input channel's fan-out at a pixel: how many windows hold it, in every output channel of
    # its group. All channels share it.
    per_pixel = active.sum(1, keepdim=True)
    window = torch.ones(1, 1, *module.kernel_size, device=inputs.device)
    stride, padding = tuple(module.stride), module.padding
    assert isinstance(padding, tuple)
    windows = F.conv2d(per_pixel, window, stride=stride, padding=padding)
    return windows.sum(dtype=torch.float64) * (module.out_channels // module.groups)


class _Counter:
    """Accumulates on the device; nothing is copied to the host before the end."""

    def __init__(self) -> None:
        self.totals: dict[str, Tensor | float] = {"acs": 0.0, "macs": 0.0, "dense": 0.0}
        self.spikes: dict[str, Tensor] = {}
        self.sites: dict[str, int] = {}

    def layer(self, module: nn.Module, inputs: tuple[Tensor, ...], _: Any) -> None:
        assert isinstance(module, (nn.Conv2d, nn.Linear))
        (x,) = inputs
        binary = ((x == 0) | (x == 1)).all()
        used = connections_used(module, x)
        self.totals["acs"] += torch.where(binary, used, 0.0)
        self.totals["macs"] += torch.where(binary, 0.0, used)
        self.totals["dense"] += connections_used(module, torch.ones_like(x))

    def neuron(self, name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: Any, spikes: Tensor) -> None:
            total = spikes.sum(dtype=torch.float64)
            self.spikes[name] = self.spikes[name] + total if name in self.spikes else total
            self.sites[name] = self.sites.get(name, 0) + spikes.numel()

        return hook


@torch.no_grad()
def measure_activity(net: SpikingNet, batches: Iterable[Tensor]) -> Activity:
    """Run images [N, C, H, W] through a net in evaluation mode and count what happens.

    Raises:
        ValueError: there are no images.

    """
    counter = _Counter()
    handles = []
    for name, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            handles.append(module.register_forward_hook(counter.layer))
        elif isinstance(module, LIF):
            handles.append(module.register_forward_hook(counter.neuron(name)))
    was_training = net.training
    net.eval()
    images = 0
    try:
        for batch in batches:
            net(batch)
            images += len(batch)
    finally:
        for handle in handles:
            handle.remove()
        net.train(was_training)
    if images == 0:
        raise ValueError("activity needs at least one image")
    rates = {name: float(counter.spikes[name]) / counter.sites[name] for name in counter.spikes}
    return Activity(
        firing_rate=sum(map(float, counter.spikes.values())) / sum(counter.sites.values()),
        effective_acs=float(counter.totals["acs"]) / images,
        effective_macs=float(counter.totals["macs"]) / images,
        dense_synops=float(counter.totals["dense"]) / images,
        layer_rates=rates,
    )
