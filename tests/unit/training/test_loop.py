import logging
import math
from pathlib import Path

import pytest
import torch
from toy import fresh_net, load

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.errors import ConfigError, TrainingError
from spikernel.network.spiking_net import SpikingNet
from spikernel.training import progress
from spikernel.training import state as run_state
from spikernel.training.average import MovingAverage
from spikernel.training.loop import Trained, train
from spikernel.training.objectives import tet
from spikernel.training.passes import Pass
from spikernel.training.trainer import Trainer

SETTINGS = TrainingConfig.model_validate(
    {
        "recipe": "modern", "epochs": 3, "batch_size": 32, "learning_rate": 0.02,
        "warmup_fraction": 0, "ema_decay": 0.8,
    }
)  # fmt: skip


def run(manifest: Path, settings: TrainingConfig = SETTINGS, **where: object) -> Trained:
    return train(fresh_net(manifest), load(manifest), settings, 0, **where)  # type: ignore[arg-type]


def same_weights(one: SpikingNet, other: SpikingNet) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def whole(digits_manifest: Path) -> Trained:
    return run(digits_manifest)


def test_same_seed_same_weights_and_history(digits_manifest: Path, whole: Trained) -> None:
    again = run(digits_manifest)
    assert same_weights(again.net, whole.net)
    assert [r.train_loss for r in again.history] == [r.train_loss for r in whole.history]
    other = train(fresh_net(digits_manifest), load(digits_manifest), SETTINGS, 1)
    assert not same_weights(other.net, whole.net)


def test_seed_that_generators_do_not_take_is_refused(digits_manifest: Path) -> None:
    with pytest.raises(ConfigError, match="a seed must be at least 0"):
        train(fresh_net(digits_manifest), load(digits_manifest), SETTINGS, -1)


@pytest.mark.parametrize("killed_in_epoch", [2, 3])
def test_killed_run_goes_on_to_the_same_weights(
    digits_manifest: Path,
    tmp_path: Path,
    whole: Trained,
    monkeypatch: pytest.MonkeyPatch,
    killed_in_epoch: int,
) -> None:
    state = tmp_path / "state"
    original = Trainer.finish_epoch

    def killed(self: Trainer, now: Pass) -> None:
        original(self, now)
        if now.epoch == killed_in_epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "finish_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        run(digits_manifest, state_path=state, fingerprint={"seed": 0})
    monkeypatch.setattr(Trainer, "finish_epoch", original)
    resumed = run(digits_manifest, state_path=state, fingerprint={"seed": 0})
    assert len(resumed.history) == 3
    assert same_weights(resumed.net, whole.net)
    assert resumed.history[-1].val_accuracy_percent == whole.history[-1].val_accuracy_percent


def test_state_of_another_run_or_damaged_is_not_used(
    digits_manifest: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    one_epoch = SETTINGS.model_copy(update={"epochs": 1})
    run(digits_manifest, one_epoch, state_path=state, fingerprint={"seed": 7, "code": "a"})
    with caplog.at_level(logging.INFO, logger="spikernel.training"):
        own = {"seed": 8, "code": "a", "data": "b"}
        run(digits_manifest, one_epoch, state_path=state, fingerprint=own)
        state.write_bytes(state.read_bytes()[:1000])
        run(digits_manifest, one_epoch, state_path=state, fingerprint=own)
    assert not any("resumed" in record.getMessage() for record in caplog.records)
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warned == [
        f"{state} was made with other data, seed: the training starts anew",
        f"{state} is damaged: the training starts anew",
    ]


def test_loss_that_is_not_finite_names_epoch_and_batch_and_keeps_the_state(
    digits_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, steps = tmp_path / "state", []
    original = tet.Objective.__call__

    def broken(*arguments: object) -> torch.Tensor:
        steps.append(0)
        loss: torch.Tensor = original(*arguments)  # type: ignore[arg-type]
        return loss * math.nan if len(steps) == 9 else loss

    monkeypatch.setattr(tet.Objective, "__call__", broken)
    # 180 training images in batches of 32: 6 batches an epoch, so the ninth is 2 / 3.
    with pytest.raises(TrainingError, match="not finite in epoch 2, batch 3 of 6") as caught:
        run(digits_manifest, state_path=state, fingerprint={})
    assert "the state before it is kept" in str(caught.value)
    saved = run_state.load(state, {})
    assert saved is not None
    assert len(saved["history"]) == 1
    assert all(torch.isfinite(value).all() for value in saved["net"].values())


def test_training_learns_and_reports(
    digits_manifest: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = SETTINGS.model_copy(
        update={
            "epochs": 12, "flip": "none", "crop_padding": 0, "erase_probability": 0.0,
            "mixup_alpha": 0.0, "cutmix_alpha": 0.0, "ema_decay": 0.0,
        }
    )  # fmt: skip
    with caplog.at_level(logging.INFO, logger=progress.__name__):
        trained = run(digits_manifest, settings)
    # Ten classes: chance is 10 %.
    assert trained.history[-1].train_accuracy_percent > 40
    assert trained.history[-1].train_loss < trained.history[0].train_loss
    assert "epoch 12/12" in caplog.records[-1].getMessage()
    assert "0 s left" in caplog.records[-1].getMessage()


def test_moving_average_by_hand(digits_manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SETTINGS.model_copy(update={"epochs": 1, "batch_size": 90})
    seen: list[torch.Tensor] = []
    net = fresh_net(digits_manifest)
    start = net.stem.conv.weight.detach().clone()
    original = MovingAverage.update

    def spy(self: MovingAverage, step: int) -> None:
        seen.append(net.stem.conv.weight.detach().clone())
        original(self, step)

    monkeypatch.setattr(MovingAverage, "update", spy)
    trained = train(net, load(digits_manifest), settings, 0)
    assert len(seen) == 2  # two batches of 90
    # d = min(0.8, (1 + n) / (10 + n)): 0.1 after the first step, 2 / 11 after the second.
    expected = 2 / 11 * (0.1 * start + 0.9 * seen[0]) + 9 / 11 * seen[1]
    torch.testing.assert_close(trained.net.stem.conv.weight, expected)
    assert not any(parameter.requires_grad for parameter in trained.net.parameters())


def test_a_last_batch_that_cannot_be_normalised_is_refused(digits_manifest: Path) -> None:
    # The third stage has maps of 1x1; 180 training images, of which 179 leave one for the last.
    network = NetworkConfig.parse({"macro": "compact", "channels": 2, "stem_channels": 4}, "toy")
    settings = TrainingConfig.parse({"epochs": 1, "batch_size": 179}, "toy")
    with pytest.raises(ConfigError, match="with 179 the last batch of the 180 training images has"):
        train(fresh_net(digits_manifest, network=network), load(digits_manifest), settings, 0)
    train(
        fresh_net(digits_manifest, network=network), load(digits_manifest),
        settings.model_copy(update={"batch_size": 178}), 0,
    )  # fmt: skip
