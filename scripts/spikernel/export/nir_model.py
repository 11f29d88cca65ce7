"""A program as a graph of the Neuromorphic Intermediate Representation (NIR).

NIR (Pedersen et al., Nature Communications 15, 2024, doi 10.1038/s41467-024-52259-9) describes
neurons in continuous time; with the time step `DT` its LIF becomes ours: tau_nir = tau * DT, R = 1,
leak and reset at 0. The graph reads the normalised image at every time step; its output is
averaged over the time steps. Only those primitives are used that all common readers know: LIF,
Flatten, and Conv2d without groups, which stands for normalisations, means over windows, and sums,
too. NIR adds up what arrives at a node; a sum that several nodes read is a 1x1 convolution that
changes nothing.
"""

from collections import Counter
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

DT = 1e-4
"""Time step in s; the usual one of tools that read NIR."""


def _convolution(step: Convolve, sd: NDArray[Any]) -> nir.Conv2d:
    weight = step.weights.dequantised()
    if step.source.kind == "pixels":
        # Here pixels come normalised; the program's weights are for u - 255 mean.
        weight = (weight * (255 * sd)[:, None, None]).astype(np.float32)
    dense = _ungrouped(weight, step.groups)
    return _conv2d(step, dense, step.bias, step.stride, step.padding)


def _conv2d(
    step: Step,
    weight: NDArray[np.float32],
    bias: NDArray[np.float32] | None = None,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
) -> nir.Conv2d:
    """Return a convolution whose kernel is filled up with zeros to a square.

    The shape check of nir 1.0.8 knows no other kernels, so that it could not read them back.
    """
    rows, columns = weight.shape[2:]
    missing = [max(rows, columns) - length for length in (rows, columns)]
    if any(length % 2 for length in missing):
        raise ExportError(
            f"{step.layer}: a kernel of {rows}x{columns} cannot be expressed in NIR, whose shape "
            "check knows square ones only"
        )
    above, left = (length // 2 for length in missing)
    return nir.Conv2d(
        input_shape=step.sources[0].shape[1:],
        weight=np.pad(weight, ((0, 0), (0, 0), (above, above), (left, left))),
        stride=stride,
        padding=(padding[0] + above, padding[1] + left),
        dilation=(1, 1),
        groups=1,
        bias=np.zeros(len(weight), dtype=np.float32) if bias is None else bias,
    )


def _ungrouped(weight: NDArray[np.float32], groups: int) -> NDArray[np.float32]:
    """Return the weights of a convolution without groups, which SpikingJelly's reader refuses."""
    outputs, inputs = weight.shape[0] // groups, weight.shape[1]
    full = np.zeros((len(weight), inputs * groups, *weight.shape[2:]), dtype=np.float32)
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        full[rows, group * inputs : (group + 1) * inputs] = weight[rows]
    return full


def _average(step: AveragePool) -> nir.Conv2d:
    """Return a mean over windows as the convolution that it is.

    There is no pooling that all readers know: snnTorch and SpikingJelly have `AvgPool2d` alone,
    norse and sinabs `SumPool2d` alone.
    """
    share = np.float32(1 / (step.window[0] * step.window[1]))
    each = np.full((step.source.shape[0], 1, *step.window), share)
    weight = _ungrouped(each, step.source.shape[0])
    return _conv2d(step, weight, None, step.stride, step.padding)


def _diagonal(step: Affine) -> nir.Conv2d:
    return _conv2d(step, np.diag(step.scale)[:, :, None, None], step.shift)


def _identity(step: Step) -> nir.Conv2d:
    """Return a node that changes nothing, and adds up what arrives."""
    channels = step.sources[0].shape[0]
    return _conv2d(step, np.eye(channels, dtype=np.float32)[:, :, None, None])


def _neurons(step: Fire) -> nir.LIF:
    step.require("NIR", known=(), resets=("zero",))
    rule, full = step.dynamics, np.ones(step.target.shape, dtype=np.float32)
    # NIR fires above the threshold, we at it: at the number before, it is the same rule.
    threshold = np.nextafter(np.float32(rule.threshold), np.float32(-np.inf))
    if rule.tau is None:
        raise ExportError(
            f"{step.layer}: neurons '{rule.neuron}' without a leak cannot be expressed in NIR"
        )
    return nir.LIF(
        tau=full * np.float32(rule.tau * DT),
        r=full,
        v_leak=0 * full,
        v_threshold=full * threshold,
        v_reset=0 * full,
    )


def _node(step: Step, sd: NDArray[Any]) -> nir.NIRNode:
    if isinstance(step, Convolve):
        return _convolution(step, sd)
    if isinstance(step, Affine):
        return _diagonal(step)
    if isinstance(step, AveragePool):
        return _average(step)
    if isinstance(step, Add):
        return _identity(step)
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
    names: dict[Value, list[str]] = {program.image: ["input"]}
    """Nodes whose outputs add up to a value."""
    read = Counter(source for step in program.steps for source in step.sources)
    for step in program.steps:
        name = step.target.name
        starts = [start for source in step.sources for start in names[source]]
        if isinstance(step, Add) and read[step.target] == 1:
            names[step.target] = starts  # they meet at the one node that reads the sum
            continue
        nodes[name] = _node(step, np.asarray(sd))
        names[step.target] = [name]
        for place, start in enumerate(starts):
            if start in starts[:place]:  # a second edge between the same two nodes would be lost
                again = f"{name}_again_{place}"
                nodes[again] = _identity(step)
                edges.append((start, again))
                start = again
            edges.append((start, name))
    # Counted from the end, the dimensions are the same whether a reader counts the batch or not.
    nodes["flatten"] = nir.Flatten(
        input_type={"input": np.array(program.logits.shape)}, start_dim=-3, end_dim=-1
    )
    nodes["output"] = nir.Output(output_type={"output": np.array([program.logits.shape[0]])})
    edges += [(start, "flatten") for start in names[program.logits]] + [("flatten", "output")]
    return nir.NIRGraph(nodes=nodes, edges=edges)


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
        fired = v > self.threshold
        return fired.float(), torch.where(fired, self.reset, v)


@torch.no_grad()
def run_nir(path: Path, time_steps: int, images: Tensor) -> Tensor:
    """Read a graph back and run it; return the mean logits, [N, classes].

    Args:
        path: the file.
        time_steps: how often the image is presented.
        images: normalised, float [N, C, H, W].

    """
    module = nirtorch.nir_to_torch(nir.read(path), {nir.LIF: _Neurons})
    state = None
    total = torch.zeros(())
    for _ in range(time_steps):
        logits, state = module(images, state)
        total = total + logits
    return total / time_steps
