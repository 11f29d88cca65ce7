from pathlib import Path
from typing import Any

import nir
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
    THRESHOLDS,
    active_net,
    images,
    lif_rule,
    logits,
    normalised,
)
from torch import nn

from spikernel.errors import ExportError
from spikernel.export.builder import Builder
from spikernel.export.interpret import Interpreter
from spikernel.export.lowering import lower
from spikernel.export.nir_model import DT, nir_graph, run_nir
from spikernel.export.quantise import quantise
from spikernel.export.steps import Value


@pytest.mark.parametrize("archid", [FORWARD, SKIPS, FACTORS, THRESHOLDS])
@pytest.mark.parametrize("settings", [{"head": "fc"}, {"head": "gap"}, MODERN])
def test_graph_read_back_gives_the_nets_logits(
    archid: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    net = active_net(archid, **settings)
    path = tmp_path / "model.nir"
    nir.write(path, nir_graph(lower(net, MEAN, SD, CLASSES), SD))
    found = run_nir(path, 3, normalised(images()))
    torch.testing.assert_close(found, logits(net, images()), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_spikingjelly_reads_it(tmp_path: Path) -> None:
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    net = active_net(FORWARD)
    path = tmp_path / "model.nir"
    nir.write(path, nir_graph(lower(net, MEAN, SD, CLASSES), SD))
    module, state, total = import_from_nir(path, dt=DT), None, torch.zeros(())
    for _ in range(3):
        now, state = module(normalised(images()), state)
        total = total + now
    torch.testing.assert_close(total / 3, logits(net, images()), rtol=1e-4, atol=1e-5)


def test_oblong_and_grouped_kernels_are_filled_up(tmp_path: Path) -> None:
    builder = Builder(Value("image", (3, 10, 10), "pixels"), MEAN, SD)
    x = builder.convolve("wide", builder.image, nn.Conv2d(3, 6, (1, 5), padding=(0, 2)))
    x = builder.fire("neurons", x, lif_rule(2.0, 0.1))
    x = builder.convolve("high", x, nn.Conv2d(6, 6, (5, 1), padding=(1, 0), groups=3))
    x = builder.linear("outputs", x, np.ones((4, x.size)), np.zeros(4))
    program = builder.program(x, 3, CLASSES)
    path = tmp_path / "model.nir"
    nir.write(path, nir_graph(program, SD))
    found = run_nir(path, 3, normalised(images()))
    torch.testing.assert_close(found, Interpreter(program).logits(images()), rtol=1e-4, atol=1e-4)
    builder.convolve("even", builder.image, nn.Conv2d(3, 6, (2, 5)))
    with pytest.raises(ExportError, match=r"^even: a kernel of 2x5 cannot be expressed in NIR"):
        nir_graph(builder.program(x, 3, CLASSES), SD)


def test_neurons_in_continuous_time() -> None:
    graph = nir_graph(lower(active_net(FORWARD), MEAN, SD, CLASSES), SD)
    neurons = [node for node in graph.nodes.values() if isinstance(node, nir.LIF)]
    # Sources of convolutions: nodes 0, 1 and 2 of both cells; transition, head, hidden layer.
    assert len(neurons) == 9
    for node in neurons:
        np.testing.assert_allclose(node.tau, 4 / 3 * 1e-4, rtol=1e-6)
        # NIR fires above the threshold: 1 itself must be above it, the number before must not.
        assert (node.v_threshold < 1).all()
        assert (np.nextafter(node.v_threshold, np.float32(2)) == 1).all()
        assert (node.v_reset == 0).all()
        assert (node.r == 1).all()


@pytest.mark.parametrize("archid", [FORWARD, SKIPS])
def test_only_primitives_that_all_readers_know(archid: str, tmp_path: Path) -> None:
    path = tmp_path / "model.nir"
    nir.write(path, nir_graph(lower(active_net(archid), MEAN, SD, CLASSES), SD))
    graph = nir.read(path)  # which checks that the shapes at both ends of each edge agree
    kinds = {type(node) for node in graph.nodes.values()}
    assert kinds == {nir.Input, nir.Conv2d, nir.LIF, nir.Flatten, nir.Output}
    assert len(set(graph.edges)) == len(graph.edges)


def test_neuron_at_its_threshold_fires(tmp_path: Path) -> None:
    """Pixels 0..3 of one channel, and neurons that need 2: tau 2 halves the input of 4."""
    builder = Builder(Value("image", (1, 2, 2), "pixels"), [0.0], [1 / 255])
    stem = nn.Conv2d(1, 1, 1, bias=False)
    stem.weight.data.fill_(2.0)
    x = builder.convolve("stem", builder.image, stem)
    x = builder.fire("neurons", x, lif_rule(2.0, 2.0))
    x = builder.linear("outputs", x, np.eye(4), np.zeros(4))
    path = tmp_path / "model.nir"
    nir.write(path, nir_graph(builder.program(x, 1, CLASSES), [1 / 255]))
    assert run_nir(path, 1, torch.arange(4.0).view(1, 1, 2, 2)).tolist() == [[0, 0, 1, 1]]


def test_feedback_and_int8_are_refused_with_what_stands_in_the_way() -> None:
    program = lower(active_net(FEEDBACK), MEAN, SD, CLASSES)
    with pytest.raises(ExportError, match=r"^cell1_feedback0, .*feedback of real values to the"):
        nir_graph(program, SD)
    with pytest.raises(ExportError, match=r"NIR holds real weights"):
        nir_graph(quantise(lower(active_net(FORWARD), MEAN, SD, CLASSES)), SD)
