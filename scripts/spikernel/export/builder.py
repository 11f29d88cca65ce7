"""Makes a `Program` step by step: names, shapes, folding."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from spikernel.errors import ExportError
from spikernel.export.program import Delay, Program, in_order
from spikernel.export.steps import (
    Add,
    Affine,
    AveragePool,
    Convolve,
    Fire,
    FireLevels,
    Kind,
    MaxPool,
    Pair,
    Step,
    Value,
    Weights,
)
from spikernel.network.dynamics import Dynamics, Levels, Rule

Doubles = NDArray[np.float64]


def doubles(tensor: Tensor) -> Doubles:
    """Return a tensor as float64 on the host, in which all folding is done."""
    return tensor.detach().cpu().double().numpy()


def norm_constants(norm: nn.BatchNorm2d) -> tuple[Doubles, Doubles]:
    """Return scale and shift, [C], of a batch normalisation in evaluation mode."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = 1 / np.sqrt(doubles(norm.running_var) + norm.eps)
    if norm.affine:
        scale = scale * doubles(norm.weight)
    shift = -doubles(norm.running_mean) * scale
    return scale, shift + (doubles(norm.bias) if norm.affine else 0)


def _output_side(side: int, kernel: int, stride: int, padding: int) -> int:
    return (side + 2 * padding - kernel) // stride + 1


