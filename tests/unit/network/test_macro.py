"""Every option of the macro-structure: shapes, counts, weights, what is computed."""

import random

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from spikernel.config import MACROS, NetworkConfig
from spikernel.network.activity import measure_activity
from spikernel.network.blocks import SpikingConvolution
from spikernel.network.cells import FeedbackCell, ForwardCell
from spikernel.network.convolutions import Factors, edge_convolution
from spikernel.network.neurons import lif
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import CellCounter, parameter_count
from spikernel.space.enumeration import draw_cell
from spikernel.space.flop import forward_flop
from spikernel.space.operations import Convolution, operation_set

CPU = torch.device("cpu")
IMAGES = ImageShape(2, 12, 3)
SMALL = NetworkConfig(time_steps=3, channels=4, pool=2, hidden=6, votes=2)
CHAIN = "k3-zero-skip-k3-zero-k3"


def net(archid: str, images: ImageShape = IMAGES, **changes: object) -> SpikingNet:
    settings = NetworkConfig(**{**SMALL.model_dump(), **changes})
    return build_net(Architecture(Cell.from_archid(archid), settings, images), 0, CPU)


def random_network(generator: random.Random) -> NetworkConfig:
    stages = generator.choice((1, 2, 3))
    early = generator.random() < 0.5
    stem_channels = generator.choice((None, 2, 10)) if early else None
    return NetworkConfig(
        time_steps=generator.choice((1, 2)),
        channels=generator.choice((3, 4, 6)),
        stages=stages,
        stage_widths=generator.choice((None, tuple(1.5 + place for place in range(stages)))),
        early_transition=early,
        stem_channels=stem_channels,
        stem_weights="learned" if stem_channels is None else "whitened",
        pooling=generator.choice(("average", "max")),
        entry_norm=generator.random() < 0.5,
        norm_scale=generator.choice(("learned", "fixed")),
        cells_per_stage=generator.choice((1, 2, tuple(1 + place % 2 for place in range(stages)))),
        stem_convolutions=generator.choice((1, 2, 4)),
        stem_stride=generator.choice((1, 2)),
        residual=generator.random() < 0.5,
        downsampling=generator.choice(("pool", "stride")),
        head=generator.choice(("fc", "gap")),
        learnable_tau=generator.random() < 0.5,
        pool=1,
        hidden=5,
        votes=generator.choice((1, 2)),
    )


@pytest.mark.parametrize("kind", ["forward", "feedback"])
def test_counts_equal_torch_for_every_module_of_many_nets(kind: str) -> None:
    generator = random.Random(0)
    types = {3: "factorised", 5: "depthwise"}
    sets = [operation_set((1, 3, 5), ("zero", "skip", "avg"), given) for given in ({}, types)]
    for number in range(60):
        network = random_network(generator)
        cell = draw_cell(generator.choice(sets), generator, kind)
        architecture = Architecture(cell, network, ImageShape(2, 17, 3))
        built = build_net(architecture, 0, CPU)
        count = parameter_count(architecture)
        assert count.modules == {
            name: sum(parameter.numel() for parameter in module.parameters())
            for name, module in built.named_children()
        }
        assert CellCounter(network, architecture.images).total(cell) == count.total
        if number % 6 == 0:
            with FlopCounterMode(display=False) as counter:
                logits = built(torch.randn(2, 2, 17, 17))
            assert counter.get_total_flops() == 2 * forward_flop(architecture)
            assert logits.shape == (network.time_steps, 2, 3)
            assert torch.isfinite(logits).all()


