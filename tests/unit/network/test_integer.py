"""Neurons of several levels: by hand, against autograd, and as binary spikes."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from spikernel.config import NetworkConfig
from spikernel.errors import ConfigError
from spikernel.network.activity import measure_activity
from spikernel.network.neurobench import neurobench_metrics
from spikernel.network.neuron import make_neuron
from spikernel.network.neurons import _blocks, integer
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.network.synapses import connections_used
from spikernel.network.unrolled import unrolled
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import parameter_count

CELL = "k3-d3t0.5-skip-k1-avg-f5"
SETTINGS = NetworkConfig(neuron="integer", time_steps=1)


MAXIMA = {
    "early_transition": True, "pooling": "max", "entry_norm": False, "norm_scale": "fixed",
    "head": "gap",
}  # fmt: skip


def net(
    archid: str = CELL, levels: int = 4, whole: bool = False, changes: dict[str, Any] | None = None
) -> SpikingNet:
    """Return a net in evaluation mode that fires; `whole`: with integers for weights."""
    settings = NetworkConfig(
        neuron="integer", time_steps=1, levels=levels, channels=4, pool=2, hidden=8, votes=2,
        stem_convolutions=2, residual=True, dropout=0.0, **changes or {},
    )  # fmt: skip
    architecture = Architecture(Cell.from_archid(archid), settings, ImageShape(2, 8, 3))
    built = build_net(architecture, 0, torch.device("cpu")).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for module in built.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.bias.uniform_(0, 1, generator=generator)
                module.momentum = 0.7
                if whole:  # a norm that leaves whole numbers as they are
                    module.eps = 0.0
                    module.bias.round_()
            elif isinstance(module, (nn.Conv2d, nn.Linear)) and whole:
                module.weight.copy_(torch.randint(-1, 2, module.weight.shape, generator=generator))
        for _ in range(0 if whole else 5):  # until the running statistics have settled
            built.train()(images())
    return built.eval()


def images(whole: bool = False) -> Tensor:
    found = torch.randn(6, 2, 8, 8, generator=torch.Generator().manual_seed(0)).mul(2)
    return found.round() if whole else found


def test_levels_by_hand() -> None:
    # range 2, D = 4: y = round(2 x) / 4 within 0..1; 0.25 and 0.75 are ties and go to the even.
    x = torch.tensor([[-1.0, 0.2, 0.25, 0.3, 0.75, 1.0, 1.8, 2.0, 3.0]])
    expected = [0, 0, 0, 0.25, 0.5, 0.5, 1, 1, 1]
    assert make_neuron(SETTINGS)(x)[0].tolist() == expected
    # With half the threshold, at half the input.
    assert make_neuron(SETTINGS, threshold=0.5)(x / 2)[0].tolist() == expected


@torch.no_grad()
def run_unrolled(built: SpikingNet, pixels: Tensor) -> Tensor:
    """Return the logits [D, N, classes] of the binary steps."""
    with unrolled(built) as steps:
        logits: Tensor = built(pixels, steps)
    return logits


def literal(x: Tensor, reach: float, levels: int) -> Tensor:
    """Write the levels as their equation reads, straight-through where nothing is clipped."""
    clipped = (x / reach).clamp(0, 1)
    return clipped + ((clipped * levels).round() / levels - clipped).detach()


@pytest.mark.parametrize("levels", [1, 3, 4, 8])
@pytest.mark.parametrize("elements", [1, 100, 10**6])
def test_equals_the_equation(levels: int, elements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_blocks, "BLOCK_ELEMENTS", elements)
    neuron = make_neuron(SETTINGS.model_copy(update={"levels": levels, "level_range": 1.5}))
    generator = torch.Generator().manual_seed(levels)
    x = torch.randn(1, 7, 3, 5, 5, generator=generator, dtype=torch.float64).mul(2)
    weight = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    ours, theirs = neuron(a), literal(b, 1.5, levels)
    torch.testing.assert_close(ours, theirs)
    ours.backward(weight)
    theirs.backward(weight)
    torch.testing.assert_close(a.grad, b.grad)
    assert 0 < (a.grad == 0).double().mean() < 1


def test_bfloat16_fires_as_float32_and_keeps_one_byte() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 4, 3, 5, 5, generator=generator).bfloat16()
    last = x[0].contiguous(memory_format=torch.channels_last)[None].requires_grad_()
    single = x.float().requires_grad_()
    neuron = make_neuron(SETTINGS)
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        half, exact = neuron(last), neuron(single)
    assert torch.equal(half.float(), exact)
    assert half.dtype == torch.bfloat16
    assert half[0].is_contiguous(memory_format=torch.channels_last)
    assert [tensor.element_size() for tensor in kept] == [1, 1]
    half.sum().backward()
    exact.sum().backward()
    assert torch.equal(last.grad.float(), single.grad)


def test_unrolled_is_thermometer_code() -> None:
    neuron = make_neuron(SETTINGS.model_copy(update={"levels": 3}))
    levels = torch.tensor([[0, 1, 2, 3]]).div(3)
    binary = neuron.unroll(levels)
    assert binary.tolist() == [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]]
    torch.testing.assert_close(binary.mean(0, keepdim=True), levels)
    for levels in range(1, 256):  # every level comes back, in both number formats
        neuron.levels = levels
        for dtype in (torch.float32, torch.float64):
            counts = torch.arange(levels + 1, dtype=dtype)[None]
            assert torch.equal(neuron.unroll(counts / levels).sum(0), counts[0])


@pytest.mark.parametrize("changes", [{}, MAXIMA], ids=["average", "max"])
@pytest.mark.parametrize("levels", [2, 3, 4])
def test_binary_steps_give_what_one_pass_gives(levels: int, changes: dict[str, Any]) -> None:
    built = net(levels=levels, changes=changes).double()
    pixels = images().double()
    one, binary = built(pixels), run_unrolled(built, pixels)
    assert one.shape == (1, 6, 3)
    assert binary.shape == (levels, 6, 3)
    assert one.std(1).min() > 0
    torch.testing.assert_close(binary.mean(0), one[0])
    assert torch.equal(binary.mean(0).argmax(1), one[0].argmax(1))
    single = built.float()
    binary = run_unrolled(single, pixels.float())
    torch.testing.assert_close(binary.mean(0), one[0].float(), rtol=1e-4, atol=1e-5)
    assert torch.equal(binary.mean(0).argmax(1), one[0].argmax(1))


@pytest.mark.parametrize("changes", [{}, MAXIMA], ids=["average", "max"])
def test_every_level_is_equal_where_sums_are_exact(changes: dict[str, Any]) -> None:
    """Whole weights and images, D = 4: every number on the way is a small multiple of 2^-n."""
    built = net("k3-skip-skip-k1-k3-k5", whole=True, changes=changes)
    passes: list[list[Tensor]] = []
    for run in (built, lambda pixels: run_unrolled(built, pixels)):
        seen: list[Tensor] = []
        handles = [
            neuron.register_forward_hook(lambda _, __, spikes, seen=seen: seen.append(spikes))
            for neuron in built.neurons()
        ]
        logits = run(images(whole=True))
        passes.append([*seen, logits])
        for handle in handles:
            handle.remove()
    one, binary = passes
    assert len(one) == len(binary) == len(built.neurons()) + 1
    for levels, logits in zip(one, binary, strict=True):
        assert 0 < (levels != 0).float().mean() <= 1
        assert torch.equal(levels, logits.mean(0, keepdim=True) if len(logits) > 1 else logits)


def test_accumulates_are_those_of_the_binary_steps() -> None:
    """Level k is k spikes: each layer's accumulates follow from the levels of one pass."""
    built = net("k3-zero-skip-k1-avg-k5", levels=4)
    expected: dict[str, float] = {}

    def count(name: str, module: nn.Conv2d, x: Tensor) -> None:
        spikes = [(x * 4 > step + 0.5).float() for step in range(4)]
        expected[name] = sum(float(connections_used(module, now)) for now in spikes) / len(images())

    handles = [
        module.register_forward_pre_hook(
            lambda module, inputs, name=name: count(name, module, inputs[0])
        )
        for name, module in built.named_modules()
        if isinstance(module, nn.Conv2d) and name != "stem.conv"
    ]
    with torch.no_grad():
        one = built(images())
    for handle in handles:
        handle.remove()
    activity = measure_activity(built, [images()])
    layers = {layer.layer: layer for layer in activity.layers}
    assert len(expected) == 8
    for name, accumulates in expected.items():
        assert layers[name].acs == pytest.approx(accumulates)
        assert layers[name].macs == 0
    # The stem reads real values once: 64 pixels in at most 9 windows, 2 channels, 4 outputs.
    assert layers["stem.conv"].dense_ops == 22**2 * 2 * 4
    assert layers["stem2.mix.conv"].dense_ops == 22**2 * 4 * 4 * 4  # in each of the 4 binary steps
    rates = {neuron: layers[neuron].firing_rate for neuron in activity.layer_rates}
    assert all(0 < rate < 1 for rate in rates.values() if rate is not None)
    assert activity.state_bytes == 0
    metrics = neurobench_metrics(built, activity, 50.0)
    assert metrics["ActivationSparsity"] == 1 - activity.firing_rate
    assert metrics["SynapticOperations"]["Effective_ACs"] == activity.effective_acs
    assert torch.equal(built(images()), one)  # nothing is left behind


