"""Every form of nets of the other models of neurons, against the net."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nets import (
    CLASSES,
    COMPACT,
    FACTORS,
    FEEDBACK,
    FORWARD,
    MEAN,
    MODERN,
    SD,
    THRESHOLDS,
    active_net,
    images,
    logits,
    run_c,
)  # fmt: skip

from spikernel.errors import ExportError
from spikernel.export import compiler
from spikernel.export.builder import Builder
from spikernel.export.c_source import c_files
from spikernel.export.interpret import Interpreter
from spikernel.export.lowering import lower
from spikernel.export.memory_plan import elements, plan
from spikernel.export.nir_model import nir_graph
from spikernel.export.onnx_model import onnx_model, run_onnx
from spikernel.export.program import Program
from spikernel.export.quantise import quantise
from spikernel.export.steps import FireLevels, Value
from spikernel.network.dynamics import Levels
from spikernel.network.spiking_net import SpikingNet

SOFT: dict[str, Any] = {"neuron": "if_soft", "time_steps": 4, "head": "gap"}
INTEGER: dict[str, Any] = {"neuron": "integer", "time_steps": 1, "levels": 3, "level_range": 1.5}
LEAKY: dict[str, Any] = {"neuron": "lif", "time_steps": 3}
TWO_STAGES: dict[str, Any] = {"stages": 2, "stage_widths": (1, 2)}
NETS = [
    pytest.param(FORWARD, SOFT, id="soft"),
    pytest.param(FEEDBACK, MODERN | SOFT, id="soft-feedback"),
    pytest.param(THRESHOLDS, SOFT, id="soft-thresholds"),
    pytest.param(FORWARD, INTEGER, id="integer"),
    pytest.param(FACTORS, MODERN | INTEGER, id="integer-modern"),
    pytest.param(THRESHOLDS, INTEGER | {"levels": 200, "head": "gap"}, id="integer-200"),
    pytest.param(FORWARD, COMPACT | INTEGER, id="integer-compact"),
    pytest.param(FACTORS, COMPACT | TWO_STAGES | INTEGER, id="integer-compact-factors"),
    pytest.param(FEEDBACK, COMPACT | SOFT, id="soft-compact-feedback"),
    pytest.param(THRESHOLDS, COMPACT | TWO_STAGES | LEAKY, id="lif-compact"),
]


def net_and_program(archid: str, settings: dict[str, Any]) -> tuple[SpikingNet, Program]:
    net = active_net(archid, **settings)
    assert logits(net, images()).std(0).min() > 0
    return net, lower(net, MEAN, SD, CLASSES)


@pytest.mark.parametrize(("archid", "settings"), NETS)
@pytest.mark.parametrize("ordered", [False, True])
def test_program_and_onnx_give_the_nets_logits(
    archid: str, settings: dict[str, Any], ordered: bool
) -> None:
    net, program = net_and_program(archid, settings)
    expected = logits(net, images())
    found = Interpreter(program, ordered=ordered).logits(images())
    # Rounding may tip a neuron to the next of 200 levels, which moves a logit a little.
    close = {"rtol": 1e-4, "atol": 1e-4 if settings.get("levels") != 200 else 2e-3}
    torch.testing.assert_close(found, expected, **close)
    assert torch.equal(found.argmax(1), expected.argmax(1))
    ran = run_onnx(onnx_model(program).SerializeToString(), program, images().numpy())
    np.testing.assert_allclose(ran, expected.numpy(), **close)
    int8 = quantise(program)
    ran = run_onnx(onnx_model(int8).SerializeToString(), int8, images().numpy())
    np.testing.assert_allclose(ran, Interpreter(int8).logits(images()).numpy(), **close)


@pytest.mark.skipif(compiler.find_compiler() is None, reason="needs a C compiler")
@pytest.mark.parametrize(("archid", "settings"), NETS)
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_c_gives_the_same_bits(
    archid: str, settings: dict[str, Any], precision: str, tmp_path: Path
) -> None:
    net, program = net_and_program(archid, settings)
    form = program if precision == "fp32" else quantise(program)
    expected = Interpreter(form, ordered=True).logits(images()).numpy()
    assert expected.std(0).min() > 0
    answers = run_c(form, images(), tmp_path)
    assert np.array_equal(answers.logits, expected)
    if precision == "fp32":
        assert answers.classes.tolist() == logits(net, images()).argmax(1).tolist()


@pytest.mark.skipif(compiler.find_compiler() is None, reason="needs a C compiler")
@pytest.mark.parametrize("settings", [SOFT, COMPACT | INTEGER], ids=["soft", "integer"])
def test_strictest_warnings(settings: dict[str, Any], tmp_path: Path) -> None:
    _, program = net_and_program(FORWARD, settings)
    found = compiler.find_compiler()
    assert found
    strict = ("-Wpedantic", "-Wshadow", "-Wconversion", "-Wstrict-prototypes", "-ffreestanding")
    for form in (program, quantise(program)):
        compiler.write_sources(tmp_path, c_files(form, "test"))
        command = [*found, *compiler.FLAGS, *strict, "-c", "model.c", "-o", "model.o"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(compiler.find_compiler() is None, reason="needs a C compiler")
def test_ties_go_to_the_even_level_in_c(tmp_path: Path) -> None:
    """Whole weights and pixels, D / range = 1 / 2: every odd sum is a tie."""
    builder = Builder(Value("image", (1, 2, 2), "pixels"), [0.0], [1 / 255])
    stem = torch.nn.Conv2d(1, 4, 1, bias=False)
    stem.weight.data = torch.tensor([1.0, -1, 3, 0.5]).view(4, 1, 1, 1)
    x = builder.convolve("stem", builder.image, stem)
    x = builder.fire("first", x, Levels(neuron="integer", levels=6, range=12.0))
    x = builder.linear("outputs", x, np.eye(4, 16), np.zeros(4))
    program = builder.program(x, 1, CLASSES)
    pixels = torch.arange(40, dtype=torch.uint8).view(10, 1, 2, 2)
    expected = Interpreter(program, ordered=True).logits(pixels).numpy()
    assert np.array_equal(run_c(program, pixels, tmp_path).logits, expected)
    # The outputs are the first channel's pixels 0, 0.5, 1 and 1.5.
    assert expected[0].tolist() == pytest.approx([0, 0, 1 / 6, 2 / 6])


def test_levels_take_a_byte_and_no_state() -> None:
    _, program = net_and_program(FORWARD, INTEGER)
    fired = [step for step in program.steps if isinstance(step, FireLevels)]
    memory = plan(program)
    assert len(fired) == 9
    assert all(memory.places[step.target].element == "uint8_t" for step in fired)
    assert all(elements(step.target) == step.target.size for step in fired)
    assert program.state_bytes == memory.state_bytes == 0
    assert program.neurons == sum(step.target.size for step in fired)
    assert not program.repeated, "without a state, nothing differs from step to step"
    assert program.neuron_rules == ["integer: round(clip(x / range, 0, 1) * 3) spikes at once"]
    assert "static float cell1" not in c_files(program, "test")["model.c"]


def test_pooled_levels_are_whole_numbers_in_int8() -> None:
    _, program = net_and_program(FORWARD, INTEGER)
    int8 = quantise(program)
    pooled = next(step.target for step in int8.steps if step.layer == "head.pool")
    assert (pooled.kind, pooled.limit) == ("counts", 2 * 2 * 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (SOFT, r"^cell1\.neurons\.0: neurons 'if_soft' with reset 'subtract' cannot .* in NIR$"),
        (
            INTEGER,
            r"^cell1\.neurons\.0: neurons 'integer' fire several spikes at once, which",
        ),
    ],
)
def test_nir_refuses_them_by_name(settings: dict[str, Any], message: str) -> None:
    _, program = net_and_program(FORWARD, settings)
    with pytest.raises(ExportError, match=message):
        nir_graph(program, SD)
