"""One time step of a program as an ONNX model with explicit state.

Inputs: `image`, uint8 [N, C, H, W], as it comes (the normalisation is part of the model), and
one state per layer of neurons that has a potential, and per delayed value. Outputs: `logits`
[N, classes] of that time step, and each state after it, with the suffix `_next`. Start from zeros,
feed the outputs back, average the logits over the time steps. What is the same at every time step
is computed at each.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from spikernel import __version__
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
)

OPSET = 18
NEXT = "_next"
"""Suffix of the outputs that carry a state on."""


class _Graph:
    """Nodes and constants under construction."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._known: set[str] = set()

    def constant(self, name: str, array: NDArray[Any]) -> str:
        if name not in self._known:
            self._known.add(name)
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def add(self, step: Step) -> None:
        if isinstance(step, Convolve):
            self._convolve(step)
        elif isinstance(step, AveragePool):
            self._average(step)
        elif isinstance(step, MaxPool):
            self._largest(step)
        elif isinstance(step, Fire):
            self._fire(step)
        elif isinstance(step, FireLevels):
            self._fire_levels(step)
        elif isinstance(step, Affine):
            self._affine(step)
        elif isinstance(step, Add):
            self._add(step)
        else:
            raise ExportError(f"{step.layer}: {type(step).__name__} cannot be exported to ONNX")

    def _convolve(self, step: Convolve) -> None:
        name, source = step.target.name, step.source.name
        if step.source.kind != "real":
            source = self.node("Cast", [source], f"{name}_input", to=TensorProto.FLOAT)
        if step.centre is not None:
            centre = step.centre.astype(np.float32).reshape(1, -1, 1, 1)
            source = self.node(
                "Sub", [source, self.constant(f"{name}_centre", centre)], f"{name}_centred"
            )
        weights = self.constant(f"{name}_weights", step.weights.values)
        if step.weights.scale is not None:
            scale = self.constant(f"{name}_scale", step.weights.scale)
            weights = self.node("DequantizeLinear", [weights, scale], f"{name}_real", axis=0)
        self.node(
            "Conv",
            [source, weights, self.constant(f"{name}_bias", step.bias)],
            name,
            strides=step.stride,
            pads=_pads(step.padding),
            group=step.groups,
            kernel_shape=step.kernel,
        )

    def _average(self, step: AveragePool) -> None:
        name, most = step.target.name, step.source.limit
        counted = step.target.kind == "counts"
        mean = self.node(
            "AveragePool",
            [step.source.name],
            f"{name}_mean" if counted or most > 1 else name,
            kernel_shape=step.window,
            strides=step.stride,
            pads=_pads(step.padding),
            count_include_pad=1,
        )
        if counted:
            window = np.array(step.window[0] * step.window[1], dtype=np.float32)
            size = self.constant(f"{name}_window", window)
            product = self.node("Mul", [mean, size], f"{name}_product")
            self.node("Round", [product], name)
        elif most > 1:
            share = self.constant(f"{name}_share", np.array(1 / most, dtype=np.float32))
            self.node("Mul", [mean, share], name)

    def _largest(self, step: MaxPool) -> None:
        self.node(
            "MaxPool",
            [step.source.name],
            step.target.name,
            kernel_shape=step.window,
            strides=step.window,
        )

    def _fire(self, step: Fire) -> None:
        name, state = step.target.name, step.state
        rule, part = step.dynamics, step.source.name
        step.require("ONNX", known=("initial",) if rule.tau is None else ())
        if rule.tau is not None:
            share = self.constant(f"{name}_inverse_tau", np.array(1 / rule.tau, dtype=np.float32))
            difference = self.node("Sub", [part, state], f"{name}_difference")
            part = self.node("Mul", [difference, share], f"{name}_part")
        # A state is the potential minus that at rest, so that all states start from zeros.
        level = np.array(rule.threshold - rule.initial, dtype=np.float32)
        threshold = self.constant(f"{name}_threshold", level)
        charged = self.node("Add", [state, part], f"{name}_charged")
        fired = self.node("GreaterOrEqual", [charged, threshold], f"{name}_fired")
        self.node("Cast", [fired], name, to=TensorProto.FLOAT)
        if rule.reset == "zero":
            reset = np.array(-rule.initial if rule.initial else 0, dtype=np.float32)
            after = self.constant(f"{name}_reset", reset)
        else:
            full = self.constant(f"{name}_step", np.array(rule.threshold, dtype=np.float32))
            after = self.node("Sub", [charged, full], f"{name}_reset")
        self.node("Where", [fired, after, charged], state + NEXT)

    def _fire_levels(self, step: FireLevels) -> None:
        name, rule = step.target.name, step.rule
        numbers = {"scale": rule.levels / rule.range, "least": 0, "most": rule.levels}
        scale, least, most = (
            self.constant(f"{name}_{key}", np.array(number, dtype=np.float32))
            for key, number in numbers.items()
        )
        product = self.node("Mul", [step.source.name, scale], f"{name}_scaled")
        clipped = self.node("Clip", [product, least, most], f"{name}_clipped")
        self.node("Round", [clipped], name)

    def _affine(self, step: Affine) -> None:
        name = step.target.name
        scale = self.constant(f"{name}_scale", step.scale.reshape(1, -1, 1, 1))
        shift = self.constant(f"{name}_shift", step.shift.reshape(1, -1, 1, 1))
        product = self.node("Mul", [step.source.name, scale], f"{name}_scaled")
        self.node("Add", [product, shift], name)

    def _add(self, step: Add) -> None:
        left = step.terms[0].name
        for place, term in enumerate(step.terms[1:], start=2):
            last = place == len(step.terms)
            name = step.target.name if last else f"{step.target.name}_{place}"
            left = self.node("Add", [left, term.name], name)


