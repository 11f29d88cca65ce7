"""The gradient by way of the firing rates, against hand-made values and against that of time."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from toy import ARCHID, FEEDBACK, MODERN, fresh_net, load

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.errors import ConfigError
from spikernel.network.neuron import make_neuron
from spikernel.network.spiking_net import SpikingNet
from spikernel.space.flop import forward_flop
from spikernel.training.loop import train
from spikernel.training.phases import make_phases
from spikernel.training.rate_gradient import _give_rates, _norm_rates, _run_steps, rate_logits

IF = {"time_steps": 3, "channels": 4, "pool": 2, "hidden": 8, "votes": 1, "neuron": "if_soft"}
COMPACT = {
    "macro": "compact", "channels": 4, "stages": 2, "stage_widths": [1, 2], "stem_channels": 6,
}  # fmt: skip


def surrogate(above: float) -> float:
    """Return the arctangent's gradient at a distance from the threshold, alpha = 2."""
    return 1 / (1 + (math.pi * above) ** 2)


@pytest.mark.parametrize(
    ("neuron", "x", "rate", "expected"),
    [
        # Threshold 1, from 0.5: 1.1 fires and leaves 0.1; 0.7; 1.3 fires. An input that is larger
        # at every step has arrived once, twice, three times.
        ("if_soft", 0.6, 2 / 3, surrogate(0.1) + 2 * surrogate(-0.3) + 3 * surrogate(0.3)),
        # tau = 2, from 0: 0.75; 1.125 fires and leaves 0; 0.75. Half arrives, and half of that
        # before stays, if there was no spike.
        ("lif", 1.5, 1 / 3, 0.5 * surrogate(-0.25) + 0.75 * surrogate(0.125)
         + 0.5 * surrogate(-0.25)),
    ],
)  # fmt: skip
def test_rate_and_its_gradient_by_hand(neuron: str, x: float, rate: float, expected: float) -> None:
    layer = make_neuron(NetworkConfig.parse({**IF, "neuron": neuron, "tau": 2.0}, "toy"))
    for shape in ((1, 1, 1), (3, 1, 1)):  # held, and given at every step
        seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}
        _run_steps(layer, seen, torch.full(shape, x), 3)
        mean = torch.full((1, 1, 1), x, requires_grad=True)
        rates = _give_rates(*seen[layer], mean)
        assert rates.item() == pytest.approx(rate)
        rates.sum().backward()
        assert mean.grad is not None
        assert mean.grad.item() == pytest.approx(expected / 3)


def test_norm_has_the_gradient_of_all_steps_where_theirs_are_alike() -> None:
    generator = torch.Generator().manual_seed(0)
    steps = torch.randn(3, 5, 2, 4, 4, generator=generator, dtype=torch.float64)
    weights = torch.randn(5, 2, 4, 4, generator=generator, dtype=torch.float64)
    norm = nn.BatchNorm2d(2).double()
    whole, mean = steps.clone().requires_grad_(), steps.mean(0).requires_grad_()
    normed = norm(whole.flatten(0, 1)).unflatten(0, (3, 5))
    ((normed * weights).sum() / 3).backward()
    inverse_sd = (steps.var((0, 1, 3, 4), correction=0) + norm.eps).rsqrt()
    rates = _norm_rates(norm, inverse_sd, mean)
    torch.testing.assert_close(rates, normed.mean(0).float(), check_dtype=False)
    (rates * weights).sum().backward()
    assert whole.grad is not None
    torch.testing.assert_close(mean.grad, whole.grad.sum(0), rtol=1e-4, atol=1e-5)


