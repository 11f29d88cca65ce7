from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from nets import (
    CLASSES,
    FACTORS,
    FEEDBACK,
    FORWARD,
    MEAN,
    MODERN,
    SD,
    SKIPS,
    THRESHOLDS,
    active_net,
    images,
    logits,
)

from spikernel.export.interpret import Interpreter
from spikernel.export.lowering import lower
from spikernel.export.onnx_model import onnx_model, run_onnx, states
from spikernel.export.quantise import quantise


@pytest.mark.parametrize("settings", [{}, MODERN])
@pytest.mark.parametrize("archid", [FORWARD, FEEDBACK, SKIPS, FACTORS, THRESHOLDS])
def test_time_steps_in_onnxruntime_give_the_nets_logits(
    archid: str, settings: dict[str, Any]
) -> None:
    net = active_net(archid, **settings)
    program = lower(net, MEAN, SD, CLASSES)
    found = run_onnx(onnx_model(program).SerializeToString(), program, images().numpy())
    np.testing.assert_allclose(found, logits(net, images()).numpy(), rtol=1e-4, atol=1e-5)


def test_int8_weights_are_stored_as_int8() -> None:
    program = lower(active_net(FORWARD), MEAN, SD, CLASSES)
    int8 = quantise(program)
    model = onnx_model(int8)
    stored = {item.name: item.data_type for item in model.graph.initializer}
    kinds = [kind for name, kind in stored.items() if name.endswith("_weights")]
    assert kinds == [onnx.TensorProto.INT8] * 10
    assert len(model.SerializeToString()) < len(onnx_model(program).SerializeToString())
    found = run_onnx(model.SerializeToString(), int8, images().numpy())
    expected = Interpreter(int8).logits(images()).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_states_are_inputs_and_outputs() -> None:
    lowered = lower(active_net(FEEDBACK), MEAN, SD, CLASSES)
    program = replace(lowered, weights_sha256="a1b2")
    model = onnx_model(program)
    inputs = [value.name for value in model.graph.input]
    outputs = [value.name for value in model.graph.output]
    assert inputs[0] == "image"
    assert outputs[0] == "logits"
    assert outputs[1:] == [f"{name}_next" for name in inputs[1:]]
    assert inputs[1:] == list(states(program))
    # Feedback arrives at nodes 0 and 1 of both cells.
    kept = [name for name in inputs if "feedback" in name]
    assert kept == [f"cell{cell}_feedback{node}" for cell in (1, 2) for node in (0, 1)]
    properties = {item.key: item.value for item in model.metadata_props}
    assert properties == {
        "time_steps": "3", "classes": "a\nb\nc\nd", "weights_sha256": "a1b2",
    }  # fmt: skip


def test_one_step_is_one_step() -> None:
    """Two sequences at once do not mix, and the batch is free."""
    program = lower(active_net(FORWARD), MEAN, SD, CLASSES)
    data = onnx_model(program).SerializeToString()
    together = run_onnx(data, program, images(4).numpy())
    alone = run_onnx(data, program, images(4)[2:3].numpy())
    np.testing.assert_allclose(together[2:3], alone, atol=1e-6)
