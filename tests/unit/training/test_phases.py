from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from toy import MODERN, NETWORK, fresh_net, load

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.errors import ConfigError, UnfinishedError
from spikernel.network.spiking_net import SpikingNet
from spikernel.space.flop import forward_flop
from spikernel.training.loop import train
from spikernel.training.phases import make_phases, shrink
from spikernel.training.progress import Progress
from spikernel.training.trainer import make_trainer

# 180 training images in batches of 60: 3 steps an epoch. The images have 8 x 8 pixels.
BASE = {"batch_size": 60, "learning_rate": 0.08, "momentum": 0.9}
PHASES: list[dict[str, Any]] = [
    {"epochs": 2, "time_steps": 1, "image_size": 6},
    {"epochs": 1, "learning_rate": 0.02},
    {"epochs": 2, "freeze": ["stem", "stem2", "cell1"]},
]

LEADING = ("stem.", "stem2.", "cell1.")


def settings(phases: list[dict[str, Any]], **more: Any) -> TrainingConfig:
    return TrainingConfig.parse({**BASE, "phases": phases, **more}, "toy")


def modern(manifest: Path) -> SpikingNet:
    return fresh_net(manifest, network=MODERN)


def test_epochs_are_the_sum_of_the_phases() -> None:
    given = settings(PHASES)
    assert given.epochs == 5
    assert TrainingConfig.parse(given.model_dump(mode="json"), "toy") == given
    assert TrainingConfig.parse(given.changes(), "toy") == given
    with pytest.raises(ConfigError, match="epochs is 4, but the phases have 5: leave epochs out"):
        settings(PHASES, epochs=4)


