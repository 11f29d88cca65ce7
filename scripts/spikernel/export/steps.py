"""The typed steps of the intermediate representation, and the values that they compute.

Values of one image have shape (C, H, W).
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
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

    @property
    def largest(self) -> int:
        """Largest whole number that it holds; a real value has none."""
        return {"spikes": 1, "pixels": 255, "counts": self.limit}[self.kind]


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
    def whole(self) -> bool:
        """Whether its sums are of whole numbers: exact, whatever the order they are added in."""
        return self.weights.scale is not None and self.source.kind != "real"

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