def gradients(net: SpikingNet, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    F.cross_entropy(logits.mean(0), labels).backward()
    found = {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}
    net.zero_grad()
    return found


def batch(manifest: Path) -> tuple[Tensor, Tensor]:
    split = load(manifest)[0]
    images = torch.from_numpy(split.images[:32].copy()).float() / 128 - 1
    return images, torch.from_numpy(split.labels[:32].copy())


# One layer of neurons whose input is held, so that all steps of it are alike.
HELD = {**IF, "head": "gap", "stages": 1}


@pytest.mark.parametrize(
    ("network", "archid"),
    [
        ({**IF, "time_steps": 1, "dropout": 0.5}, ARCHID),
        ({**IF, "neuron": "lif", "time_steps": 1, "dropout": 0.5}, ARCHID),
        ({**MODERN.model_dump(mode="json"), "learnable_tau": False, "time_steps": 1}, ARCHID),
        ({**COMPACT, "neuron": "if_soft"}, ARCHID),
        (COMPACT, ARCHID),
        (HELD, "zero-zero-skip-zero-zero-zero"),
        ({**HELD, "neuron": "lif", "dropout": 0.5}, "zero-zero-skip-zero-zero-zero"),
    ],
    ids=["if_soft", "lif", "modern", "compact", "integer", "held_if_soft", "held_lif"],
)
def test_gradient_is_that_of_time_in_one_step_and_where_all_steps_are_alike(
    digits_manifest: Path, network: dict[str, object], archid: str
) -> None:
    images, labels = batch(digits_manifest)
    settings = NetworkConfig.parse(network, "toy")
    found = []
    for run in (rate_logits, lambda net, images: net(images)):
        net = fresh_net(digits_manifest, network=settings, archid=archid).train()
        for dropout in net.dropouts():
            dropout.generator = torch.Generator().manual_seed(0)
        logits = run(net, images)
        found.append((logits, gradients(net, logits, labels), net.state_dict()))
    (ours, rates, state), (theirs, time, other) = found
    torch.testing.assert_close(ours[0], theirs.mean(0))
    assert rates.keys() == time.keys()
    for name, gradient in time.items():
        torch.testing.assert_close(rates[name], gradient, rtol=1e-3, atol=1e-6)
    # The running statistics, too, were updated once.
    assert all(torch.equal(state[name], value) for name, value in other.items())


def test_many_steps_give_the_mean_of_their_outputs_and_a_like_gradient(
    digits_manifest: Path,
) -> None:
    images, labels = batch(digits_manifest)
    network = NetworkConfig.parse({**IF, "neuron": "lif", "dropout": 0.0}, "toy")
    net = fresh_net(digits_manifest, network=network).train()
    rates = rate_logits(net, images)
    assert rates.shape == (1, 32, 10)
    ours = gradients(net, rates, labels)
    steps = net(images)
    torch.testing.assert_close(rates[0], steps.mean(0))
    theirs = gradients(net, steps, labels)
    one, other = (torch.cat([g.flatten() for g in found.values()]) for found in (ours, theirs))
    assert 0.9 < F.cosine_similarity(one, other, dim=0) < 0.999


def test_bfloat16_leaves_no_weight_without_a_gradient(digits_manifest: Path) -> None:
    images, labels = batch(digits_manifest)
    net = fresh_net(digits_manifest, network=NetworkConfig.parse(IF, "toy")).train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = rate_logits(net, images)
    found = gradients(net, logits.float(), labels)
    assert found.keys() == {name for name, p in net.named_parameters() if p.requires_grad}


def test_a_phase_learns_by_its_rates(digits_manifest: Path) -> None:
    net = fresh_net(digits_manifest, network=NetworkConfig.parse({**IF, "dropout": 0.0}, "toy"))
    settings = TrainingConfig.parse(
        {
            "batch_size": 30, "learning_rate": 0.05, "flip": "none", "crop_padding": 0,
            "phases": [{"epochs": 1}, {"epochs": 7, "gradient": "rate"}],
        },
        "toy",
    )  # fmt: skip
    first, second = make_phases(net, settings)
    architecture = net.architecture
    assert first.flop_per_image == 3 * forward_flop(architecture)
    one_step = forward_flop(architecture, time_steps=1)
    assert second.flop_per_image == forward_flop(architecture) + 3 * one_step
    trained = train(net, load(digits_manifest), settings, 0)
    losses = [record.train_loss for record in trained.history]
    assert losses[-1] < 0.8 * losses[1]


def test_what_rates_cannot_train_is_refused_by_name(digits_manifest: Path) -> None:
    settings = TrainingConfig.parse({"phases": [{"epochs": 1, "gradient": "rate"}]}, "toy")
    feedback = fresh_net(digits_manifest, archid=FEEDBACK)
    with pytest.raises(ConfigError, match=rf"phases/0/gradient: cell {FEEDBACK} has feedback"):
        make_phases(feedback, settings)
    learned = fresh_net(digits_manifest, network=MODERN, archid=ARCHID)
    with pytest.raises(ConfigError, match="phases/0/gradient: rates do not train the neurons' own"):
        make_phases(learned, settings)
    with pytest.raises(ConfigError, match="objective tet looks at every time step"):
        TrainingConfig.parse({**settings.model_dump(mode="json"), "objective": "tet"}, "toy")
