"""`model.nir` in the simulators of others, against the net; run by `make test-simulators`.

They are not among our dependencies. docs/export.md tells users what is done here for each.
"""

from collections import defaultdict
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
import torch
from nets import (
    CLASSES,
    FACTORS,
    FORWARD,
    MEAN,
    MODERN,
    SD,
    SKIPS,
    THRESHOLDS,
    active_net,
    images,
    logits,
    normalised,
)
from torch import Tensor, nn

from spikernel.export.lowering import lower
from spikernel.export.nir_model import DT, nir_graph

STEPS = 3


def in_steps(module: nn.Module, pixels: Tensor) -> Tensor:
    """Present an image again and again; return the mean output."""
    state, total = None, torch.zeros(())
    for _ in range(STEPS):
        output, state = module(pixels, state)
        total = total + output
    return total / STEPS


def in_order(module: Any, graph: nir.NIRGraph) -> Any:
    """Let `nirtorch.load` run a node after all that lead to it, which it does not by itself."""
    before = defaultdict(set)
    for source, target in graph.edges:
        before[target].add(source)
    order = list(TopologicalSorter(before).static_order())
    module.execution_order.sort(key=lambda node: order.index(node.name))
    return module


def snntorch(graph: nir.NIRGraph, pixels: Tensor) -> Tensor:
    from snntorch.import_nir import import_from_nir

    return in_steps(import_from_nir(graph), pixels)


def norse(graph: nir.NIRGraph, pixels: Tensor) -> Tensor:
    from norse.torch import from_nir

    return in_steps(in_order(from_nir(graph, dt=DT), graph), pixels)


def sinabs(graph: nir.NIRGraph, pixels: Tensor) -> Tensor:
    """All time steps at once; its neurons take tau in steps, and the whole input."""
    from sinabs import from_nir
    from sinabs.activation import MembraneReset, SingleSpike
    from sinabs.layers import LIF

    for node in graph.nodes.values():
        if isinstance(node, nir.LIF):
            steps = torch.tensor(node.tau.flat[0] / DT)
            node.tau, node.v_leak = -1 / torch.log(1 - 1 / steps), np.zeros(1)
            node.v_threshold = node.v_threshold.flat[0] * steps
    module = in_order(from_nir(graph, batch_size=len(pixels)), graph)
    for layer in module.modules():
        if isinstance(layer, LIF):
            layer.spike_fn, layer.reset_fn = SingleSpike, MembraneReset()
    outputs, _ = module(pixels.repeat_interleave(STEPS, 0))
    return outputs.unflatten(0, (-1, STEPS)).mean(1)


@pytest.mark.parametrize("read", [snntorch, norse, sinabs], ids=lambda read: read.__name__)
@pytest.mark.parametrize(
    ("archid", "settings"),
    [
        pytest.param(FORWARD, {"head": "fc"}, id="forward"),
        pytest.param(SKIPS, {"head": "gap"}, id="skips"),
        pytest.param(FACTORS, MODERN | {"neuron": "lif", "time_steps": STEPS}, id="factors"),
        pytest.param(THRESHOLDS, {"head": "fc"}, id="thresholds"),
    ],
)
@torch.no_grad()
def test_simulator_gives_the_nets_logits(
    read: Callable[[nir.NIRGraph, Tensor], Tensor],
    archid: str,
    settings: dict[str, Any],
    tmp_path: Path,
) -> None:
    pytest.importorskip(read.__name__)
    net = active_net(archid, **settings)
    path = tmp_path / "model.nir"
    nir.write(path, nir_graph(lower(net, MEAN, SD, CLASSES), SD))
    found = read(nir.read(path), normalised(images()))
    torch.testing.assert_close(found, logits(net, images()), rtol=1e-4, atol=1e-5)
