"""The intermediate representation of a trained net: one time step as a list of typed steps.

Every exporter works on it. Batch normalisation is folded into the convolutions, voting into the
outputs, and a linear layer is a convolution as large as its input, so few kinds of steps
remain. Values of one image have shape (C, H, W). A value that is the same at every time step is
`constant`; the steps that compute such values come first and run once per image.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikernel.errors import ExportError
from spikernel.network.dynamics import Dynamics, Levels

Kind = Literal["pixels", "real", "spikes", "counts"]
Pair = tuple[int, int]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Value:
    """What a step computes for one image at one time step."""

    name: str
    """Unique; an identifier in C and a tensor name in ONNX."""
    shape: tuple[int, int, int]
    """(C, H, W); a vector has H = W = 1."""
    kind: Kind
    """`pixels` 0..255, `real`, `spikes` in {0, 1}, or `counts` of spikes, 0..limit. A count stands
    for its share of the limit; the weights of a convolution that reads it are divided by that."""
    constant: bool = False
    """Whether it is the same at every time step."""
    limit: int = 1
    """Largest value of a count."""

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.shape[0] * self.shape[1] * self.shape[2]


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of a convolution, [O, I / groups, kernel height, kernel width]."""

    values: NDArray[np.float32] | NDArray[np.int8]
    scale: Floats | None = None
    """[O]; an int8 weight times the scale of its output channel is its value."""

    @property
    def bytes(self) -> int:
        """Exact memory, scales included."""
        return self.values.nbytes + (0 if self.scale is None else self.scale.nbytes)

    def dequantised(self) -> Floats:
        """Return the weights as real numbers."""
        if self.scale is None:
            return self.values.astype(np.float32)
        return self.values.astype(np.float32) * self.scale[:, None, None, None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Step:
    """One operation; `layer` is the place in the net that it comes from."""

    layer: str
    target: Value

    @property
    def sources(self) -> tuple[Value, ...]:
        """Values that the step reads."""
        raise NotImplementedError

    @property
    def parameter_bytes(self) -> int:
        """Memory of the numbers that belong to the step."""
        return 0


@dataclass(frozen=True, eq=False, kw_only=True)
class Convolve(Step):
    """Convolution with bias: target = weights * source + bias; zero padding."""

    source: Value
    weights: Weights
    bias: Floats
    """[O]."""
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    groups: int = 1
    centre: NDArray[np.float32] | NDArray[np.int16] | None = None
    """[C], subtracted from pixels; their scale is part of the weights."""

    @property
    def sources(self) -> tuple[Value, ...]:
        """The one input."""
        return (self.source,)

    @property
    def parameter_bytes(self) -> int:
        """Weights, scales, biases and centre."""
        centre = 0 if self.centre is None else self.centre.nbytes
        return self.weights.bytes + self.bias.nbytes + centre

    @property
    def kernel(self) -> Pair:
        """Height and width."""
        height, width = self.weights.values.shape[2:]
        return height, width


@dataclass(frozen=True, eq=False, kw_only=True)
class Affine(Step):
    """Batch normalisation that no convolution could take up: scale * source + shift, [C]."""

    source: Value
    scale: Floats
    shift: Floats

    @property
    def sources(self) -> tuple[Value, ...]:
        """The one input."""
        return (self.source,)

    @property
    def parameter_bytes(self) -> int:
        """Scales and shifts."""
        return self.scale.nbytes + self.shift.nbytes


@dataclass(frozen=True, eq=False, kw_only=True)
class Fire(Step):
    """Neurons that integrate and fire."""

    source: Value
    dynamics: Dynamics

    @property
    def sources(self) -> tuple[Value, ...]:
        """The one input."""
        return (self.source,)

    @property
    def state(self) -> str:
        """Name of the membrane potentials."""
        return f"{self.target.name}_potential"

    def require(
        self, form: str, known: Collection[str], resets: Collection[str] = ("zero", "subtract")
    ) -> None:
        """Refuse dynamics that a form cannot express.

        Args:
            form: for the message.
            known: names of the fields that the form knows, beside `neuron`, `threshold`, `tau` and
                `reset`; any other must have its default.
            resets: kinds of reset that the form knows.

        Raises:
            ExportError: the form would compute something else.

        """
        rule, found = self.dynamics, None
        if rule.reset not in resets:
            found = f"reset '{rule.reset}'"
        for item in fields(rule):
            value = getattr(rule, item.name)
            if item.name not in {"neuron", "threshold", "tau", "reset", *known}:
                found = found or (value != item.default and f"{item.name} {value}") or None
        if found:
            raise ExportError(
                f"{self.layer}: neurons '{rule.neuron}' with {found} cannot be expressed in {form}"
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class FireLevels(Step):
    """Neurons without memory; the target counts the spikes that each fires at once."""

    source: Value
    rule: Levels

    @property
    def sources(self) -> tuple[Value, ...]:
        """The one input."""
        return (self.source,)


@dataclass(frozen=True, eq=False, kw_only=True)
class Add(Step):
    """Sum of two or more values, added from left to right."""

    terms: tuple[Value, ...]

    @property
    def sources(self) -> tuple[Value, ...]:
        """The terms."""
        return self.terms


@dataclass(frozen=True, eq=False, kw_only=True)
class AveragePool(Step):
    """Mean over windows, padding zeros included; a target of kind `counts` is the sum.

    The mean of counts is that of what they stand for.
    """

    source: Value
    window: Pair
    stride: Pair
    padding: Pair = (0, 0)

    @property
    def sources(self) -> tuple[Value, ...]:
        """The one input."""
        return (self.source,)


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPool(Step):
    """Largest of the real values of each window; windows neither overlap nor reach over the rim.

    Rows and columns that fill no window are left out.
    """

    source: Value
    window: Pair

    @property
    def sources(self) -> tuple[Value, ...]:
        """The one input."""
        return (self.source,)


@dataclass(frozen=True)
class Delay:
    """A value of one time step that is read at the next; zero at the first."""

    read: Value
    write: Value


@dataclass(frozen=True, eq=False)
class Program:
    """A net: what runs once per image, what runs at every time step, and what is kept."""

    image: Value
    steps: tuple[Step, ...]
    """In an order in which they can run, those with a constant target first."""
    delays: tuple[Delay, ...]
    logits: Value
    """(classes, 1, 1); averaged over the time steps to predict."""
    time_steps: int
    precision: Literal["fp32", "int8"] = "fp32"
    classes: tuple[str, ...] = field(default=())

    @cached_property
    def once(self) -> tuple[Step, ...]:
        """Steps that run once per image."""
        return tuple(step for step in self.steps if step.target.constant)

    @cached_property
    def repeated(self) -> tuple[Step, ...]:
        """Steps that run at every time step."""
        return tuple(step for step in self.steps if not step.target.constant)

    @property
    def neurons(self) -> int:
        """Neurons of the net."""
        return sum(step.target.size for step in self.steps if isinstance(step, (Fire, FireLevels)))

    @property
    def neuron_rules(self) -> list[str]:
        """What the neurons do at a time step, in words; each rule once."""
        rules = [
            step.dynamics if isinstance(step, Fire) else step.rule
            for step in self.steps
            if isinstance(step, (Fire, FireLevels))
        ]
        return list(dict.fromkeys(f"{rule.neuron}: {rule.equation}" for rule in rules))

    @property
    def state_bytes(self) -> int:
        """Membrane potentials and delayed values, in fp32."""
        potentials = sum(step.target.size for step in self.steps if isinstance(step, Fire))
        return 4 * (potentials + sum(delay.read.size for delay in self.delays))

    @property
    def parameter_bytes(self) -> int:
        """Exact memory of all numbers of the net, as they are stored."""
        return sum(step.parameter_bytes for step in self.steps)

    @property
    def parameters(self) -> int:
        """Weights, biases, scales and shifts of the folded net, without those of quantisation."""
        total = 0
        for step in self.steps:
            if isinstance(step, Convolve):
                total += step.weights.values.size + step.bias.size
            elif isinstance(step, Affine):
                total += step.scale.size + step.shift.size
        return total


def in_order(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return steps with those of constant targets first; each part keeps its order."""
    return tuple(sorted(steps, key=lambda step: not step.target.constant))
