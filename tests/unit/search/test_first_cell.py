import random
from pathlib import Path

import pytest
import torch
from toy import NETWORK, load

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.network.spiking_net import build_net
from spikernel.search.batches import draw_batches
from spikernel.search.first_cell import FirstCell, Groups
from spikernel.search.sahd import Alpha, KernelSum
from spikernel.search.scores import sahd_half, sahd_half_n
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.space.enumeration import canonical_cells, draw_cell
from spikernel.space.operations import operation_set
from spikernel.study.shapes import image_shape

CPU = torch.device("cpu")
HALF_N, HALF = sahd_half_n.Score.alpha, sahd_half.Score.alpha
COMPACT = {"macro": "compact", "stages": 2, "stage_widths": (1, 2), "stem_channels": 6}
SETTINGS = SearchConfig(score="sahd_half_n", batch_size=12, batches=2, seed=4)


def whole_net_score(
    cell: Cell,
    manifest: Path,
    batches: list[torch.Tensor],
    alpha: Alpha,
    network: NetworkConfig = NETWORK,
) -> torch.Tensor:
    """Run the real net and keep only what the neurons of its first cell say."""
    shape = image_shape(load(manifest)[0].manifest)
    net = build_net(Architecture(cell, network, shape), SETTINGS.seed, CPU).train()
    values = []
    for batch in batches:
        kernel = KernelSum(alpha)
        handles = [
            neuron.register_forward_hook(lambda m, _, out, k=kernel: k.add(m.unroll(out), m.calls))
            for neuron in net.cell1.neurons.values()
        ]
        with torch.no_grad():
            net(batch)
        for handle in handles:
            handle.remove()
        values.append(kernel.log_determinant())
    return torch.stack(values).mean()


@pytest.mark.parametrize("alpha", [HALF_N, HALF])
def test_every_cell_scores_as_the_first_cell_of_its_own_net(
    digits_manifest: Path, alpha: Alpha
) -> None:
    split = load(digits_manifest)[0]
    batches = draw_batches(split, SETTINGS, CPU)
    cells = [
        cell
        for cell in canonical_cells(operation_set((1, 3), ("zero", "skip", "avg")))
        if cell.kernel_sizes()
    ]
    first = FirstCell(NETWORK, image_shape(split.manifest), batches, alpha, SETTINGS.seed)
    scores = first.scores(cells)
    for index in range(0, len(cells), 331):  # a spread of all kinds of cells
        expected = whole_net_score(cells[index], digits_manifest, batches, alpha)
        assert scores[index] == pytest.approx(expected.item(), rel=1e-9), cells[index].archid


@pytest.mark.parametrize("thresholds", [(), (0.5, 1.25)], ids=["one_threshold", "thresholds"])
@pytest.mark.parametrize(
    "changes",
    [
        {"stem_convolutions": 3, "stage_widths": (1.5, 2)},
        {"neuron": "integer", "time_steps": 1},
        {"residual": True, "learnable_tau": True, "cells_per_stage": 2, "downsampling": "stride"},
        {"macro": "modern", "channels": 4, "convolutions": {3: "factorised", 5: "depthwise"}},
        {"early_transition": True, "stem_channels": 6, "stem_convolutions": 2, "pooling": "max"},
        {**COMPACT, "time_steps": 1},
    ],
)
def test_every_macro_structure_is_screened_right(
    digits_manifest: Path, changes: dict[str, object], thresholds: tuple[float, ...]
) -> None:
    network = NetworkConfig(**{"time_steps": 2, "channels": 4, "hidden": 8, "pool": 2, **changes})
    split = load(digits_manifest)[0]
    batches = draw_batches(split, SETTINGS, CPU)
    others = ("zero", "skip", "avg")
    operations = operation_set((1, 3, 5), others, network.convolutions, thresholds)
    generator = random.Random(0)
    drawn = [draw_cell(operations, generator) for _ in range(40)]
    cells = [cell for cell in drawn if cell.kernel_sizes()]
    first = FirstCell(network, image_shape(split.manifest), batches, HALF, SETTINGS.seed)
    for cell, score in zip(cells[::4], first.scores(cells)[::4], strict=True):
        expected = whole_net_score(cell, digits_manifest, batches, HALF, network)
        assert score == pytest.approx(expected.item(), rel=1e-9), cell.archid


def test_groups_by_hand() -> None:
    # Node 0 has two convolutions leaving (01, 03), node 1 one (12), node 2 one (23).
    group = Groups.of(Cell.from_archid("k3-skip-k1-k1-avg-k3"))
    assert group.terms == (
        (((), None), 2),
        ((("k3",), None), 1),
        ((("k3", "skip", "k1"), None), 1),
    )
    # Without 12, node 2 does not depend on 01; without convolutions a node does not matter.
    apart = Groups.of(Cell.from_archid("k3-skip-k1-zero-avg-k3"))
    assert apart.terms == ((((), None), 2), ((("zero", "skip", "zero"), None), 1))
    # Convolutions with thresholds of their own do not share their spikes.
    own = Groups.of(Cell.from_archid("k3t1.5-skip-k1t0.5-zero-avg-zero"))
    assert own.terms == ((((), 0.5), 1), (((), 1.5), 1))


def test_a_set_needs_few_node_values() -> None:
    cells = [
        cell
        for cell in canonical_cells(operation_set((1, 3), ("zero", "skip", "avg")))
        if cell.kernel_sizes()
    ]
    values = {fired for cell in cells for fired, _ in Groups.of(cell).terms}
    assert len(cells) == 6_838  # of the 7,012 canonical cells, those with a convolution
    # Node 0; node 1 by its 4 operations; node 2 without edge 12 by 4, with it by 4 * 5 * 4.
    assert len(values) <= 1 + 4 + 4 + 4 * 5 * 4
