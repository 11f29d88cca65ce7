"""The intermediate representation of a trained net: one time step as a list of typed steps.

Every exporter works on it. Batch normalisation is folded into the convolutions, voting into the
outputs, and a linear layer is a convolution as large as its input, so few kinds of steps
remain. Values of one image have shape (C, H, W). A value that is the same at every time step is
`constant`; the steps that compute such values come first and run once per image.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from spikernel.export.steps import Affine, Convolve, Fire, FireLevels, Step, Value


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
    weights_sha256: str = ""
    """Of the file of the trained weights, by which an export is told from those of other nets."""

    @cached_property
    def once(self) -> tuple[Step, ...]:
        """Steps that run once per image."""
        return tuple(step for step in self.steps if step.target.constant)

    @cached_property
    def repeated(self) -> tuple[Step, ...]:
        """Steps that run at every time step."""
        return tuple(step for step in self.steps if not step.target.constant)

    @property
    def whole(self) -> bool:
        """Whether all convolutions add whole numbers, so that their order changes no bit."""
        return all(step.whole for step in self.steps if isinstance(step, Convolve))

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
