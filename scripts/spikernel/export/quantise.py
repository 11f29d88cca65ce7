"""Post-training quantisation: int8 weights, one symmetric scale per output channel.

Batch normalisation is folded before, so that the scale of a channel is the one it works with.
Membrane potentials, biases and scales stay float32. Sums of int8 weights over spikes, counts of
spikes or pixels are exact in int32, those over real values are float32; each is then multiplied by
its scale, and the bias is added.
"""

from dataclasses import replace

import numpy as np

from spikernel.errors import ExportError
from spikernel.export.program import Program
from spikernel.export.steps import AveragePool, Convolve, Floats, Step, Value, Weights

LARGEST = 127
"""Magnitude of the largest int8 weight; -128 is not used."""
MOST_COUNTS = 65535
"""Largest count that fits two bytes."""
MOST_SUM = 2**31 - 1
"""Largest number that fits the four bytes of a sum."""


def quantise_weights(values: Floats) -> Weights:
    """Return int8 weights [O, ...] and the scale of each output channel."""
    largest = np.abs(values).reshape(len(values), -1).max(axis=1)
    scale = (np.where(largest > 0, largest, 1) / LARGEST).astype(np.float32)
    steps = np.rint(values / scale[:, None, None, None].astype(np.float64))
    return Weights(np.clip(steps, -LARGEST, LARGEST).astype(np.int8), scale)


def quantise(program: Program) -> Program:
    """Return a program with int8 weights, which computes what the C code does.

    The bits are the same but for the sums over real values (the second factor of a
    depthwise-separable or factorised convolution): these depend on the order of the terms.

    Raises:
        ExportError: the sums of a layer might not fit 32 bits.

    """
    pools = _summed_pools(program)
    steps: list[Step] = []
    for step in program.steps:
        if isinstance(step, AveragePool) and step.target in pools:
            step = replace(step, target=pools[step.target])
        elif isinstance(step, Convolve):
            if step.source in pools:
                # The mean of a window is its count divided by the largest that there can be.
                source = pools[step.source]
                values = step.weights.dequantised() / np.float32(source.limit)
                step = replace(step, source=source, weights=Weights(values))
            step = _quantised(step)
            if step.whole and not _fit(step, step.source):
                raise ExportError(
                    f"{step.layer}: sums over {step.weights.values[0].size} inputs of up to "
                    f"{step.source.largest} may not fit 32 bits: use a smaller layer"
                )
        steps.append(step)
    return replace(program, steps=tuple(steps), precision="int8")


def _quantised(step: Convolve) -> Convolve:
    weights = quantise_weights(step.weights.dequantised())
    if step.centre is None:
        return replace(step, weights=weights)
    # Pixels are centred at an integer. What this shifts the sum of a whole window by is known,
    # and taken up by the bias; at the border, where windows are cut, a small error is left.
    centre = np.rint(step.centre).astype(np.int16)
    moved = (step.centre - centre).astype(np.float64)
    shift = np.einsum("oihw,i->o", weights.dequantised().astype(np.float64), moved)
    bias = (step.bias - shift).astype(np.float32)
    return replace(step, weights=weights, centre=centre, bias=bias)


def _fit(step: Convolve, source: Value) -> bool:
    """Whether the sums of a convolution over whole numbers fit 32 bits, whatever its weights."""
    return step.weights.values[0].size * LARGEST * source.largest <= MOST_SUM


def _summed_pools(program: Program) -> dict[Value, Value]:
    """Return the averages of spikes that only convolutions read, and the counts they become.

    The spikes may be counts themselves, where neurons fire several at once. Where counts would not
    fit, or sums over them, the average stays real.
    """
    found = {}
    for step in program.steps:
        if isinstance(step, AveragePool) and step.source.kind in ("spikes", "counts"):
            limit = step.window[0] * step.window[1] * step.source.limit
            readers = [other for other in program.steps if step.target in other.sources]
            kept = {delay.write for delay in program.delays} | {program.logits}
            counts = replace(step.target, kind="counts", limit=limit)
            if (
                limit <= MOST_COUNTS
                and step.target not in kept
                and all(isinstance(reader, Convolve) and _fit(reader, counts) for reader in readers)
            ):
                found[step.target] = counts
    return found