def test_firing_rate_is_per_binary_step() -> None:
    built = net()
    levels: list[Tensor] = []
    handle = built.head.neuron.register_forward_hook(lambda *hook: levels.append(hook[2]))
    with torch.no_grad():
        built(images())
    handle.remove()
    activity = measure_activity(built, [images()])
    assert activity.layer_rates["head.neuron"] == pytest.approx(float(levels[0].mean()))


def test_parameters_and_gradients() -> None:
    settings = SETTINGS.model_copy(update={"macro": "modern", "learnable_tau": True, "channels": 4})
    architecture = Architecture(
        Cell.from_archid("k3-zero-k3-k1-zero-k3"), settings, ImageShape(2, 8, 3)
    )
    built = build_net(architecture, 0, torch.device("cpu")).train()
    assert parameter_count(architecture).total == sum(p.numel() for p in built.parameters())
    built(images()).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in built.parameters())


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'integer' have no memory .* set time_steps to 1"):
        NetworkConfig.parse({"neuron": "integer"}, "network")
    with pytest.raises(
        ConfigError, match="feedback to the next time step, which neurons 'integer'"
    ):
        net("k3-skip-k1-k3r-avgr-k1")
    with pytest.raises(ValueError, match="in evaluation mode"):
        run_unrolled(net().train(), images())
    assert isinstance(make_neuron(SETTINGS), integer.Neuron)
