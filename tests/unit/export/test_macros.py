"""Macro-structures and factored convolutions: every form against the net."""

import random
from pathlib import Path

import nir
import numpy as np
import pytest
import torch
from nets import CLASSES, FEEDBACK, MEAN, SD, active_net, images, logits, normalised, run_c

from spikernel.export import compiler
from spikernel.export.interpret import Interpreter
from spikernel.export.lowering import lower
from spikernel.export.nir_model import nir_graph, run_nir
from spikernel.export.onnx_model import onnx_model, run_onnx
from spikernel.export.quantise import quantise
from spikernel.export.steps import Fire
from spikernel.network.spiking_net import SpikingNet
from spikernel.space.enumeration import draw_cell
from spikernel.space.operations import operation_set

FACTORED = "d3-f5-k1-avg-zero-d5"
DEEP = {"stages": 3, "cells_per_stage": (1, 2, 1), "stem_convolutions": 2, "residual": True}


@torch.no_grad()
def net_of(archid: str, downsampling: str) -> SpikingNet:
    net = active_net(
        archid, **DEEP, channels=4, head="gap", learnable_tau=True, downsampling=downsampling
    )
    for place, neuron in enumerate(net.neurons()):
        neuron.w.fill_(1.2 - place / 10)  # type: ignore[union-attr]
    return net


@pytest.mark.parametrize(
    ("archid", "downsampling"), [(FACTORED, "pool"), (FEEDBACK, "stride")], ids=["f", "b"]
)
def test_deep_nets_in_every_form(archid: str, downsampling: str, tmp_path: Path) -> None:
    net = net_of(archid, downsampling)
    program = lower(net, MEAN, SD, CLASSES)
    assert len({step.dynamics.tau for step in program.steps if isinstance(step, Fire)}) > 5
    expected = logits(net, images())
    assert expected.std(0).min() > 0
    close = {"rtol": 1e-4, "atol": 1e-4}
    torch.testing.assert_close(Interpreter(program).logits(images()), expected, **close)
    ran = run_onnx(onnx_model(program).SerializeToString(), program, images().numpy())
    np.testing.assert_allclose(ran, expected.numpy(), **close)
    if not program.delays:
        nir.write(tmp_path / "model.nir", nir_graph(program, SD))
        read = run_nir(tmp_path / "model.nir", 3, normalised(images()))
        torch.testing.assert_close(read, expected, **close)
    if compiler.find_compiler() is not None:
        for form in (program, quantise(program)):
            ordered = Interpreter(form, ordered=True).logits(images()).numpy()
            assert np.array_equal(run_c(form, images(), tmp_path / form.precision).logits, ordered)


@pytest.mark.parametrize("kind", ["forward", "feedback"])
def test_programs_of_many_random_nets(kind: str) -> None:
    generator = random.Random(1)
    operations = operation_set(
        (1, 3, 5), ("zero", "skip", "avg"), {3: "factorised", 5: "depthwise"}, (0.4, 1.0)
    )
    for _ in range(8):
        cell = draw_cell(operations, generator, kind)  # type: ignore[arg-type]
        early = generator.random() < 0.5
        net = active_net(
            cell.archid,
            time_steps=generator.choice((1, 2)),
            channels=generator.choice((3, 4)),
            stages=generator.choice((1, 2) if early else (1, 2, 3)),
            early_transition=early,
            stem_channels=6 if early else None,
            pooling=generator.choice(("average", "max")),
            entry_norm=generator.random() < 0.5,
            norm_scale=generator.choice(("learned", "fixed")),
            cells_per_stage=generator.choice((1, 2)),
            stem_convolutions=generator.choice((1, 2, 3)),
            stem_stride=generator.choice((1, 2)),
            residual=generator.random() < 0.5,
            downsampling=generator.choice(("pool", "stride")),
            head=generator.choice(("fc", "gap")),
            learnable_tau=generator.random() < 0.5,
            pool=1,
        )
        found = Interpreter(lower(net, MEAN, SD, CLASSES)).logits(images())
        torch.testing.assert_close(found, logits(net, images()), rtol=1e-4, atol=1e-4)
