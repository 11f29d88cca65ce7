"""Neurons are exported by the rule that their model states, or refused by name."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from nets import CLASSES, FEEDBACK, FORWARD, MEAN, SD, active_net, images, lif_rule
from torch import nn

from spikernel.errors import ExportError
from spikernel.export.builder import Builder
from spikernel.export.c_source import c_files
from spikernel.export.interpret import Interpreter
from spikernel.export.lowering import lower
from spikernel.export.nir_model import nir_graph
from spikernel.export.onnx_model import onnx_model
from spikernel.export.program import Program
from spikernel.export.steps import Value
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import mean_logits
from spikernel.network.dynamics import Dynamics
from spikernel.network.neurons import lif


@dataclass(frozen=True, kw_only=True)
class Refractory(Dynamics):
    """A rule with a field that no form knows yet."""

    pause: int = 0


FORMS: dict[str, Callable[[Program], object]] = {
    "the interpreter": lambda program: Interpreter(program).logits(images()),
    "C": lambda program: c_files(program, "test"),
    "ONNX": onnx_model,
    "NIR": lambda program: nir_graph(program, SD),
}


def program_of(rule: Dynamics) -> Program:
    builder = Builder(Value("image", (3, 10, 10), "pixels"), MEAN, SD)
    x = builder.convolve("stem", builder.image, nn.Conv2d(3, 4, 3))
    x = builder.fire("first", x, rule)
    return builder.program(builder.average("outputs", x, (8, 8), (1, 1)), 2, CLASSES)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_refuses_what_it_does_not_know(form: str) -> None:
    run = FORMS[form]
    fields = {"neuron": "shy", "tau": 2.0, "threshold": 1.0}
    run(program_of(Refractory(**fields, reset="zero")))
    with pytest.raises(ExportError, match=rf"^first: neurons 'shy' with pause 2 cannot .* {form}$"):
        run(program_of(Refractory(**fields, reset="zero", pause=2)))
    unknown = Dynamics(**fields, reset="half")  # type: ignore[arg-type]
    with pytest.raises(ExportError, match=rf"^first: neurons 'shy' with reset 'half' .* {form}$"):
        run(program_of(unknown))


def test_nir_knows_no_potential_at_rest_and_onnx_none_that_leaks() -> None:
    leaky = replace(lif_rule(2.0, 1.0), initial=0.5)
    for form in ("NIR", "ONNX"):
        with pytest.raises(ExportError, match=rf"neurons 'lif' with initial 0.5 .* {form}$"):
            FORMS[form](program_of(leaky))


class Louder(lif.Neuron):
    """A subclass may do anything, so it is not taken for its parent."""

    def sequence(self, x: torch.Tensor, time_steps: int) -> torch.Tensor:
        return 1 - super().sequence(x, time_steps)


@pytest.mark.parametrize("archid", [FORWARD, FEEDBACK])
def test_subclass_is_not_exported_as_its_parent(archid: str) -> None:
    for place in ("cell1.neurons.0", "transition.neuron"):
        net = active_net(archid)
        net.get_submodule(place).__class__ = Louder
        with pytest.raises(ExportError, match=rf"^{place}: neurons of class Louder in .* no rule"):
            lower(net, MEAN, SD, CLASSES)


def test_time_steps_of_a_program() -> None:
    net = active_net(FORWARD, time_steps=7)
    program = lower(net, MEAN, SD, CLASSES)
    assert program.time_steps == 7
    normalise = Normaliser(MEAN, SD, torch.device("cpu"))
    torch.testing.assert_close(
        Interpreter(program).logits(images()), mean_logits(net, [normalise(images())])
    )
    assert program.neuron_rules == [
        "lif: v <- v + (x - v) / tau, spike where v >= threshold, then v <- 0"
    ]