def _pads(padding: Pair) -> list[int]:
    return [*padding, *padding]


def _tensor(name: str, shape: tuple[int, int, int], kind: int) -> Any:
    return helper.make_tensor_value_info(name, kind, ["N", *shape])


def states(program: Program) -> dict[str, tuple[int, int, int]]:
    """Return the shape (C, H, W) of every state by its name."""
    potentials = {step.state: step.target.shape for step in program.steps if isinstance(step, Fire)}
    return potentials | {delay.read.name: delay.read.shape for delay in program.delays}


def onnx_model(program: Program) -> onnx.ModelProto:
    """Return the model, checked; int8 weights are dequantised inside of it.

    Raises:
        ExportError: a step cannot be expressed.

    """
    graph = _Graph()
    for step in program.steps:
        graph.add(step)
    for delay in program.delays:
        graph.node("Identity", [delay.write.name], delay.read.name + NEXT)
    flat = graph.constant("flat", np.array([0, -1], dtype=np.int64))
    graph.node("Reshape", [program.logits.name, flat], "logits")
    kept = states(program)
    floats = TensorProto.FLOAT
    made = helper.make_graph(
        graph.nodes,
        "spikernel_time_step",
        [
            _tensor("image", program.image.shape, TensorProto.UINT8),
            *(_tensor(name, shape, floats) for name, shape in kept.items()),
        ],
        [
            helper.make_tensor_value_info("logits", floats, ["N", program.logits.shape[0]]),
            *(_tensor(name + NEXT, shape, floats) for name, shape in kept.items()),
        ],
        graph.constants,
    )
    model = helper.make_model(
        made,
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="spikernel",
        producer_version=__version__,
        ir_version=9,
    )
    helper.set_model_props(
        model,
        {
            "time_steps": str(program.time_steps),
            "classes": "\n".join(program.classes),
            "weights_sha256": program.weights_sha256,
        },
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def run_onnx(data: bytes, program: Program, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Run a model over all time steps in onnxruntime; return the mean logits, [N, classes].

    Args:
        data: the serialised model.
        program: which it was made from; it knows the states.
        images: uint8 [N, C, H, W].

    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    kept = {
        name: np.zeros((len(images), *shape), dtype=np.float32)
        for name, shape in states(program).items()
    }
    total = np.zeros((len(images), program.logits.shape[0]), dtype=np.float32)
    for _ in range(program.time_steps):
        logits, *after = session.run(None, {"image": images, **kept})
        kept = dict(zip(kept, after, strict=True))
        total += logits
    return total / np.float32(program.time_steps)
