"""A training that is killed or runs out of time goes on to the very same weights."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from toy import fresh_net, load, prepare_digits

from spikernel.config import TrainingConfig
from spikernel.errors import UnfinishedError
from spikernel.training import loop, passes, slices
from spikernel.training.loop import Trained, train
from spikernel.training.trainer import Trainer

ROOT = Path(__file__).parents[3]
SETTINGS = TrainingConfig.model_validate({"recipe": "modern", "epochs": 12, "batch_size": 16})


RESUMABLE = """
import logging, sys, time
from pathlib import Path
import torch
import test_interruption

manifest, state, weights, hold = map(Path, sys.argv[1:])


class Held(logging.StreamHandler):
    def emit(self, record):  # the fourth epoch ends only once the file is gone
        while record.getMessage().startswith("epoch 4/") and hold.exists():
            time.sleep(0.05)
        super().emit(record)


logging.basicConfig(level=logging.INFO, handlers=[Held()])
torch.set_num_threads(1)
torch.save(test_interruption.run(manifest, state).net.state_dict(), weights)
"""


def run(manifest: Path, state: Path | None = None, max_seconds: float | None = None) -> Trained:
    net, splits = fresh_net(manifest), load(manifest)
    return train(net, splits, SETTINGS, 0, state, {"seed": 0}, max_seconds, checkpoint_seconds=0)


def test_killed_process_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    manifest, state, log = prepare_digits(tmp_path, 80), tmp_path / "state", tmp_path / "log"
    weights, hold = tmp_path / "weights.pt", tmp_path / "hold"
    hold.touch()
    paths = [ROOT / "scripts", ROOT / "tests", Path(__file__).parent]
    command = [sys.executable, "-c", RESUMABLE, *map(str, (manifest, state, weights, hold))]
    environment = {"PYTHONPATH": ":".join(map(str, paths)), "OMP_NUM_THREADS": "1"}
    with log.open("w") as stderr:
        process = subprocess.Popen(command, stderr=stderr, env=environment)
        deadline = time.monotonic() + 120
        while "epoch 3/12" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert not weights.exists()
    hold.unlink()
    again = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)
    assert again.returncode == 0, again.stderr
    assert "resumed after epoch" in again.stderr
    assert "epoch 3/12" not in again.stderr
    whole, resumed = run(manifest).net.state_dict(), torch.load(weights, weights_only=True)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


class Clock:
    """A clock on which a step takes ten seconds and all else nothing."""

    now = 0.0

    def __init__(self) -> None:
        self.start = Clock.now

    def seconds(self) -> float:
        return Clock.now - self.start


@pytest.fixture
def slow_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Trainer.train_batch

    def slow(self: Trainer, *arguments: object) -> object:
        Clock.now += 10
        return original(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(slices, "Stopwatch", Clock)
    monkeypatch.setattr(passes, "Stopwatch", Clock)
    monkeypatch.setattr(Trainer, "train_batch", slow)
    monkeypatch.setitem(globals(), "SETTINGS", SETTINGS.model_copy(update={"epochs": 2}))


@pytest.mark.usefixtures("slow_steps")
def test_slices_end_within_an_epoch_and_join_to_the_same_weights(
    tmp_path: Path, digits_manifest: Path
) -> None:
    # 180 images in batches of 16: 12 steps of 10 s an epoch, of which 85 s hold 8.
    state = tmp_path / "state"
    for epoch, done in ((1, 8), (2, 4)):
        with pytest.raises(
            UnfinishedError, match=f"in epoch {epoch} of 2, after {done} of 12"
        ) as stopped:
            run(digits_manifest, state, max_seconds=85)
        assert str(state) in str(stopped.value)
    joined = run(digits_manifest, state, max_seconds=85)
    assert [(entry.epoch, entry.seconds) for entry in joined.history] == [(1, 120), (2, 120)]
    whole = run(digits_manifest)
    assert [entry.train_loss for entry in joined.history] == [
        entry.train_loss for entry in whole.history
    ]
    weights = whole.net.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in joined.net.state_dict().items())


@pytest.mark.usefixtures("slow_steps")
def test_a_slice_does_at_least_one_step(tmp_path: Path, digits_manifest: Path) -> None:
    for done in (1, 2):
        with pytest.raises(UnfinishedError, match=f"after {done} of 12 batches"):
            run(digits_manifest, tmp_path / "state", max_seconds=1)
    with pytest.raises(UnfinishedError, match="nothing was kept"):
        run(digits_manifest, max_seconds=1)


@pytest.mark.usefixtures("slow_steps")
def test_state_is_kept_as_often_as_asked_for(
    tmp_path: Path, digits_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[float] = []
    began, original = Clock.now, slices.Slice.save

    def spy(self: slices.Slice, state: dict[str, object]) -> None:
        kept.append(Clock.now - began)
        original(self, state)

    monkeypatch.setattr(slices.Slice, "save", spy)
    net, splits = fresh_net(digits_manifest), load(digits_manifest)
    train(net, splits, SETTINGS, 0, tmp_path / "state", {}, checkpoint_seconds=50)
    # Every 50 s of steps of 10 s, and after each epoch of 120 s.
    assert kept == [50, 100, 120, 170, 220, 240]
    assert loop.CHECKPOINT_SECONDS == 300


def test_a_step_that_was_held_up_shortens_no_slice_but_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "Stopwatch", Clock)
    path, took = tmp_path / "state", iter([10, 700, 10, 10, 10, 10, 10, 10, 10, 10])

    def steps_done() -> int:
        part, done = slices.Slice(path, {}, 0, 85), 0
        part.load()
        while part.has_time_for("step"):
            Clock.now += next(took)
            done += 1
        part.save({})
        return done

    assert [steps_done() for _ in range(2)] == [2, 8]


def test_event_files_of_another_run_are_removed(tmp_path: Path, digits_manifest: Path) -> None:
    how = SETTINGS.model_copy(update={"epochs": 2})
    state, events = tmp_path / "state", tmp_path / "tensorboard"
    for seed in (0, 1):
        net, splits = fresh_net(digits_manifest), load(digits_manifest)
        train(net, splits, how, seed, state, {"seed": seed}, events=events)
        assert len(list(events.iterdir())) == 2
