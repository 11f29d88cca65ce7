"""The whole net: stem, stages of cells with transitions between them, head."""

import torch
from torch import Tensor, nn

from spikernel.network.blocks import (
    ConvNorm,
    Head,
    SequenceDropout,
    Transition,
    run_stem,
    stem_layers,
)
from spikernel.network.cells import FeedbackCell, ForwardCell, cell_layers
from spikernel.network.initialisation import WeightBank, initialise
from spikernel.network.neuron import NeuronLayer
from spikernel.space.architecture import Architecture
from spikernel.space.macro import Part


class SpikingNet(nn.Module):
    """A macro-structure around a cell; `build_net` makes one with its weights.

    Its modules are those of `Architecture.parts`, by their names there and in their order.
    """

    stem: ConvNorm
    cell1: ForwardCell | FeedbackCell
    head: Head

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        stem = stem_layers(architecture.parts, architecture.network)
        self._stem = tuple(stem)
        for part in architecture.parts:
            self.add_module(part.name, stem.get(part.name) or self._layers(part))
        network = architecture.network
        if network.stem_weights == "whitened":
            self.stem.conv.weight.requires_grad_(False)
        if network.norm_scale == "fixed":
            self._fix_scales()

    def _fix_scales(self) -> None:
        """Keep the scales of batch norms, which are 1, without learning them."""
        for norm in [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]:
            scale = norm.weight.detach()
            del norm.weight
            norm.register_buffer("weight", scale)

    def _layers(self, part: Part) -> nn.Module:
        architecture = self.architecture
        if part.kind == "cell":
            return cell_layers(architecture.cell, part.channels, architecture.network)
        if part.kind == "transition":
            return Transition(part, architecture.network)
        return Head(architecture)

    def forward(self, images: Tensor, time_steps: int | None = None) -> Tensor:
        """Images [N, C, H, W], normalised, to logits [T, N, classes]; average over T to predict.

        Args:
            images: normalised.
            time_steps: T of this run; default: that of the architecture.

        """
        steps = time_steps or self.architecture.network.time_steps
        x = run_stem([getattr(self, name) for name in self._stem], images, steps)
        for part in self.architecture.parts[len(self._stem) :]:
            x = getattr(self, part.name)(x, steps)
        return x

    def neurons(self) -> list[NeuronLayer]:
        """Return every layer of neurons, in the order of the net."""
        return [module for module in self.modules() if isinstance(module, NeuronLayer)]

    @property
    def binary_steps(self) -> int:
        """Steps of binary spikes that a run stands for: T, times the levels of its neurons."""
        levels = max((neuron.levels for neuron in self.neurons()), default=1)
        return self.architecture.network.time_steps * levels

    def dropouts(self) -> list[SequenceDropout]:
        """Return every dropout layer."""
        return [module for module in self.modules() if isinstance(module, SequenceDropout)]

    def use(self, generator: torch.Generator) -> None:
        """Let every module that draws random numbers draw them from a generator."""
        for module in self.modules():
            if hasattr(module, "generator"):
                setattr(module, "generator", generator)  # noqa: B010 (of any class)

    def generators(self) -> list[torch.Generator]:
        """Return the generators that modules draw from."""
        found = (getattr(module, "generator", None) for module in self.modules())
        return [generator for generator in found if generator is not None]


def build_net(
    architecture: Architecture, seed: int, device: torch.device, bank: WeightBank | None = None
) -> SpikingNet:
    """Build a net on a device with the weights that belong to a seed.

    Args:
        architecture: its layers.
        seed: of the weights, see `initialise`.
        device: where it lives.
        bank: weights to share with other nets of the same seed and macro-structure.

    """
    with torch.device("meta"):  # PyTorch's own initialisation would be thrown away
        net = SpikingNet(architecture)
    # Channels-last: measured 1.1 to 2 times faster on CPUs, and what tensor cores want.
    net.to_empty(device=device)
    torch.nn.utils.convert_conv2d_weight_memory_format(net, torch.channels_last)
    initialise(net, architecture.network.linear_init, seed, bank)
    return net
