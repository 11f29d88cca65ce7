import itertools
import random

import pytest
import torch
from torch.nn import functional as F

from spikernel.config import NetworkConfig
from spikernel.errors import DeviceError
from spikernel.network.cells import ForwardCell
from spikernel.network.device import choose_device
from spikernel.network.neurons import lif
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import parameter_count
from spikernel.space.enumeration import draw_cell
from spikernel.space.operations import operation_set

CPU = torch.device("cpu")
IMAGES = ImageShape(2, 8, 3)
SMALL = NetworkConfig(time_steps=3, channels=4, pool=2, hidden=6, votes=2)


def net(archid: str, seed: int = 0, **changes: object) -> SpikingNet:
    settings = SMALL.model_copy(update=changes)
    return build_net(Architecture(Cell.from_archid(archid), settings, IMAGES), seed, CPU)


def test_wiring_of_parameter_free_edges_by_hand() -> None:
    # x1 = x0; x2 = x0 + x1 = 2 x0; x3 = x0 + x1 + x2 = 4 x0.
    cell = ForwardCell(Cell.from_archid("skip-skip-skip-skip-skip-skip"), 1, SMALL)
    x = torch.randn(3, 2, 1, 4, 4)
    torch.testing.assert_close(cell(x), 4 * x)
    # x1 = avg(x0); x3 = x0 + x1.
    cell = ForwardCell(Cell.from_archid("avg-zero-skip-zero-skip-zero"), 1, SMALL)
    pooled = F.avg_pool2d(x.flatten(0, 1), 3, 1, 1).unflatten(0, (3, 2))
    torch.testing.assert_close(cell(x), x + pooled)


def test_shared_spikes_equal_one_lif_per_edge() -> None:
    """SNASNet has a LIF on each convolution edge; ours fires once per node."""
    torch.manual_seed(0)
    spec = Cell.from_archid("k3-k1-k3-k1-avg-k3")
    cell = ForwardCell(spec, 4, SMALL).eval()
    x0 = torch.randn(3, 2, 4, 6, 6)

    def edge(key: str, x: torch.Tensor) -> torch.Tensor:
        spikes = lif.Neuron(SMALL)(x)  # its own, for this edge alone
        return torch.stack([cell.convolutions[key](spikes[t]) for t in range(3)])

    x1 = edge("01_k3", x0)
    x2 = edge("02_k1", x0) + edge("12_k1", x1)
    pooled = torch.stack([F.avg_pool2d(x1[t], 3, 1, 1) for t in range(3)])
    x3 = edge("03_k3", x0) + pooled + edge("23_k3", x2)
    torch.testing.assert_close(cell(x0), x3)
    assert [neuron.calls for neuron in cell.neurons.values()] == [3, 1, 1]


def test_input_that_is_constant_in_time_may_be_given_once() -> None:
    torch.manual_seed(0)
    for archid in ("k3-avg-skip-k1-skip-k3", "zero-zero-skip-zero-zero-zero"):
        cell = ForwardCell(Cell.from_archid(archid), 4, SMALL).eval()
        x = torch.randn(1, 2, 4, 6, 6)
        torch.testing.assert_close(cell(x, 3), cell(x.repeat(3, 1, 1, 1, 1)))


def test_parameter_count_equals_torch_for_many_architectures() -> None:
    generator = random.Random(0)
    operations = operation_set((1, 3, 5, 7), ("zero", "skip", "avg"))
    macros = itertools.product(("fc", "gap"), (1, 2), (3, 4))
    for (head, stride, channels), _ in itertools.product(macros, range(10)):
        settings = NetworkConfig(
            head=head, stem_stride=stride, channels=channels, pool=2, hidden=7, votes=2
        )
        architecture = Architecture(
            draw_cell(operations, generator), settings, ImageShape(3, 16, 5)
        )
        built = build_net(architecture, 0, CPU)
        counted = sum(parameter.numel() for parameter in built.parameters())
        assert parameter_count(architecture).total == counted


def test_output_shape_and_odd_sizes() -> None:
    assert net("k3-zero-skip-k3-zero-k3")(torch.randn(5, 2, 8, 8)).shape == (3, 5, 3)
    odd = Architecture(
        Cell.from_archid("zero-zero-k3-zero-zero-zero"),
        SMALL.model_copy(update={"stem_stride": 2}),
        ImageShape(1, 13, 4),
    )
    assert build_net(odd, 0, CPU)(torch.randn(2, 1, 13, 13)).shape == (3, 2, 4)


def test_weights_belong_to_seed_and_place() -> None:
    one, other = net("k3-zero-skip-k3-zero-k3"), net("k3-zero-k1-k3-zero-k3")
    mine, theirs = one.state_dict(), other.state_dict()
    shared = set(mine) & set(theirs)
    assert any("cell1.convolutions.12_k3" in name for name in shared)
    assert all(torch.equal(mine[name], theirs[name]) for name in shared)
    reseeded = net("k3-zero-skip-k3-zero-k3", seed=1).state_dict()
    assert not torch.equal(mine["stem.conv.weight"], reseeded["stem.conv.weight"])
    bank: dict[str, torch.Tensor] = {}
    for _ in range(2):
        banked = build_net(one.architecture, 0, CPU, bank).state_dict()
        assert all(torch.equal(banked[name], mine[name]) for name in mine)


def test_initial_weights_have_the_stated_spread() -> None:
    wide = net("zero-zero-k3-zero-zero-zero", hidden=4000)
    hidden = wide.head.hidden
    assert hidden is not None
    inputs = 2 * 4 * 2 * 2
    assert hidden.weight.std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.02)
    published = net("zero-zero-k3-zero-zero-zero", hidden=4000, linear_init="snasnet")
    assert published.head.hidden is not None
    assert published.head.hidden.weight.std().item() == pytest.approx(0.01, rel=0.02)
    # Kaiming-uniform with a = 2: bound sqrt(6 / ((1 + a^2) fan_in)), fan_in = 2 * 9.
    assert wide.stem.conv.weight.abs().max().item() <= (6 / (5 * 18)) ** 0.5


def test_dropout_mask_holds_for_all_time_steps() -> None:
    dropout = net("zero-zero-k3-zero-zero-zero").dropouts()[0]
    dropout.train()
    dropout.generator = torch.Generator().manual_seed(0)
    kept = dropout(torch.ones(3, 50, 20))
    assert torch.equal(kept[0], kept[1])
    assert torch.equal(kept[0], kept[2])
    assert set(kept.unique().tolist()) == {0.0, 2.0}  # probability 0.5, rescaled
    assert 0.4 < (kept[0] == 0).float().mean() < 0.6


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_missing_gpu_is_an_error_when_asked_for() -> None:
    with pytest.raises(DeviceError, match="sees no GPU"):
        choose_device("cuda")
    assert choose_device("auto").type == "cpu"
