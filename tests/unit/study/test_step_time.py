"""What is made of the times of single steps, and that timing them says nothing to the user."""

import logging
import math
from dataclasses import replace
from typing import Any, cast

import pytest
import torch
from toy import ARCHID, NETWORK, load

from spikernel.config import NetworkConfig, SearchConfig, TrainingConfig
from spikernel.search.score import score_class
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study import step_time
from spikernel.study.inputs import Machine
from spikernel.study.planned_nets import PlannedNet
from spikernel.study.shapes import image_shape
from spikernel.training.passes import Pass
from spikernel.training.progress import Progress
from spikernel.training.trainer import Trainer


class Still:
    """A trainer whose steps do nothing."""

    device = torch.device("cpu")

    def train_epoch(self, now: Pass, progress: Progress) -> None:
        """Take one step of all images."""
        assert (
            len(list(progress.batches(now.order.split(25)[now.step :], now.epoch, now.step))) == 1
        )


def test_timed_steps_are_no_epochs_of_the_user(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert step_time._step_seconds(cast(Trainer, Still()), 25) > 0
    assert caplog.records == []


INTEGER = NetworkConfig.parse(
    {
        "macro": "compact",
        "channels": 4,
        "stages": 2,
        "stage_widths": [1, 2],
        "stem_channels": 6,
        "levels": 4,
    },
    "toy",
)


@pytest.mark.parametrize(("network", "binary_steps"), [(NETWORK, 1), (INTEGER, 4)])
def test_times_of_a_net_by_hand(
    network: NetworkConfig, binary_steps: int, digits_manifest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is timed takes a second: a training step, a pass of 128 images, a score."""
    monkeypatch.setattr(step_time, "_seconds", lambda *_: 1.0)
    manifest = load(digits_manifest)[0].manifest
    planned = PlannedNet(
        "train_final", Architecture(Cell.from_archid(ARCHID), network, image_shape(manifest)),
        TrainingConfig(epochs=3, batch_size=16), jobs=1, searches=1, candidates=1,
    )  # fmt: skip
    search = SearchConfig()
    score = score_class(search.score)(search, [], torch.device("cpu"))
    found = step_time._time_net(planned, manifest, score, Machine("cpu", 1))
    train, validation, test = (
        manifest.splits[name].count for name in ("train", "validation", "test")
    )
    assert found.train == 3 * math.ceil(train / 16) + 3 * validation / 128
    # As trained, and as the binary steps that a pass stands for.
    assert found.test == (1 + binary_steps) * test / 128
    assert found.deploy == pytest.approx((binary_steps * test + validation + test) / 128)
    assert found.score == 1
    unsearched = replace(planned, candidates=0)
    assert step_time._time_net(unsearched, manifest, score, Machine("cpu", 1)).score == 0
