"""Training-free scores by gradients that are compared with ours, but that no search uses.

As Abdelfattah et al. (ICLR 2021) define them for nets at initialisation; the gradient of neurons is
the surrogate with which they train. Sizes are given as logarithms, which order alike.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from spikernel.network.initialisation import WeightBank
from spikernel.network.neuron import NeuronLayer
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.space.architecture import Architecture

JITTER = 1e-5
"""Added to eigenvalues before their logarithm is taken, as published."""

Function = Callable[[SpikingNet, Tensor, Tensor], float]
"""Of a net, normalised images [B, C, H, W] and their labels [B]; the net is thrown away."""


class GradientScore:
    """A score of a net by gradients on one mini-batch, with shared seeded weights."""

    def __init__(
        self, function: Function, images: Tensor, labels: Tensor, seed: int, device: torch.device
    ) -> None:
        self._function, self._images, self._labels = function, images, labels
        self._seed, self._device = seed, device
        self._bank: WeightBank = {}

    def __call__(self, architecture: Architecture) -> float:
        """Score one architecture, in train mode as SAHD."""
        net = build_net(architecture, self._seed, self._device, self._bank).train()
        for dropout in net.dropouts():
            dropout.generator = torch.Generator(self._device).manual_seed(self._seed)
        return self._function(net, self._images, self._labels)


def gradient_norm(net: SpikingNet, images: Tensor, labels: Tensor) -> float:
    """Return the log of the norm of the gradient of the cross-entropy to all weights."""
    loss = F.cross_entropy(net(images).mean(0), labels)
    weights = [weight for weight in net.parameters() if weight.requires_grad]
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    squares = sum(float((grad.double() ** 2).sum()) for grad in found if grad is not None)
    return math.log(squares) / 2 if squares > 0 else -math.inf


def jacobian_covariance(net: SpikingNet, images: Tensor, _: Tensor) -> float:
    """Return how little the gradients to different images resemble each other.

    -sum(log(v + k) + 1 / (v + k)) over the eigenvalues v of the correlation matrix of the gradients
    of all outputs to each image (Mellor et al., arXiv 2006.04647v1).
    """
    seen = images.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(net(seen).mean(0).sum(), seen)
    correlation = torch.corrcoef(gradient.flatten(1).double())
    if not torch.isfinite(correlation).all():
        return math.nan  # an image without any gradient
    values = torch.linalg.eigvalsh(correlation).clamp_min(0) + JITTER
    return -float((values.log() + 1 / values).sum())


def synaptic_flow(net: SpikingNet, images: Tensor, _: Tensor) -> float:
    """Return the log of sum |w dR/dw| (Tanaka et al., NeurIPS 2020).

    R is the sum of the outputs for an image of ones, where every weight has its absolute value and
    neurons and norms hand on what they read.
    """
    net.double().eval()  # norms that have seen nothing divide by 1
    for neuron in net.neurons():
        neuron.register_forward_hook(_handed_on)
    weights = [weight for weight in net.parameters() if weight.ndim > 1]
    with torch.no_grad():
        for weight in weights:
            weight.abs_()
            weight.requires_grad_(True)
    flow = net(torch.ones_like(images[:1], dtype=torch.float64)).mean(0).sum()
    found = torch.autograd.grad(flow, weights)
    total = sum(
        float((weight.detach() * grad).abs().sum())
        for weight, grad in zip(weights, found, strict=True)
    )
    return math.log(total) if total > 0 else -math.inf


def _handed_on(_: NeuronLayer, inputs: tuple[Tensor, ...], spikes: Tensor) -> Tensor:
    return inputs[0].expand_as(spikes)
