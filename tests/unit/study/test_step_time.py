"""What a timing of steps says to the user: nothing."""

import logging
from typing import cast

import pytest
import torch

from spikernel.study import step_time
from spikernel.training.passes import Pass
from spikernel.training.progress import Progress
from spikernel.training.trainer import Trainer


class Still:
    """A trainer whose steps do nothing."""

    device = torch.device("cpu")

    def train_epoch(self, now: Pass, progress: Progress) -> None:
        """Take one step of all images."""
        assert len(list(progress.batches(now.order.split(25), now.epoch, now.step))) == 1


def test_timed_steps_are_no_epochs_of_the_user(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert step_time._step_seconds(cast(Trainer, Still()), 25) > 0
    assert caplog.records == []
