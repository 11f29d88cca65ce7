from pathlib import Path

import pytest
import torch
from toy import fresh_net, load

from spikernel.config import TrainingConfig
from spikernel.errors import ConfigError, UnfinishedError
from spikernel.training.average import Lookahead
from spikernel.training.loop import train

SETTINGS = TrainingConfig.parse({"epochs": 2, "batch_size": 30, "lookahead": True}, "toy")


def test_slow_and_fast_weights_by_hand(digits_manifest: Path) -> None:
    net = fresh_net(digits_manifest)
    weight = net.stem.conv.weight.data
    start = weight.clone()
    average = Lookahead(net, steps=20)
    for step in range(4):
        weight.add_(1)
        average.update(step)
    torch.testing.assert_close(weight, start + 4)  # not yet
    weight.add_(1)
    average.update(4)
    # After 5 of 20 steps d = 0.95^5 / 64: slow <- d start + (1 - d) (start + 5).
    expected = start + 5 * (1 - 0.95**5 / 64)
    torch.testing.assert_close(average.net.stem.conv.weight, expected)
    assert torch.equal(weight, average.net.stem.conv.weight)
    weight.add_(1)
    for step in range(5, 10):
        average.update(step)
    # After 10 of 20 steps d = 0.95^5 / 8, and the weights are 1 ahead.
    torch.testing.assert_close(average.net.stem.conv.weight, expected + 1 - 0.95**5 / 8)


def test_slow_weights_are_kept_and_stopped_runs_go_on(
    digits_manifest: Path, tmp_path: Path
) -> None:
    def run(**where: object) -> torch.Tensor:
        net, splits = fresh_net(digits_manifest), load(digits_manifest)
        trained = train(net, splits, SETTINGS, 0, **where)  # type: ignore[arg-type]
        assert trained.net is not net
        return torch.cat([value.flatten() for value in trained.net.state_dict().values()])

    whole = run()
    for _ in range(13):  # of 2 epochs of 6 steps and a validation, the last piece ends no slice
        with pytest.raises(UnfinishedError):
            run(state_path=tmp_path / "state", max_seconds=1e-6)
    assert torch.equal(run(state_path=tmp_path / "state"), whole)


def test_two_averages_are_refused() -> None:
    with pytest.raises(ConfigError, match="lookahead and ema_decay both choose the weights"):
        TrainingConfig.parse({"lookahead": True, "ema_decay": 0.9}, "t")


def test_a_run_without_a_step_of_the_slow_weights_is_refused(digits_manifest: Path) -> None:
    few = SETTINGS.model_copy(update={"batch_size": 60, "epochs": 1})  # of 180 images: 3 steps
    with pytest.raises(ConfigError, match=r"lookahead: the run has 3 steps, fewer than the 5"):
        train(fresh_net(digits_manifest), load(digits_manifest), few, 0)