def test_modules_and_maps_by_hand() -> None:
    built = net(CHAIN, stages=3, cells_per_stage=(2, 1, 1), stem_convolutions=2, head="gap")
    shapes: dict[str, tuple[int, ...]] = {}
    for name, module in built.named_children():
        module.register_forward_hook(
            lambda _module, _inputs, out, name=name: shapes.update({name: tuple(out.shape)})
        )
    built(torch.randn(2, 2, 12, 12))
    assert shapes == {
        "stem": (2, 4, 12, 12),  # once per image
        "stem2": (3, 2, 4, 12, 12),
        "cell1": (3, 2, 4, 12, 12),
        "cell1_2": (3, 2, 4, 12, 12),
        "transition": (3, 2, 8, 6, 6),
        "cell2": (3, 2, 8, 6, 6),
        "transition2": (3, 2, 16, 3, 3),
        "cell3": (3, 2, 16, 3, 3),
        "head": (3, 2, 3),
    }
    assert list(shapes) == [part.name for part in built.architecture.parts]


def test_early_transition_by_hand() -> None:
    built = net(
        CHAIN, ImageShape(2, 13, 3), early_transition=True, stem_channels=6, stem_convolutions=2,
        stages=3, stage_widths=(1, 2, 3), pooling="max", entry_norm=False, head="gap",
    )  # fmt: skip
    parts = [(p.name, p.inputs, p.channels, p.size) for p in built.architecture.parts]
    assert parts == [
        ("stem", 2, 6, 13),
        ("stem2", 6, 6, 13),
        ("transition0", 6, 4, 6),
        ("cell1", 4, 4, 6),
        ("transition", 4, 8, 3),
        ("cell2", 8, 8, 3),
        ("transition2", 8, 12, 1),
        ("cell3", 12, 12, 1),
        ("head", 12, 12, 1),
    ]
    sizes = []
    for name, *_ in parts[:-1]:
        getattr(built, name).register_forward_hook(lambda *hook: sizes.append(hook[2].shape[-3:]))
    assert built(torch.randn(2, 2, 13, 13)).shape == (3, 2, 3)
    assert sizes == [(channels, size, size) for _, _, channels, size in parts[:-1]]
    assert built.transition0.norm is built.head.norm is None
    # Strided, every map keeps its odd last pixel: 13, 7, 4, 2.
    strided = net(
        CHAIN, ImageShape(2, 13, 3), early_transition=True, downsampling="stride", stages=3,
        head="gap",
    )  # fmt: skip
    assert strided.architecture.stage_sizes == (7, 4, 2)


def test_max_pool_is_an_or_of_the_spikes_behind_it() -> None:
    """A neuron that fires at once on any of four values fires on the largest of them."""
    built = net(CHAIN, pooling="max", norm_scale="fixed", tau=2.0, stages=2, head="gap").eval()
    spikes = (torch.rand(1, 2, 4, 6, 6, generator=torch.Generator().manual_seed(0)) < 0.4).float()
    transition = built.transition
    with torch.no_grad():
        pooled = transition(10 * spikes, 1)[0]
        normed = transition.widen.norm(transition.widen.conv(spikes[0]))
    threshold = normed.median()
    assert torch.equal(pooled > threshold, F.max_pool2d((normed > threshold).float(), 2) > 0)


def test_fixed_scales_and_a_whitened_stem_are_not_trained() -> None:
    torch.manual_seed(0)
    built = net(
        CHAIN, macro="compact", stem_channels=6, stem_weights="whitened", early_transition=True,
        norm_scale="fixed", head="gap",
    ).train()  # fmt: skip
    norms = {name: m for name, m in built.named_modules() if isinstance(m, nn.BatchNorm2d)}
    names = {name for name, _ in built.named_parameters()}
    before = {name: value.clone() for name, value in built.state_dict().items()}
    optimiser = torch.optim.SGD(built.parameters(), lr=0.1, weight_decay=0.1)
    built(torch.randn(4, 2, 12, 12)).square().mean().backward()
    optimiser.step()
    for name, norm in norms.items():
        assert f"{name}.weight" not in names
        assert f"{name}.bias" in names
        assert torch.equal(norm.weight, torch.ones(norm.num_features)), name
    assert f"{next(iter(norms))}.weight" in before, "a checkpoint holds the scales"
    assert torch.equal(built.stem.conv.weight, before["stem.conv.weight"])
    moved = [name for name in names if not torch.equal(built.get_parameter(name), before[name])]
    assert "stem.norm.bias" in moved
    assert "transition0.widen.conv.weight" in moved


