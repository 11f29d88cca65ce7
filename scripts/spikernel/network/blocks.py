"""Layers that work on sequences by folding time into the batch: [T, N, ...] <-> [T*N, ...]."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikernel.config import NetworkConfig
from spikernel.network.neuron import make_neuron
from spikernel.space.architecture import Architecture
from spikernel.space.macro import DOWNSAMPLING, STEM_KERNEL, TRANSITION_KERNEL, Part


def over_time(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply a function of [N, ...] to every time step of [T, N, ...] at once."""
    return function(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class ConvNorm(nn.Module):
    """Convolution without bias, max-pooling if any, batch norm over time, batch and space."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, max_pool: int = 1
    ) -> None:
        super().__init__()
        self.max_pool = max_pool
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, stride=stride, padding=(kernel - 1) // 2, bias=False
        )
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C', H', W']."""
        mixed = self.conv(x)
        if self.max_pool > 1:
            mixed = F.max_pool2d(mixed, self.max_pool)
        normed: Tensor = self.norm(mixed)
        return normed


class NeighbourAverage(torch.autograd.Function):
    """Averages of 3x3 neighbours, zeros beyond the border counted, whose gradient is the same.

    PyTorch's gradient of padded averages is wrong on CUDA in channels-last, by one pixel (2.11 at
    least; https://github.com/pytorch/pytorch/issues/188344).
    """

    @staticmethod
    def forward(_context: Any, x: Tensor) -> Tensor:
        """Average [N, C, H, W]."""
        return F.avg_pool2d(x, 3, stride=1, padding=1)

    @staticmethod
    def backward(_context: Any, *gradients: Any) -> Tensor:
        """Average the gradient: each input has a ninth of each output around it."""
        averaged: Tensor = NeighbourAverage.apply(gradients[0])
        return averaged


def average_neighbours(x: Tensor) -> Tensor:
    """Average 3x3, stride 1, zero padding that counts, as SNASNet's pooling edge."""
    averaged: Tensor = NeighbourAverage.apply(x)
    return averaged


def total(values: list[Tensor]) -> Tensor:
    """Add tensors whose time dimensions are T or 1."""
    result = values[0]
    for value in values[1:]:
        result = result + value
    return result


class SpikingConvolution(nn.Module):
    """Neurons, convolution 3x3 and batch norm: a further layer of the stem.

    With `residual`, its input is added to its output.
    """

    def __init__(self, part: Part, settings: NetworkConfig) -> None:
        super().__init__()
        self.adds_input = settings.residual
        self.neuron = make_neuron(settings)
        self.mix = ConvNorm(part.inputs, part.channels, STEM_KERNEL)

    def forward(self, x: Tensor, time_steps: int | None = None) -> Tensor:
        """[T or 1, N, C, H, W] -> [T, N, C', H, W]."""
        spikes = self.neuron(x, time_steps)
        mixed = over_time(self.mix, spikes)
        return mixed + x if self.adds_input else mixed


def stem_layers(parts: Iterable[Part], settings: NetworkConfig) -> dict[str, nn.Module]:
    """Return the layers of the stem by their names in the net, in order."""
    layers: dict[str, nn.Module] = {}
    for part in parts:
        if part.kind == "image_stem":
            layers[part.name] = ConvNorm(
                part.inputs, part.channels, STEM_KERNEL, settings.stem_stride
            )
        elif part.kind == "spiking_stem":
            layers[part.name] = SpikingConvolution(part, settings)
    return layers


def run_stem(layers: Iterable[nn.Module], images: Tensor, time_steps: int) -> Tensor:
    """Images [N, C, H, W] to the first cell's input, [1, N, C, H, W] if equal at all steps.

    The first layer reads real values, once per image (direct encoding); the others spike.
    """
    first, *others = layers
    x: Tensor = first(images.contiguous(memory_format=torch.channels_last)).unsqueeze(0)
    for layer in others:
        x = layer(x, time_steps)
    return x


def entry_norm(channels: int, settings: NetworkConfig) -> nn.BatchNorm2d | None:
    """Return the batch norm before the neurons of a transition or of the head, if there is one."""
    return nn.BatchNorm2d(channels) if settings.entry_norm else None


class Transition(nn.Module):
    """Before a stage: batch norm, neurons, convolution 3x3 to its channels, half the side."""

    def __init__(self, part: Part, settings: NetworkConfig) -> None:
        super().__init__()
        strided = settings.downsampling == "stride"
        largest = not strided and settings.pooling == "max"
        self.pool = 1 if strided or largest else DOWNSAMPLING
        self.norm = entry_norm(part.inputs, settings)
        self.neuron = make_neuron(settings)
        self.widen = ConvNorm(
            part.inputs,
            part.channels,
            TRANSITION_KERNEL,
            stride=DOWNSAMPLING if strided else 1,
            max_pool=DOWNSAMPLING if largest else 1,
        )

    def forward(self, x: Tensor, time_steps: int | None = None) -> Tensor:
        """[T or 1, N, C, H, W] -> [T, N, C', H/2, W/2]."""
        normed = x if self.norm is None else over_time(self.norm, x)
        spikes = self.neuron(normed, time_steps)
        widened = over_time(self.widen, spikes)
        if self.pool == 1:
            return widened
        return over_time(lambda y: F.avg_pool2d(y, self.pool), widened)


class SequenceDropout(nn.Module):
    """Dropout whose mask is drawn once per image and holds for all time steps."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.generator: torch.Generator | None = None
        """Source of the masks; without one, PyTorch's default generator."""

    def forward(self, x: Tensor) -> Tensor:
        """[T, N, F] -> [T, N, F]."""
        if not self.training or self.probability == 0:
            return x
        keep = 1 - self.probability
        mask = torch.empty_like(x[0]).bernoulli_(keep, generator=self.generator)
        return x * (mask / keep)


class Head(nn.Module):
    """Batch norm, neurons, pooling and voting classifier: [T, N, C, H, W] -> [T, N, classes]."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        settings = architecture.network
        self.votes = settings.votes
        self.pool = settings.pool if settings.head == "fc" else None
        self.norm = entry_norm(architecture.stage_channels[-1], settings)
        self.neuron = make_neuron(settings)
        self.dropout = SequenceDropout(settings.dropout)
        features = architecture.head_features
        self.hidden: nn.Linear | None = None
        if settings.head == "fc":
            self.hidden = nn.Linear(features, settings.hidden, bias=False)
            self.hidden_neuron = make_neuron(settings)
            features = settings.hidden
        self.outputs = nn.Linear(features, architecture.outputs)

    def forward(self, x: Tensor, time_steps: int | None = None) -> Tensor:
        """Return the real-valued logits of every time step."""
        normed = x if self.norm is None else over_time(self.norm, x)
        spikes = self.neuron(normed, time_steps)
        pooled = over_time(self._pool, spikes).flatten(2)
        features = self.dropout(pooled)
        if self.hidden is not None:
            features = self.hidden_neuron(self.hidden(features))
        # Voting: neighbouring outputs belong to one class and are averaged.
        votes: Tensor = self.outputs(features)
        return votes.unflatten(2, (-1, self.votes)).mean(3)

    def _pool(self, x: Tensor) -> Tensor:
        if self.pool is None:
            return x.mean((2, 3))
        return F.avg_pool2d(x, self.pool)
