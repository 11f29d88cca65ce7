import io
import logging
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from spikernel.errors import ConfigError
from spikernel.training.progress import EpochRecord, Progress


def record(epoch: int) -> EpochRecord:
    return EpochRecord(epoch, 0.1, 2.0 / epoch, 30.0 + epoch, 20.0 + epoch, 4.0)


def test_one_line_per_epoch_with_rate_and_time_left(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Progress([6e9] * 2 + [3e9] * 8, images=200).epoch([record(1), record(2)])
    (line,) = (entry.getMessage() for entry in caplog.records)
    # 200 images of 6 GFLOP in 4 s; 8 epochs of half the work to go.
    for part in ("epoch 2/10", "loss 1.0000", "train 32.00 %", "val 22.00 %", "50 images/s"):
        assert part in line
    assert "0.3 TFLOP/s" in line
    assert "16 s left" in line


@pytest.mark.parametrize("terminal", [True, False])
def test_bar_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(stderr, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", stderr)
    batches = [1, 2, 3]
    assert list(Progress([1] * 10, images=200).batches(batches, 4)) == batches
    assert ("epoch 4/10" in stderr.getvalue()) is terminal
    assert bool(stderr.getvalue()) is terminal


def test_batch_of_all_images_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    progress = Progress([1] * 10, images=20)
    for epoch in (1, 2):
        assert list(progress.batches([1], epoch)) == [1]
    (line,) = (entry.getMessage() for entry in caplog.records)
    assert line == (
        "every epoch is a single step: batch_size is not below the 20 training images: lower it"
    )


def test_events_hold_every_epoch_once(tmp_path: Path) -> None:
    progress = Progress([1] * 10, 200, tmp_path)
    history = [record(1), record(2), record(3)]
    for done in (1, 2, 3):
        progress.epoch(history[:done])
    events = EventAccumulator(str(tmp_path))
    names = sorted(tmp_path.iterdir())
    assert len(names) == 3
    losses = {}
    for name in names:
        events = EventAccumulator(str(name)).Reload()
        assert "images_per_second" in events.Tags()["scalars"]
        losses |= {event.step: event.value for event in events.Scalars("train_loss")}
    assert losses == {1: 2.0, 2: 1.0, 3: pytest.approx(2 / 3)}


def test_missing_tensorboard_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ConfigError, match="training/tensorboard: the package tensorboard is not"):
        Progress([1] * 10, 200, tmp_path)
