"""Max-pooling: by hand, with the batch norm behind it, and where memory or a form has no place."""

from pathlib import Path

import numpy as np
import pytest
import torch
from nets import (
    CLASSES,
    COMPACT,
    FORWARD,
    MEAN,
    SD,
    active_net,
    images,
    logits,
    run_c,
)
from test_memory_plan import owners_hold
from torch import nn

from spikernel.errors import ExportError
from spikernel.export import compiler
from spikernel.export.builder import Builder
from spikernel.export.interpret import Interpreter
from spikernel.export.lowering import lower
from spikernel.export.memory_plan import plan
from spikernel.export.nir_model import nir_graph
from spikernel.export.onnx_model import onnx_model, run_onnx
from spikernel.export.program import Program
from spikernel.export.quantise import quantise
from spikernel.export.steps import Affine, MaxPool, Value
from spikernel.network.spiking_net import SpikingNet

LEAKY = {"neuron": "lif", "time_steps": 3}


def by_every_form(program: Program, pixels: torch.Tensor, folder: Path) -> list[np.ndarray]:
    forms = [
        Interpreter(program).logits(pixels).numpy(),
        run_onnx(onnx_model(program).SerializeToString(), program, pixels.numpy()),
    ]
    if compiler.find_compiler() is not None:
        forms.append(run_c(program, pixels, folder).logits)
    return forms


def test_maxima_by_hand(tmp_path: Path) -> None:
    """Two channels, u and 100 - u, of a 3x5 map: its last row and column fill no window."""
    builder = Builder(Value("image", (1, 3, 5), "pixels"), [0.0], [1 / 255])
    conv = nn.Conv2d(1, 2, 1)
    conv.weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    conv.bias.data = torch.tensor([0.0, 100.0])
    x = builder.largest("pool", builder.convolve("stem", builder.image, conv), (2, 2))
    assert x.shape == (2, 1, 2)
    x = builder.linear("outputs", x, np.eye(4), np.zeros(4))
    program = builder.program(x, 1, CLASSES)
    pixels = torch.tensor([[1, 8, 3, 4, 99], [5, 6, 7, 2, 99], [99] * 5], dtype=torch.uint8)
    for found in by_every_form(program, pixels[None, None], tmp_path):
        # Windows {1, 8, 5, 6} and {3, 4, 7, 2}: largest 8 and 7, smallest 1 and 2.
        assert found.tolist() == [[8, 7, 99, 98]]


def falling_net() -> SpikingNet:
    """Return a net in which one channel of one norm behind a max-pool falls."""
    net = active_net(FORWARD, **COMPACT, **LEAKY, norm_scale="learned")
    with torch.no_grad():
        net.transition.widen.norm.weight[1] = -0.8
    return net


def test_rising_norms_are_folded_into_the_convolution_and_others_stay_behind(
    tmp_path: Path,
) -> None:
    program = lower(falling_net(), MEAN, SD, CLASSES)
    pools = [step.layer for step in program.steps if isinstance(step, MaxPool)]
    places = ("transition0", "transition", "transition2")
    assert pools == [f"{place}.widen.pool" for place in places]
    assert [step.layer for step in program.steps if isinstance(step, Affine)] == [
        "transition.widen.norm"
    ]
    expected = logits(falling_net(), images())
    assert expected.std(0).min() > 0
    for found in by_every_form(program, images(), tmp_path):
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-4)
    fixed = lower(active_net(FORWARD, **COMPACT, **LEAKY), MEAN, SD, CLASSES)
    assert not any(isinstance(step, Affine) for step in fixed.steps)
    # What is folded adds nothing: two numbers for each of 8 channels.
    assert program.parameters == fixed.parameters + 2 * 8


@pytest.mark.skipif(compiler.find_compiler() is None, reason="needs a C compiler")
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_norm_that_stays_gives_the_same_bits_in_c(precision: str, tmp_path: Path) -> None:
    program = lower(falling_net(), MEAN, SD, CLASSES)
    form = program if precision == "fp32" else quantise(program)
    expected = Interpreter(form, ordered=True).logits(images()).numpy()
    assert np.array_equal(run_c(form, images(), tmp_path).logits, expected)


def test_maps_before_and_after_a_max_pool_do_not_share_memory() -> None:
    program = lower(active_net(FORWARD, **COMPACT, **LEAKY), MEAN, SD, CLASSES)
    memory = plan(program)
    owners_hold(program, memory)
    pool = next(step for step in program.steps if isinstance(step, MaxPool))
    assert (pool.source.shape, pool.target.shape) == ((4, 10, 10), (4, 5, 5))
    # Alive at once: the stem's output, for the next step, 6 channels of 10x10, and these two.
    assert memory.arena_elements["float"] == 600 + 400 + 100


def test_nir_refuses_it_by_name() -> None:
    program = lower(active_net(FORWARD, **COMPACT, **LEAKY), MEAN, SD, CLASSES)
    with pytest.raises(ExportError, match=r"^transition0\.widen\.pool: NIR has no max-pooling"):
        nir_graph(program, SD)
