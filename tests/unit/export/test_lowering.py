import dataclasses

import numpy as np
import pytest
import torch
from nets import (
    CLASSES,
    FACTORS,
    FEEDBACK,
    FORWARD,
    MEAN,
    MODERN,
    SD,
    SKIPS,
    active_net,
    images,
    logits,
)
from torch import nn

from spikernel.errors import ExportError
from spikernel.export.interpret import Interpreter
from spikernel.export.lowering import lower
from spikernel.export.steps import Convolve, Fire
from spikernel.network.blocks import ConvNorm


@pytest.mark.parametrize("head", ["fc", "gap"])
@pytest.mark.parametrize("archid", [FORWARD, FEEDBACK, SKIPS])
@pytest.mark.parametrize("ordered", [False, True])
def test_program_computes_what_the_net_computes(archid: str, head: str, ordered: bool) -> None:
    net = active_net(archid, head=head)
    expected = logits(net, images())
    assert expected.std(0).min() > 0, "the outputs must depend on the images"
    program = lower(net, MEAN, SD, CLASSES)
    found = Interpreter(program, ordered=ordered).logits(images())
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("archid", [FORWARD, FEEDBACK, FACTORS])
@pytest.mark.parametrize("downsampling", ["pool", "stride"])
def test_every_part_of_a_modern_net(archid: str, downsampling: str) -> None:
    net = active_net(archid, **MODERN, downsampling=downsampling)
    program = lower(net, MEAN, SD, CLASSES)
    found = Interpreter(program, ordered=False).logits(images())
    torch.testing.assert_close(found, logits(net, images()), rtol=1e-4, atol=1e-4)


def test_stem_pooling_and_linear_part_run_once() -> None:
    program = lower(active_net("avg-skip-k3-skip-zero-skip"), MEAN, SD, CLASSES)
    # Node 1 of the first cell is a pooled stem, node 2 the sum of both: the same at every step.
    assert [step.layer for step in program.once] == ["stem", "cell1.01_avg", "cell1.node2"]
    assert not any(isinstance(step, Fire) for step in program.once)


def test_norms_and_votes_are_folded() -> None:
    net = active_net(FORWARD)
    program = lower(net, MEAN, SD, CLASSES)
    layers = {step.layer: step for step in program.steps}
    widen, outputs = layers["transition.widen"], layers["head.outputs"]
    assert isinstance(widen, Convolve)
    assert isinstance(outputs, Convolve)
    norm = net.transition.widen.norm
    scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
    folded = net.transition.widen.conv.weight.detach() * scale.view(-1, 1, 1, 1)
    np.testing.assert_allclose(widen.weights.values, folded.numpy(), rtol=1e-5)
    # Three votes for each of four classes become one row each, their mean.
    votes = net.head.outputs.weight.detach().view(4, 3, 9).mean(1)
    np.testing.assert_allclose(outputs.weights.values[:, :, 0, 0], votes.numpy(), rtol=1e-5)


class Unknown(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class WithMore(ConvNorm):
    """A subclass may do anything, so it is not taken for its parent."""


def test_unknown_modules_are_refused_by_name() -> None:
    net = active_net(FORWARD)
    net.transition.norm = Unknown()  # type: ignore[assignment]
    with pytest.raises(ExportError, match=r"^transition\.norm: Unknown cannot be exported; known"):
        lower(net, MEAN, SD, CLASSES)
    net = active_net(FORWARD)
    net.stem = WithMore(3, 5, 3)
    with pytest.raises(ExportError, match=r"^stem: WithMore cannot be exported"):
        lower(net, MEAN, SD, CLASSES)


def test_layer_that_no_rule_takes_up_is_refused() -> None:
    net = active_net(FORWARD)
    net.stem.gain = nn.Linear(2, 2)
    with pytest.raises(ExportError, match=r"^stem\.gain: Linear is not part of the exported net"):
        lower(net, MEAN, SD, CLASSES)


def test_shapes_and_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ExportError, match=r"reads 3 channels and has 4 classes, but there are 1"):
        lower(active_net(FORWARD), [0.5], [0.2], CLASSES)
    net = active_net(FORWARD)
    net.cell2 = net.cell1
    with pytest.raises(ExportError, match=r"expects 5 channels, but .* has 10"):
        lower(net, MEAN, SD, CLASSES)
    net = active_net(FORWARD)
    with torch.no_grad():
        net.stem.conv.weight[0, 0, 0, 0] = torch.nan
    with pytest.raises(ExportError, match=r"^stem: a weight is not finite"):
        lower(net, MEAN, SD, CLASSES)
    net = active_net(FORWARD)
    net.stem.conv.dilation = (2, 2)
    with pytest.raises(ExportError, match=r"^stem: a convolution with dilation cannot be exported"):
        lower(net, MEAN, SD, CLASSES)


def test_neurons_keep_their_own_constants() -> None:
    net = active_net(FORWARD)
    net.transition.neuron.initial_tau = 2.5
    net.head.neuron.threshold = 0.75
    program = lower(net, MEAN, SD, CLASSES)
    rules = {s.layer: s.dynamics for s in program.steps if isinstance(s, Fire)}
    found = {layer: (rule.tau, rule.threshold) for layer, rule in rules.items()}
    assert found["transition.neuron"] == (2.5, 1.0)
    assert found["head.neuron"] == (4 / 3, 0.75)
    expected = logits(net, images())
    torch.testing.assert_close(Interpreter(program).logits(images()), expected)


def test_programs_are_frozen() -> None:
    program = lower(active_net(FORWARD), MEAN, SD, CLASSES)
    with pytest.raises(dataclasses.FrozenInstanceError):
        program.time_steps = 2  # type: ignore[misc]