def test_widths_and_odd_maps() -> None:
    pooled = net(CHAIN, ImageShape(2, 13, 3), stages=3, stage_widths=(1, 1.5, 2.5), head="gap")
    assert pooled.architecture.stage_channels == (4, 6, 10)
    assert pooled.architecture.stage_sizes == (13, 6, 3)
    strided = net(CHAIN, ImageShape(2, 13, 3), stages=3, downsampling="stride", head="gap")
    assert strided.architecture.stage_sizes == (13, 7, 4)  # every second pixel, from the first
    sizes = []
    strided.cell3.register_forward_hook(lambda *hook: sizes.append(hook[2].shape[-1]))
    strided(torch.randn(2, 2, 13, 13))
    assert sizes == [4]


def test_residual_adds_the_input_once() -> None:
    settings = SMALL.model_copy(update={"residual": True})
    x = torch.randn(1, 2, 4, 6, 6)
    for archid in ("k3-avg-k1-k1-skip-k3", "k3-avg-avg-k1-skip-k3"):
        cell = Cell.from_archid(archid)
        for kind in (ForwardCell, FeedbackCell):
            torch.manual_seed(0)
            plain = kind(cell, 4, SMALL).eval()
            torch.manual_seed(0)
            torch.testing.assert_close(kind(cell, 4, settings).eval()(x, 3), plain(x, 3) + x)
    # The skip on the edge 03 is such a path already: x3 = x0, not 2 x0.
    direct = ForwardCell(Cell.from_archid("zero-zero-skip-zero-zero-zero"), 4, settings)
    assert torch.equal(direct(x, 3), x.expand(3, -1, -1, -1, -1))


def test_stem_layers_spike_on_the_constant_first_convolution() -> None:
    built = net(CHAIN, stem_convolutions=2).eval()
    images = torch.randn(2, 2, 12, 12)
    seen = []
    built.cell1.register_forward_hook(lambda _module, inputs, _: seen.append(inputs[0]))
    built(images)
    assert isinstance(built.stem2, SpikingConvolution)
    constant = built.stem(images).expand(3, -1, -1, -1, -1)
    spikes = lif.Neuron(SMALL)(constant)
    expected = torch.stack([built.stem2.mix(step) for step in spikes])
    torch.testing.assert_close(seen[0], expected)
    residual = net(CHAIN, stem_convolutions=2, residual=True).eval()
    residual.cell1.register_forward_hook(lambda _module, inputs, _: seen.append(inputs[0]))
    residual(images)
    torch.testing.assert_close(seen[1], expected + constant)


