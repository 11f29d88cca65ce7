"""A program as a graph of the Neuromorphic Intermediate Representation (NIR).

NIR (Pedersen et al., Nature Communications 15, 2024, doi 10.1038/s41467-024-52259-9) describes
neurons in continuous time; with the time step `DT` its LIF becomes ours: tau_nir = tau * DT, R = 1,
leak and reset at 0. The graph reads the normalised image at every time step; its output is
averaged over the time steps. Sums of values meet in poolings of one pixel, which change nothing:
NIR adds up what arrives at a node. Batch normalisations that no convolution could take up are
1x1 convolutions with a diagonal.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nir
import nirtorch
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spikernel.errors import ExportError
from spikernel.export.program import (
    Add,
    Affine,
    AveragePool,
    Convolve,
    Fire,
    FireLevels,
    MaxPool,
    Pair,
    Program,
    Step,
    Value,
)

DT = 1e-4
"""Time step in s; the usual one of tools that read NIR."""


def _array(pair: Pair) -> NDArray[np.int64]:
    return np.array(pair)


def _convolution(step: Convolve, sd: NDArray[Any]) -> nir.Conv2d:
    weight, padding = _readable(step)
    if step.source.kind == "pixels":
        # Here pixels come normalised; the program's weights are for u - 255 mean.
        weight = (weight * (255 * sd)[:, None, None]).astype(np.float32)
    return nir.Conv2d(
        input_shape=step.source.shape[1:],
        weight=weight,
        stride=step.stride,
        padding=padding,
        dilation=(1, 1),
        groups=1,
        bias=step.bias,
    )


def _readable(step: Convolve) -> tuple[NDArray[np.float32], Pair]:
    """Return weights and padding of a convolution with a square kernel and without groups.

    Zeros fill up what is missing. The shape check of nir 1.0.8 knows no other convolutions, so
    that it could not read them back, and SpikingJelly's reader refuses groups.
    """
    values, groups = step.weights.dequantised(), step.groups
    if groups > 1:
        outputs, inputs = values.shape[0] // groups, values.shape[1]
        full = np.zeros((len(values), inputs * groups, *step.kernel), dtype=np.float32)
        for group in range(groups):
            rows = slice(group * outputs, (group + 1) * outputs)
            full[rows, group * inputs : (group + 1) * inputs] = values[rows]
        values = full
    missing = [max(step.kernel) - length for length in step.kernel]
    if any(length % 2 for length in missing):
        raise ExportError(
            f"{step.layer}: a kernel of {step.kernel[0]}x{step.kernel[1]} cannot be expressed in "
            "NIR, whose shape check knows square ones only"
        )
    above, left = (length // 2 for length in missing)
    weight = np.pad(values, ((0, 0), (0, 0), (above, above), (left, left)))
    return weight, (step.padding[0] + above, step.padding[1] + left)


def _diagonal(step: Affine) -> nir.Conv2d:
    return nir.Conv2d(
        input_shape=step.source.shape[1:],
        weight=np.diag(step.scale)[:, :, None, None].astype(np.float32),
        stride=(1, 1),
        padding=(0, 0),
        dilation=(1, 1),
        groups=1,
        bias=step.shift,
    )


def _meeting_point() -> nir.AvgPool2d:
    return nir.AvgPool2d(_array((1, 1)), _array((1, 1)), _array((0, 0)))


def _neurons(step: Fire) -> nir.LIF:
    step.require("NIR", known=(), resets=("zero",))
    rule, full = step.dynamics, np.ones(step.target.shape, dtype=np.float32)
    if rule.tau is None:
        raise ExportError(
            f"{step.layer}: neurons '{rule.neuron}' without a leak cannot be expressed in NIR"
        )
    return nir.LIF(
        tau=full * np.float32(rule.tau * DT),
        r=full,
        v_leak=0 * full,
        v_threshold=full * np.float32(rule.threshold),
        v_reset=0 * full,
    )


def _node(step: Step, sd: NDArray[Any]) -> nir.NIRNode:
    if isinstance(step, Convolve):
        return _convolution(step, sd)
    if isinstance(step, Affine):
        return _diagonal(step)
    if isinstance(step, AveragePool):
        return nir.AvgPool2d(_array(step.window), _array(step.stride), _array(step.padding))
    if isinstance(step, Add):
        return _meeting_point()
    if isinstance(step, Fire):
        return _neurons(step)
    if isinstance(step, FireLevels):
        raise ExportError(
            f"{step.layer}: neurons '{step.rule.neuron}' fire several spikes at once, which cannot "
            "be expressed in NIR"
        )
    if isinstance(step, MaxPool):
        raise ExportError(
            f"{step.layer}: NIR has no max-pooling: use ONNX or C, or train with network/pooling: "
            "average"
        )
    raise ExportError(f"{step.layer}: {type(step).__name__} cannot be expressed in NIR")


def nir_graph(program: Program, sd: Sequence[float]) -> nir.NIRGraph:
    """Return the graph of a program.

    Args:
        program: in fp32.
        sd: standard deviation of each channel, for pixels in 0..1.

    Raises:
        ExportError: NIR cannot express a step; the message names it.

    """
    if program.delays:
        where = ", ".join(delay.read.name for delay in program.delays)
        raise ExportError(
            f"{where}: feedback of real values to the next time step cannot be expressed in NIR, "
            "where only the connections of spiking nodes may form loops: use ONNX or C"
        )
    if program.precision != "fp32":
        raise ExportError("NIR holds real weights: export the program before quantisation")
    nodes: dict[str, nir.NIRNode] = {
        "input": nir.Input(input_type={"input": np.array(program.image.shape)})
    }
    edges: list[tuple[str, str]] = []
    names: dict[Value, str] = {program.image: "input"}
    for step in program.steps:
        name = step.target.name
        nodes[name] = _node(step, np.asarray(sd))
        names[step.target] = name
        seen: set[Value] = set()
        for place, source in enumerate(step.sources):
            start = names[source]
            if source in seen:  # a second edge between the same two nodes would be lost
                again = f"{name}_again_{place}"
                nodes[again] = _meeting_point()
                edges.append((start, again))
                start = again
            seen.add(source)
            edges.append((start, name))
    nodes["flatten"] = nir.Flatten(
        input_type={"input": np.array(program.logits.shape)}, start_dim=0, end_dim=-1
    )
    nodes["output"] = nir.Output(output_type={"output": np.array([program.logits.shape[0]])})
    edges += [(names[program.logits], "flatten"), ("flatten", "output")]
    # Shapes are known; NIR's own inference does not know sums and average pooling.
    return nir.NIRGraph(nodes=nodes, edges=edges, type_check=False)


class _Neurons(nn.Module):
    """NIR's LIF in steps of `DT`, with the state that nirtorch hands around."""

    def __init__(self, node: nir.LIF) -> None:
        super().__init__()
        self.share = torch.from_numpy(np.asarray(DT / node.tau, dtype=np.float32))
        self.leak, self.reset, self.resistance, self.threshold = (
            torch.from_numpy(np.asarray(part, dtype=np.float32))
            for part in (node.v_leak, node.v_reset, node.r, node.v_threshold)
        )

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return spikes and potentials."""
        v = torch.zeros_like(x) if state is None else state
        v = v + self.share * (self.leak - v + self.resistance * x)
        fired = v >= self.threshold
        return fired.float(), torch.where(fired, self.reset, v)


def _flatten(node: nir.Flatten) -> nn.Module:
    """NIR's dimensions leave out the batch."""
    return nn.Flatten(node.start_dim + 1, node.end_dim)


@torch.no_grad()
def run_nir(path: Path, time_steps: int, images: Tensor) -> Tensor:
    """Read a graph back and run it; return the mean logits, [N, classes].

    Args:
        path: the file.
        time_steps: how often the image is presented.
        images: normalised, float [N, C, H, W].

    """
    module = nirtorch.nir_to_torch(nir.read(path), {nir.LIF: _Neurons, nir.Flatten: _flatten})
    state = None
    total = torch.zeros(())
    for _ in range(time_steps):
        logits, state = module(images, state)
        total = total + logits
    return total / time_steps
