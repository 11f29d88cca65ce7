"""The C99 source of a program: constants, static memory, and one call per step."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikernel import __version__
from spikernel.errors import ExportError
from spikernel.export import c_kernels, templates
from spikernel.export.c_text import array_text, c_float
from spikernel.export.memory_plan import MemoryPlan, plan
from spikernel.export.program import Program
from spikernel.export.steps import (
    Add,
    Affine,
    AveragePool,
    Convolve,
    Fire,
    FireLevels,
    MaxPool,
    Pair,
    Step,
    Value,
)

PREFIX = "spk"
C_TYPES = {"int8": "int8_t", "int16": "int16_t", "float32": "float"}
STEP_ARENAS = {"float": "reals", "uint8_t": "bytes", "uint16_t": "counts"}
TEMPLATES = ("c/model.h.j2", "c/model.c.j2", "c/kernels.h.j2", "c/main.c.j2", "c/Makefile.j2")
"""What the files are made of. Named in full, so that `spikernel.code` knows them."""
FILES = tuple(Path(name).stem for name in TEMPLATES)


@dataclass
class _Source:
    """What the templates print, collected step by step."""

    program: Program
    memory: MemoryPlan
    arrays: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, str]] = field(default_factory=list)
    states: list[tuple[str, int, str]] = field(default_factory=list)
    """Name, length and first value of each state."""
    neurons: dict[str, c_kernels.NeuronKernel] = field(default_factory=dict)
    convolutions: dict[str, c_kernels.ConvolutionKernel] = field(default_factory=dict)
    pools: dict[str, c_kernels.PoolKernel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names: dict[Value, str] = {self.program.image: "image"}
        for delay in self.program.delays:
            name = f"{delay.read.name}_before"
            self.names[delay.read] = name
            self.states.append((name, delay.read.size, c_float(0)))

    def at(self, value: Value) -> str:
        """Return the expression for the address of a value."""
        if value in self.names:
            return self.names[value]
        place = self.memory.places[value]
        arena = STEP_ARENAS[place.element]
        return f"{arena} + {place.offset}" if place.offset else arena

    def array(self, name: str, numbers: NDArray[Any]) -> str:
        flat = numbers.ravel()
        self.arrays.append(
            {
                "name": name,
                "type": C_TYPES[flat.dtype.name],
                "length": flat.size,
                "text": array_text(flat),
            }
        )
        return name

    def calls(self, step: Step) -> Iterator[str]:
        """Yield the statements of a step."""
        if isinstance(step, Convolve):
            yield self._convolve(step)
        elif isinstance(step, AveragePool):
            yield self._pool(step)
        elif isinstance(step, MaxPool):
            yield self._largest(step)
        elif isinstance(step, Fire):
            yield self._fire(step)
        elif isinstance(step, FireLevels):
            yield self._fire_levels(step)
        elif isinstance(step, Affine):
            yield self._affine(step)
        elif isinstance(step, Add):
            yield from self._add(step)
        else:
            raise ExportError(f"{step.layer}: {type(step).__name__} cannot be exported to C")

    def _convolve(self, step: Convolve) -> str:
        name, kernel = step.target.name, c_kernels.convolution(step)
        self.convolutions[kernel.name] = kernel
        arguments = [
            f"&{self._shape(step, step.kernel, step.stride, step.padding, step.groups)}",
            self.at(step.source),
            self.array(f"{name}_weights", _stored(step)),
        ]
        if step.centre is not None:
            arguments.append(self.array(f"{name}_centre", step.centre))
        if step.weights.scale is not None:
            arguments.append(self.array(f"{name}_scale", step.weights.scale))
        arguments.append(self.array(f"{name}_bias", step.bias))
        sums = "whole_sums" if kernel.sum == "int32_t" else "real_sums"
        return f"{kernel.name}({', '.join((*arguments, sums, self.at(step.target)))});"

    def _pool(self, step: AveragePool) -> str:
        pool = c_kernels.pool(step)
        self.pools[pool.name] = pool
        shape = self._shape(step, step.window, step.stride, step.padding, 1)
        limit = f"{step.source.limit}, " if pool.mean and pool.counts else ""
        return f"{pool.name}(&{shape}, {limit}{self.at(step.source)}, {self.at(step.target)});"

    def _largest(self, step: MaxPool) -> str:
        shape = self._shape(step, step.window, step.window, (0, 0), 1)
        return f"spk_max(&{shape}, {self.at(step.source)}, {self.at(step.target)});"

    def _fire(self, step: Fire) -> str:
        rule, kernel = step.dynamics, c_kernels.neurons(step)
        self.neurons[kernel.name] = kernel
        self.states.append((step.state, step.target.size, c_float(rule.initial)))
        channels, height, width = step.target.shape
        constants = [c_float(rule.threshold)]
        if rule.tau is not None:
            constants.insert(0, c_float(1 / rule.tau))
        return (
            f"{kernel.name}({height * width}, {channels}, {self.at(step.source)}, "
            f"{', '.join(constants)}, {step.state}, {self.at(step.target)});"
        )

    def _fire_levels(self, step: FireLevels) -> str:
        rule = step.rule
        scale = c_float(rule.levels / rule.range)
        return (
            f"spk_fire_levels({step.target.size}, {self.at(step.source)}, {scale}, {rule.levels}, "
            f"{self.at(step.target)});"
        )

    def _affine(self, step: Affine) -> str:
        name = step.target.name
        channels, height, width = step.target.shape
        scale, shift = (
            self.array(f"{name}_scale", step.scale),
            self.array(f"{name}_shift", step.shift),
        )
        return (
            f"spk_affine({height * width}, {channels}, {self.at(step.source)}, {scale}, {shift}, "
            f"{self.at(step.target)});"
        )

    def _add(self, step: Add) -> Iterator[str]:
        size, target = step.target.size, self.at(step.target)
        left = self.at(step.terms[0])
        for term in step.terms[1:]:
            yield f"spk_add({size}, {left}, {self.at(term)}, {target});"
            left = target

    def _shape(self, step: Convolve | AveragePool | MaxPool, *numbers: Pair | int) -> str:
        name = f"{step.target.name}_shape"
        flat = [*step.source.shape, *step.target.shape]
        for number in numbers:
            flat.extend(number if isinstance(number, tuple) else (number,))
        self.shapes.append({"name": name, "numbers": ", ".join(map(str, flat))})
        return name


def _stored(step: Convolve) -> NDArray[Any]:
    """Return the weights in the order of the kernels: [row][column][input][output of group]."""
    values, groups = step.weights.values, step.groups
    outputs, inputs, rows, columns = values.shape
    grouped = values.reshape(groups, outputs // groups, inputs, rows, columns)
    ordered = grouped.transpose(3, 4, 0, 2, 1)
    return np.ascontiguousarray(ordered)


def _title(text: str) -> str:
    """Return a text as it can stand in a comment and in a constant of C."""
    return " ".join(text.split()).replace("*/", "* /").replace("\\", "/").replace('"', "'")


def renamed(files: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return C files whose functions and macros have another prefix.

    Names that a compiler is given (`-DSPK_IMAGES`, `-DSPK_COUNT_SYNOPS`) stay as they are.

    Args:
        files: text by name.
        prefix: in lower case.

    """
    if prefix == PREFIX:
        return dict(files)
    found = {}
    for name, text in files.items():
        text = re.sub(rf"\b{PREFIX}_", f"{prefix}_", text)
        found[name] = re.sub(
            rf"\b{PREFIX.upper()}_(?!IMAGES\b|COUNT_SYNOPS\b)", f"{prefix.upper()}_", text
        )
    return found