@pytest.mark.parametrize("kind", ["depthwise", "factorised"])
@pytest.mark.parametrize("size", [3, 7])
def test_factors_are_one_convolution_of_their_size(kind: str, size: int) -> None:
    torch.manual_seed(0)
    layers = edge_convolution(Convolution(kind, size), 5).double().eval()
    assert isinstance(layers, Factors)
    x = (torch.rand(2, 5, 6, 6) < 0.4).double()  # on 6x6 maps the borders matter
    first, second = layers.first.weight, layers.second.weight
    if kind == "depthwise":  # output channel o sees the mixed channel o alone
        merged = first * second
    else:
        merged = torch.einsum("omu,mcv->ocuv", second.squeeze(3), first.squeeze(2))
    assert merged.shape == (5, 5, size, size)
    expected = layers.norm(F.conv2d(x, merged, padding=size // 2))
    torch.testing.assert_close(layers(x), expected)


def test_operations_of_factors_by_hand() -> None:
    """A 1x1 map in the middle of a cell: each kernel's centre is all there is."""
    settings = NetworkConfig(time_steps=2, channels=2, stages=1, head="gap", votes=1, stem_stride=4)
    counts = {}
    for operation in ("k3", "d3", "f3"):
        cell = Cell.from_archid(f"zero-zero-{operation}-zero-zero-zero")
        built = build_net(Architecture(cell, settings, ImageShape(1, 4, 3)), 0, CPU)
        with torch.no_grad():
            built.stem.norm.bias.fill_(10.0)  # every neuron fires at every step
            for module in built.modules():  # and no factor cancels to zero
                if isinstance(module, nn.Conv2d):
                    module.weight.fill_(0.1)
            built.head.norm.bias.fill_(-10.0)  # but for the head's
        activity = measure_activity(built, [torch.full((1, 1, 4, 4), 0.5)])
        # The stem: one 3x3 window at the corner, 4 of its 9 taps on the image, 2 outputs.
        counts[operation] = (activity.effective_acs, activity.effective_macs - 8)
    # Two steps of 2 x 2 accumulates, then one MAC per channel (depthwise) or 2 x 2 (factorised).
    assert counts == {"k3": (8, 0), "d3": (8, 4), "f3": (8, 8)}


def test_strided_transition_takes_a_quarter_of_the_operations() -> None:
    dense = {}
    for downsampling in ("pool", "stride"):
        built = net(
            "zero-zero-skip-zero-zero-zero", downsampling=downsampling, head="gap", stages=2
        )
        dense[downsampling] = measure_activity(built, [torch.ones(1, 2, 12, 12)]).dense_synops
    # 3x3 windows on 12x12 pixels touch 34^2 pixels; every second window, from the first, 17^2.
    transition = 4 * 8 * SMALL.time_steps
    assert dense["pool"] - dense["stride"] == transition * (34**2 - 17**2)


def test_learned_time_constants_start_as_configured_and_get_gradients() -> None:
    built = net("k3-k1-k3-k3-zero-k3", learnable_tau=True, stem_convolutions=2).train()
    neurons = built.neurons()
    # stem2; three nodes in each of two cells; transition; head; hidden layer.
    assert len(neurons) == 1 + 2 * 3 + 1 + 2
    assert [neuron.tau for neuron in neurons] == pytest.approx([4 / 3] * 10)
    fixed = net("k3-k1-k3-k3-zero-k3", stem_convolutions=2).train()
    images = torch.randn(4, 2, 12, 12)
    for one in (built, fixed):
        for dropout in one.dropouts():
            dropout.generator = torch.Generator().manual_seed(0)
    torch.testing.assert_close(built(images), fixed(images), rtol=1e-4, atol=1e-4)
    built(images).sum().backward()
    for neuron in neurons:
        assert neuron.w is not None
        assert neuron.w.grad is not None
        assert neuron.w.grad != 0


def test_weights_of_stages_belong_to_their_name() -> None:
    deep = net(CHAIN, cells_per_stage=2).state_dict()
    other = net("k3-zero-k1-k3-zero-k1", cells_per_stage=2).state_dict()
    name = "cell1_2.convolutions.12_k3.conv.weight"
    assert torch.equal(deep[name], other[name])
    assert not torch.equal(deep[name], deep[name.replace("cell1_2", "cell1")])
    # What the default net has is unchanged by what is added.
    plain = net(CHAIN).state_dict()
    assert all(torch.equal(deep[name], value) for name, value in plain.items())


def test_modern_trains() -> None:
    torch.manual_seed(0)
    settings = NetworkConfig(
        macro="modern", channels=4, time_steps=2, convolutions={7: "depthwise"}
    )
    assert settings.residual == MACROS["modern"]["residual"]
    cell = Cell.from_archid("k3-zero-d7-k3-avg-k3")
    built = build_net(Architecture(cell, settings, ImageShape(3, 16, 3)), 0, CPU).train()
    images, labels = torch.randn(12, 3, 16, 16), torch.arange(12) % 3
    optimiser = torch.optim.SGD(built.parameters(), lr=0.1)
    losses = []
    for _ in range(4):
        loss = F.cross_entropy(built(images).mean(0), labels)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < losses[0]
    layout = built.cell1(
        torch.randn(1, 12, 4, 16, 16).flatten(0, 1).to(memory_format=torch.channels_last)[None]
    )
    assert layout.flatten(0, 1).is_contiguous(memory_format=torch.channels_last)
