"""Runs a `Program` in PyTorch, with the arithmetic of the exported C code.

Every operation is in float32 or exact integers and in a fixed order, so that C computes the
same bits: sums over a window go row by row, then pixel by pixel, then channel by channel.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from spikernel.export.memory_plan import last_reads
from spikernel.export.program import Program
from spikernel.export.steps import (
    Add,
    Affine,
    AveragePool,
    Convolve,
    Fire,
    FireLevels,
    MaxPool,
    Step,
    Value,
)

_EXACT_FLOAT32 = 2**24
"""Integers up to here are exact in float32, whatever the order they are added in."""
_EXACT_TF32 = 2**11
"""Factors up to here are exact in the TF32 products of a GPU as well."""


def _per_channel(numbers: Any, like: Tensor) -> Tensor:
    return torch.as_tensor(numbers, device=like.device).float().view(1, -1, 1, 1)


class Interpreter:
    """A program on a device.

    Args:
        program: what to run.
        ordered: add real numbers in the order of the C code, one tap after another, which is
            slow; otherwise as PyTorch does, which differs by rounding. Integer sums are exact
            either way.

    """

    def __init__(self, program: Program, *, ordered: bool = False) -> None:
        self.program = program
        self.ordered = ordered
        self._expiring: dict[int, list[Value]] = defaultdict(list)
        for value, last in last_reads(program).items():
            self._expiring[last].append(value)

    @torch.no_grad()
    def logits(self, images: Tensor) -> Tensor:
        """Return the mean over time of the logits, [N, classes], of uint8 images [N, C, H, W]."""
        program = self.program
        values: dict[Value, Tensor] = {program.image: images}
        potentials: dict[str, Tensor] = {}
        total: Tensor | None = None
        self._run_all(program.once, 0, values, potentials)
        kept = {
            delay.read: torch.zeros(len(images), *delay.read.shape, device=images.device)
            for delay in program.delays
        }
        for _ in range(program.time_steps):
            now = {**values, **kept}
            self._run_all(program.repeated, len(program.once), now, potentials)
            kept = {delay.read: now[delay.write] for delay in program.delays}
            total = now[program.logits] if total is None else total + now[program.logits]
        assert total is not None
        return total.flatten(1) / program.time_steps

    def _run_all(
        self,
        steps: Sequence[Step],
        first: int,
        values: dict[Value, Tensor],
        potentials: dict[str, Tensor],
    ) -> None:
        """Run steps, the first of which has the index `first`; let go of what none reads later."""
        for index, step in enumerate(steps, start=first):
            values[step.target] = self._run(step, values, potentials)
            for value in self._expiring.get(index, ()):
                del values[value]

    def _run(
        self, step: Step, values: dict[Value, Tensor], potentials: dict[str, Tensor]
    ) -> Tensor:
        if isinstance(step, Fire):
            return _fire(step, values[step.source], potentials)
        functions: dict[type[Step], Callable[[Any, dict[Value, Tensor]], Tensor]] = {
            Convolve: self._convolve,
            Affine: _affine,
            Add: _add,
            AveragePool: _average,
            MaxPool: _largest,
            FireLevels: _fire_levels,
        }
        return functions[type(step)](step, values)

    def _convolve(self, step: Convolve, values: dict[Value, Tensor]) -> Tensor:
        x = values[step.source].float()
        if step.centre is not None:
            x = x - _per_channel(step.centre, x)
        weight = torch.from_numpy(step.weights.values).to(x.device)
        sums = _integer_sums(step, x, weight) if step.whole else self._sums(step, x, weight)
        if step.weights.scale is not None:
            sums = sums * _per_channel(step.weights.scale, x)
        return sums + _per_channel(step.bias, x)

    def _sums(self, step: Convolve, x: Tensor, weight: Tensor) -> Tensor:
        if not self.ordered:
            return _torch_sums(step, x, weight.float())
        return _ordered_sums(step, x, weight.float())


def _torch_sums(step: Convolve, x: Tensor, weight: Tensor) -> Tensor:
    return F.conv2d(x, weight, stride=step.stride, padding=step.padding, groups=step.groups)


def _integer_sums(step: Convolve, x: Tensor, weight: Tensor) -> Tensor:
    """Add up int8 weights times integers, exactly; the result is rounded to float32 once."""
    largest = step.source.largest
    bound = int(np.abs(step.weights.values.astype(np.int64)).sum(axis=(1, 2, 3)).max()) * largest
    exact = bound < _EXACT_FLOAT32 and largest <= _EXACT_TF32
    kind = torch.float32 if exact else torch.float64
    return _torch_sums(step, x.to(kind), weight.to(kind)).float()


def _padded(step: Convolve | AveragePool, x: Tensor) -> Tensor:
    return F.pad(x, (step.padding[1],) * 2 + (step.padding[0],) * 2)


def _tap(step: Convolve | AveragePool, padded: Tensor, row: int, column: int) -> Tensor:
    """Return what one place of the window reads for every output pixel, [..., H, W]."""
    _, height, width = step.target.shape
    return padded[
        ...,
        row : row + (height - 1) * step.stride[0] + 1 : step.stride[0],
        column : column + (width - 1) * step.stride[1] + 1 : step.stride[1],
    ]


def _ordered_sums(step: Convolve, x: Tensor, weight: Tensor) -> Tensor:
    channels, height, width = step.target.shape
    groups, (rows, columns) = step.groups, step.kernel
    padded = _padded(step, x).unflatten(1, (groups, -1))
    weight = weight.unflatten(0, (groups, -1))  # [groups, O / groups, I / groups, rows, columns]
    sums = x.new_zeros(len(x), groups, channels // groups, height, width)
    for row in range(rows):
        for column in range(columns):
            window = _tap(step, padded, row, column)
            for channel in range(weight.shape[2]):
                taps = weight[:, :, channel, row, column].view(1, groups, -1, 1, 1)
                sums = sums + window[:, :, channel].unsqueeze(2) * taps
    return sums.flatten(1, 2)


def _affine(step: Affine, values: dict[Value, Tensor]) -> Tensor:
    x = values[step.source]
    return x * _per_channel(step.scale, x) + _per_channel(step.shift, x)


def _add(step: Add, values: dict[Value, Tensor]) -> Tensor:
    result = values[step.terms[0]]
    for term in step.terms[1:]:
        result = result + values[term]
    return result


def _average(step: AveragePool, values: dict[Value, Tensor]) -> Tensor:
    x = values[step.source].float()
    padded = _padded(step, x)
    total = x.new_zeros(len(x), *step.target.shape)
    for row in range(step.window[0]):
        for column in range(step.window[1]):
            total = total + _tap(step, padded, row, column)
    if step.target.kind == "counts":
        return total
    return total * float(np.float32(1 / (step.window[0] * step.window[1] * step.source.limit)))


def _largest(step: MaxPool, values: dict[Value, Tensor]) -> Tensor:
    return F.max_pool2d(values[step.source], step.window)


def _fire(step: Fire, x: Tensor, potentials: dict[str, Tensor]) -> Tensor:
    step.require("the interpreter", known=("initial",))
    rule = step.dynamics
    v = potentials.get(step.state)
    if v is None:
        v = torch.full_like(x, rule.initial)
    v = v + x if rule.tau is None else v + (x - v) * float(np.float32(1 / rule.tau))
    threshold = float(np.float32(rule.threshold))
    fired = v >= threshold
    after = 0.0 if rule.reset == "zero" else v - threshold
    potentials[step.state] = torch.where(fired, after, v)
    return fired.float()


def _fire_levels(step: FireLevels, values: dict[Value, Tensor]) -> Tensor:
    rule = step.rule
    share = float(np.float32(rule.levels / rule.range))
    return (values[step.source] * share).clamp(0, rule.levels).round()