def c_files(program: Program, title: str) -> dict[str, str]:
    """Return the text of every C file of a program by its name.

    Raises:
        ExportError: a step has no C code.

    """
    memory = plan(program)
    source = _Source(program, memory)
    once = [call for step in program.once for call in source.calls(step)]
    repeated = [call for step in program.repeated for call in source.calls(step)]
    repeated += [
        f"spk_copy({delay.read.size}, {source.at(delay.write)}, {source.at(delay.read)});"
        for delay in program.delays
    ]
    buffers = [
        *((name, "float", length) for name, length, _ in source.states),
        *(
            (STEP_ARENAS[element], element, length)
            for element, length in memory.arena_elements.items()
        ),
        ("whole_sums", "int32_t", memory.whole_sums),
        ("real_sums", "float", memory.real_sums),
    ]
    context = {
        "title": _title(title),
        "tag": f"{program.weights_sha256[:16] or 'UNNAMED'}_{program.precision}".upper(),
        "weights_sha256": program.weights_sha256,
        "version": __version__,
        "image": program.image,
        "classes": program.logits.shape[0],
        "time_steps": program.time_steps,
        "parameter_bytes": program.parameter_bytes,
        "memory": memory,
        "arrays": source.arrays,
        "shapes": source.shapes,
        "buffers": [buffer for buffer in buffers if buffer[2]],
        "states": source.states,
        "once": once,
        "repeated": repeated,
        "logits": source.at(program.logits),
        "convolutions": list(source.convolutions.values()),
        "neurons": list(source.neurons.values()),
        "levels": any(isinstance(step, FireLevels) for step in program.steps),
        "pools": list(source.pools.values()),
        "largest": any(isinstance(step, MaxPool) for step in program.steps),
    }
    return {
        file: templates.render(name, **context) for file, name in zip(FILES, TEMPLATES, strict=True)
    }
