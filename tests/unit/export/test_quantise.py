from dataclasses import replace

import numpy as np
import pytest
import torch
from nets import CLASSES, FEEDBACK, FORWARD, MEAN, SD, active_net, images, lif_rule
from torch import nn

from spikernel.errors import ExportError
from spikernel.export.builder import Builder
from spikernel.export.c_source import c_files
from spikernel.export.interpret import Interpreter
from spikernel.export.lowering import lower
from spikernel.export.program import Program
from spikernel.export.quantise import quantise, quantise_weights
from spikernel.export.steps import Affine, AveragePool, Convolve, Floats, Value, Weights


def convolutions(program: Program) -> dict[str, Convolve]:
    return {step.layer: step for step in program.steps if isinstance(step, Convolve)}


def test_weights_by_hand() -> None:
    values = np.array([[0.5, -1.27, 0.004], [0.0, 0.0, 0.0], [2.54, 1.0, -0.02]], dtype=np.float32)
    found = quantise_weights(values.reshape(3, 3, 1, 1))
    assert found.scale is not None
    # Scales 1.27 / 127 and 2.54 / 127; a channel of zeros keeps a scale that is not zero.
    np.testing.assert_allclose(found.scale, [0.01, 1 / 127, 0.02], rtol=1e-6)
    assert found.values.reshape(3, 3).tolist() == [[50, -127, 0], [0, 0, 0], [127, 50, -1]]
    assert found.bytes == 9 + 3 * 4


def test_bytes_by_hand() -> None:
    program = lower(active_net(FORWARD), MEAN, SD, CLASSES)
    int8 = quantise(program)
    # 5 channels, then 10; 10x10 images, 5x5 maps, pooled to 2x2; 9 hidden neurons, 4 classes.
    cell1, cell2 = (channels * channels * (9 + 1 + 25) for channels in (5, 10))
    weights = 5 * 3 * 9 + cell1 + 10 * 5 * 9 + cell2 + 9 * 40 + 4 * 9
    outputs = 5 + 3 * 5 + 10 + 3 * 10 + 9 + 4
    norms, centre = 2 * 5 + 2 * 10, 3
    assert program.parameters == weights + outputs + norms
    assert program.parameter_bytes == 4 * (weights + outputs + norms + centre)
    assert int8.parameter_bytes == weights + 4 * 2 * outputs + 4 * norms + 2 * centre


@pytest.mark.parametrize("archid", [FORWARD, FEEDBACK])
def test_weights_are_rounded_and_nothing_else_changes(archid: str) -> None:
    program = lower(active_net(archid), MEAN, SD, CLASSES)
    int8 = quantise(program)
    rounded = convolutions(int8)
    for layer, exact in convolutions(program).items():
        step = rounded[layer]
        assert step.weights.values.dtype == np.int8
        limit = step.source.limit if step.source.kind == "counts" else 1
        assert step.weights.scale is not None
        half = 0.5001 * limit * step.weights.scale[:, None, None, None]
        assert (np.abs(real_weights(step) - exact.weights.values) <= half).all(), layer
    # The float program with the rounded weights computes the same: integer sums lose nothing.
    steps = tuple(
        replace(
            step,
            weights=Weights(real_weights(rounded[step.layer])),
            bias=rounded[step.layer].bias,
            centre=rounded[step.layer].centre,
        )
        if isinstance(step, Convolve)
        else step
        for step in program.steps
    )
    found = Interpreter(int8).logits(images())
    expected = Interpreter(replace(program, steps=steps)).logits(images())
    assert found.std(0).min() > 0
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def real_weights(step: Convolve) -> Floats:
    limit = step.source.limit if step.source.kind == "counts" else 1
    return step.weights.dequantised() * np.float32(limit)


def test_pooled_spikes_become_counts() -> None:
    int8 = quantise(lower(active_net(FORWARD), MEAN, SD, CLASSES))
    pools = {step.layer: step for step in int8.steps if isinstance(step, AveragePool)}
    assert pools["head.pool"].target.kind == "counts"
    assert pools["head.pool"].target.limit == 4
    assert pools["transition.pool"].target.kind == "real"
    assert any(isinstance(step, Affine) for step in int8.steps)


@pytest.mark.parametrize(("side", "kind"), [(240, "counts"), (255, "real")])
def test_a_mean_stays_real_where_sums_over_counts_might_not_fit(side: int, kind: str) -> None:
    """A sum is at most 290 x 127 x 240 x 240 = 2,121,408,000 < 2^31; with 255 it might be more."""
    builder = Builder(Value("image", (1, 256, 256), "pixels"), MEAN[:1], SD[:1])
    x = builder.convolve("stem", builder.image, nn.Conv2d(1, 290, 1))
    x = builder.fire("neurons", x, lif_rule(2.0, 1.0))
    x = builder.average("pool", x, (side, side), (side, side))
    x = builder.linear("outputs", x, np.ones((4, 290)), np.zeros(4))
    int8 = quantise(builder.program(x, 1, CLASSES))
    outputs = convolutions(int8)["outputs"]
    assert outputs.source.kind == kind
    assert outputs.whole == (kind == "counts")
    assert len(c_files(int8, "test")) == 5


def test_sums_that_might_not_fit_are_refused() -> None:
    """Over pixels, 260 x 260 x 127 x 255 is above 2^31; with windows of 250 x 250 it is below."""
    for side in (250, 260):
        builder = Builder(Value("image", (1, 260, 260), "pixels"), MEAN[:1], SD[:1])
        x = builder.convolve("stem", builder.image, nn.Conv2d(1, 4, side))
        program = builder.program(builder.average("mean", x, x.shape[1:], (1, 1)), 1, CLASSES)
        if side == 250:
            assert convolutions(quantise(program))["stem"].whole
            continue
        with pytest.raises(ExportError, match=r"^stem: sums over 67600 inputs of up to 255 may"):
            quantise(program)


def test_order_of_integer_sums_does_not_matter() -> None:
    int8 = quantise(lower(active_net(FORWARD), MEAN, SD, CLASSES))
    fast, slow = (Interpreter(int8, ordered=ordered).logits(images()) for ordered in (False, True))
    assert torch.equal(fast, slow)


def test_pixels_are_centred_without_a_shift_inside_the_image() -> None:
    """A pixel's mean lies between two grey levels; the bias takes up the difference."""
    net = active_net(FORWARD)
    stem = convolutions(quantise(lower(net, MEAN, SD, CLASSES)))["stem"]
    assert stem.centre is not None
    assert stem.centre.dtype == np.int16
    assert stem.centre.tolist() == [102, 128, 153]  # 255 times 0.4, 0.5, 0.6
    weights = stem.weights.dequantised().astype(np.float64)
    flat = np.full(3, 200.0)
    ours = (weights * (flat - stem.centre)[:, None, None]).sum(axis=(1, 2, 3)) + stem.bias
    exact = convolutions(lower(net, MEAN, SD, CLASSES))["stem"]
    true = (weights * (flat - 255 * np.array(MEAN))[:, None, None]).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(ours, true + exact.bias, rtol=1e-4, atol=1e-4)