@dataclass
class Builder:
    """A program under construction.

    Attributes:
        image: the input pixels.
        mean: of each channel, for pixels in 0..1.
        sd: standard deviation of each channel, for pixels in 0..1.

    """

    image: Value
    mean: Sequence[float]
    sd: Sequence[float]
    steps: list[Step] = field(default_factory=list)
    delays: list[Delay] = field(default_factory=list)
    _names: dict[str, int] = field(default_factory=dict)

    def convolve(
        self,
        layer: str,
        source: Value,
        conv: nn.Conv2d,
        norm: nn.BatchNorm2d | None = None,
    ) -> Value:
        """Add a convolution, its batch normalisation folded in.

        Raises:
            ExportError: it dilates, or its padding is not zeros.

        """
        if tuple(conv.dilation) != (1, 1):
            raise ExportError(f"{layer}: a convolution with dilation cannot be exported")
        if conv.padding_mode != "zeros" or isinstance(conv.padding, str):
            raise ExportError(
                f"{layer}: convolution padding '{conv.padding_mode}', {conv.padding} cannot be "
                "exported: only zeros, by numbers"
            )
        weight = doubles(conv.weight)
        bias = doubles(conv.bias) if conv.bias is not None else np.zeros(len(weight))
        if norm is not None:
            scale, shift = norm_constants(norm)
            weight, bias = weight * scale[:, None, None, None], bias * scale + shift
        rows, columns = conv.padding
        stride = (conv.stride[0], conv.stride[1])
        return self._convolve(layer, source, weight, bias, stride, (rows, columns), conv.groups)

    def linear(self, layer: str, source: Value, weight: Doubles, bias: Doubles) -> Value:
        """Add a linear layer [O, C * H * W] on a flattened value: a convolution of its size."""
        channels, height, width = source.shape
        if weight.shape[1] != source.size:
            raise ExportError(
                f"{layer}: expects {weight.shape[1]} inputs, but {source.name} has {source.size}"
            )
        kernels = weight.reshape(-1, channels, height, width)
        return self._convolve(layer, source, kernels, bias, (1, 1), (0, 0), 1)

    def _convolve(
        self,
        layer: str,
        source: Value,
        weight: Doubles,
        bias: Doubles,
        stride: Pair,
        padding: Pair,
        groups: int,
    ) -> Value:
        channels, height, width = source.shape
        if weight.shape[1] * groups != channels:
            raise ExportError(
                f"{layer}: expects {weight.shape[1] * groups} channels, but {source.name} has "
                f"{channels}"
            )
        centre = None
        if source.kind == "pixels":
            # x = (u / 255 - mean) / sd = (u - 255 mean) / (255 sd)
            weight = weight / (255 * np.asarray(self.sd))[:, None, None]
            centre = (255 * np.asarray(self.mean)).astype(np.float32)
        elif source.kind == "counts":
            weight = weight / source.limit
        sides = [
            _output_side(side, weight.shape[2 + axis], stride[axis], padding[axis])
            for axis, side in enumerate((height, width))
        ]
        target = self._value(layer, (len(weight), sides[0], sides[1]), "real", [source])
        self._check(layer, weight, bias)
        self.steps.append(
            Convolve(
                layer=layer,
                source=source,
                target=target,
                weights=Weights(weight.astype(np.float32)),
                bias=bias.astype(np.float32),
                stride=stride,
                padding=padding,
                groups=groups,
                centre=centre,
            )
        )
        return target

    def affine(self, layer: str, source: Value, norm: nn.BatchNorm2d) -> Value:
        """Add a batch normalisation that does not follow a convolution."""
        scale, shift = norm_constants(norm)
        self._check(layer, scale, shift)
        target = self._value(layer, source.shape, "real", [source])
        self.steps.append(
            Affine(
                layer=layer,
                source=source,
                target=target,
                scale=scale.astype(np.float32),
                shift=shift.astype(np.float32),
            )
        )
        return target

    def fire(self, layer: str, source: Value, rule: Rule) -> Value:
        """Add neurons; the spikes of those with a potential are never constant.

        Raises:
            ExportError: their rule is of a kind of its own, which no form would follow.

        """
        if type(rule) is not Levels and not isinstance(rule, Dynamics):
            raise ExportError(f"{layer}: a rule of class {type(rule).__name__} is not known")
        if isinstance(rule, Levels):
            counts = self._value(layer, source.shape, "counts", [source])
            counts = replace(counts, limit=rule.levels)
            self.steps.append(FireLevels(layer=layer, source=source, target=counts, rule=rule))
            return counts
        target = self._value(layer, source.shape, "spikes", None)
        self.steps.append(Fire(layer=layer, source=source, target=target, dynamics=rule))
        return target

    def add(self, layer: str, terms: Sequence[Value]) -> Value:
        """Add up values of one shape; a single one stands for itself."""
        if len(terms) == 1:
            return terms[0]
        for term in terms[1:]:
            if term.shape != terms[0].shape:
                raise ExportError(
                    f"{layer}: values of shapes {terms[0].shape} and {term.shape} cannot be added"
                )
        target = self._value(layer, terms[0].shape, "real", terms)
        self.steps.append(Add(layer=layer, target=target, terms=tuple(terms)))
        return target

    def average(
        self, layer: str, source: Value, window: Pair, stride: Pair, padding: Pair = (0, 0)
    ) -> Value:
        """Add average pooling, padding zeros included in the mean."""
        height, width = (
            _output_side(side, window[axis], stride[axis], padding[axis])
            for axis, side in enumerate(source.shape[1:])
        )
        target = self._value(layer, (source.shape[0], height, width), "real", [source])
        self.steps.append(
            AveragePool(
                layer=layer,
                source=source,
                target=target,
                window=window,
                stride=stride,
                padding=padding,
            )
        )
        return target

    def largest(self, layer: str, source: Value, window: Pair) -> Value:
        """Add max-pooling of real values over windows that do not overlap."""
        channels, height, width = source.shape
        shape = (channels, height // window[0], width // window[1])
        target = self._value(layer, shape, "real", [source])
        self.steps.append(MaxPool(layer=layer, source=source, target=target, window=window))
        return target

    def delayed(self, layer: str, shape: tuple[int, int, int]) -> Value:
        """Return the value that `remember` gave at the time step before."""
        return self._value(layer, shape, "real", None)

    def remember(self, read: Value, write: Value) -> None:
        """Keep a value for the next time step."""
        self.delays.append(Delay(read, write))

    def program(self, logits: Value, time_steps: int, classes: Sequence[str]) -> Program:
        """Return the finished program."""
        return Program(
            image=self.image,
            steps=in_order(self.steps),
            delays=tuple(self.delays),
            logits=logits,
            time_steps=time_steps,
            classes=tuple(classes),
        )

    def _value(
        self,
        layer: str,
        shape: tuple[int, int, int],
        kind: Kind,
        sources: Sequence[Value] | None,
    ) -> Value:
        if min(shape) < 1:
            raise ExportError(f"{layer}: its output would have shape {shape}")
        name = re.sub(r"\W", "_", layer)
        self._names[name] = self._names.get(name, 0) + 1
        if self._names[name] > 1:
            name = f"{name}_{self._names[name]}"
        constant = sources is not None and all(
            source.constant or source.kind == "pixels" for source in sources
        )
        return Value(name, shape, kind, constant)

    @staticmethod
    def _check(layer: str, *numbers: Doubles) -> None:
        if not all(np.isfinite(array).all() for array in numbers):
            raise ExportError(f"{layer}: a weight is not finite, so the net cannot be exported")