@pytest.mark.parametrize(
    ("phase", "message"),
    [
        ({"image_size": 9}, "phases/1/image_size is 9, but the images have 8 pixels a side"),
        ({"image_size": 1}, "phases/1: kernel size 3 is larger than the 1x1 images"),
        ({"freeze": ["cell1"]}, "phases/1/freeze must name the first modules .* got cell1$"),
        ({"freeze": ["stem", "cell9"]}, "got stem, cell9$"),
    ],
)
def test_phase_that_does_not_fit_is_one_line(
    digits_manifest: Path, phase: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make_phases(modern(digits_manifest), settings([{"epochs": 1}, {"epochs": 1, **phase}]))


def test_head_of_fixed_size_takes_no_smaller_images(digits_manifest: Path) -> None:
    # Maps of 4 x 4 pooled by 2, 8 channels: 32 inputs. Images of 4 pixels leave 1 x 1 of them.
    with pytest.raises(ConfigError, match="gives the head 8 inputs instead of 32"):
        make_phases(fresh_net(digits_manifest), settings([{"epochs": 1, "image_size": 4}]))


def test_phases_share_their_weights_and_one_is_the_net_itself(digits_manifest: Path) -> None:
    net = modern(digits_manifest)
    first, second, third = make_phases(net, settings(PHASES))
    assert second.net is net
    assert third.net is net
    assert first.net is not net
    assert first.net.architecture.network.time_steps == 1
    assert first.net.architecture.images.size == 6
    views = first.net.state_dict(keep_vars=True)
    assert all(views[name] is value for name, value in net.state_dict(keep_vars=True).items())
    assert [phase.first_epoch for phase in (first, second, third)] == [1, 3, 4]
    assert first.flop_per_image == 3 * forward_flop(first.net.architecture)
    assert third.flop_per_image == second.flop_per_image == 3 * forward_flop(net.architecture)


def test_phase_with_other_neurons_trains_the_same_weights(digits_manifest: Path) -> None:
    net = fresh_net(digits_manifest)  # lif, without learned time constants
    given = settings([{"epochs": 1, "neuron": "if_soft"}, {"epochs": 1}])
    first, second = make_phases(net, given)
    assert second.net is net
    assert {type(layer).__module__ for layer in first.net.neurons()} == {
        "spikernel.network.neurons.if_soft"
    }
    assert given.parts() == [
        "spikernel.network.neurons.if_soft", "spikernel.training.objectives.mean"
    ]  # fmt: skip
    before = net.stem.conv.weight.detach().clone()
    trained = train(net, load(digits_manifest), given, 0)
    assert not torch.equal(net.stem.conv.weight, before)
    assert trained.net.architecture.network.neuron == "lif"
    assert [record.epoch for record in trained.history] == [1, 2]


def test_a_list_that_ends_in_other_neurons_than_those_kept_is_refused(
    digits_manifest: Path,
) -> None:
    network = NetworkConfig.parse({**NETWORK.model_dump(), "neuron": "if_soft"}, "toy")
    net = fresh_net(digits_manifest, network=network)
    levels = {"epochs": 1, "neuron": "integer", "time_steps": 1}
    make_phases(net, settings([levels, {"epochs": 1}]))
    with pytest.raises(ConfigError, match=r"neurons 'integer', but the net .* spikes by 'if_soft'"):
        make_phases(net, settings([{"epochs": 1}, levels]))


def test_other_neurons_must_have_the_same_parameters(digits_manifest: Path) -> None:
    with pytest.raises(ConfigError, match="phases/0: its neurons have other parameters"):
        make_phases(modern(digits_manifest), settings([{"epochs": 1, "neuron": "if_soft"}]))


def test_shrunk_pixels_are_means_weighted_by_distance() -> None:
    images = torch.zeros(1, 1, 4, 4)
    images[..., 0, 0], images[..., 1, 2] = 160, 80
    shrunk = shrink(images.to(torch.uint8), 2)
    # Of four pixels in a row the first new one takes shares 3, 3, 1 of 7, the border being near.
    expected = [(9 * 160 + 3 * 80) / 49, 9 * 80 / 49, 80 / 49, 3 * 80 / 49]
    assert shrunk.flatten().tolist() == pytest.approx(expected, abs=1)
    assert shrunk.dtype == torch.uint8


def test_rate_starts_anew_and_frozen_modules_stay(digits_manifest: Path) -> None:
    net, given = modern(digits_manifest), settings(PHASES, final_lr_fraction=0.0)
    trainer = make_trainer(net, load(digits_manifest), given, 0)
    assert trainer.images.shape[2:] == (6, 6)
    frozen, rates = [], []
    for epoch in range(1, 6):
        now = trainer.begin_epoch(epoch)
        trainer.train_epoch(now, Progress([1] * 5, 1))
        trainer.finish_epoch(now)
        rates.append(trainer.history[-1].learning_rate)
        leading = [item for item in net.state_dict().items() if item[0].startswith(LEADING)]
        frozen.append({name: value.clone() for name, value in leading})
    # Half a cosine over each phase: 1 and 1 / 2 of the peak where it has two epochs.
    assert rates == pytest.approx([0.08, 0.04, 0.02, 0.08, 0.04])
    assert any("running_mean" in name for name in frozen[0])
    kept = [
        all(torch.equal(before[name], after[name]) for name in before)
        for before, after in pairwise(frozen)
    ]
    assert kept == [False, False, True, True]
    assert trainer.images is trainer.whole_images


def test_weights_that_a_net_does_not_train_stay_in_every_phase(digits_manifest: Path) -> None:
    network = NetworkConfig.parse({**MODERN.model_dump(), "stem_weights": "whitened"}, "toy")
    net = fresh_net(digits_manifest, network=network)
    before = net.stem.conv.weight.detach().clone()
    train(net, load(digits_manifest), settings(PHASES), 0)
    assert torch.equal(net.stem.conv.weight, before)
    assert net.stem.norm.weight.requires_grad is False  # frozen in the last phase
    assert net.head.outputs.weight.requires_grad


def test_what_a_later_phase_cannot_do_is_said_before_the_first(digits_manifest: Path) -> None:
    phases = [{"epochs": 1}, {"epochs": 1, "image_size": 6}]
    with pytest.raises(ConfigError, match="cutout"):
        make_trainer(modern(digits_manifest), load(digits_manifest), settings(phases, cutout=7), 0)


def test_run_stopped_in_every_phase_goes_on_to_the_same_weights(
    digits_manifest: Path, tmp_path: Path
) -> None:
    # So tight a bound that a gradient which a frozen weight has kept would change all steps.
    given = settings(PHASES, ema_decay=0.8, gradient_clip=0.05)
    whole = train(modern(digits_manifest), load(digits_manifest), given, 0)
    state, slices = tmp_path / "state", 0
    while True:
        try:
            joined = train(
                modern(digits_manifest), load(digits_manifest), given, 0, state, max_seconds=1e-6
            )
            break
        except UnfinishedError:
            slices += 1
    # Of 5 epochs of 3 steps and a validation each, all but the last piece end a slice.
    assert slices == 19
    weights = whole.net.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in joined.net.state_dict().items())
    assert [r.train_loss for r in joined.history] == [r.train_loss for r in whole.history]
    assert joined.net.architecture == modern(digits_manifest).architecture
