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
from spikernel.training import loop
from spikernel.training.loop import Trained, train
from spikernel.training.progress import EpochRecord

ROOT = Path(__file__).parents[3]
SETTINGS = TrainingConfig.model_validate(
    {"recipe": "modern", "epochs": 12, "batch_size": 16, "randaugment_operations": 1}
)


def run(manifest: Path, state: Path | None = None, max_seconds: float | None = None) -> Trained:
    net, splits = fresh_net(manifest), load(manifest)
    return train(net, splits, SETTINGS, 0, state, {"seed": 0}, max_seconds)


def test_killed_process_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    manifest, state, log = prepare_digits(tmp_path, 80), tmp_path / "state", tmp_path / "log"
    code = (
        "import logging, sys, torch; from pathlib import Path; import test_interruption as t;"
        "logging.basicConfig(level=logging.INFO); torch.set_num_threads(1);"
        "trained = t.run(Path(sys.argv[1]), Path(sys.argv[2]));"
        "torch.save(trained.net.state_dict(), sys.argv[3])"
    )
    weights = tmp_path / "weights.pt"
    paths = [ROOT / "scripts", ROOT / "tests", Path(__file__).parent]
    command = [sys.executable, "-c", code, str(manifest), str(state), str(weights)]
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
    again = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)
    assert again.returncode == 0, again.stderr
    assert "resumed after epoch" in again.stderr
    assert "epoch 3/12" not in again.stderr
    whole, resumed = run(manifest).net.state_dict(), torch.load(weights, weights_only=True)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_slices_end_in_time_and_join_to_the_same_weights(
    tmp_path: Path, digits_manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]

    class Watch:
        def __init__(self) -> None:
            self.start = clock[0]

        def seconds(self) -> float:
            return clock[0] - self.start

    original = loop.Trainer.train_epoch

    def slow(self: loop.Trainer, *arguments: object) -> object:
        clock[0] += 10  # an epoch takes ten seconds on this clock
        return original(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "Stopwatch", Watch)
    monkeypatch.setattr(loop.Trainer, "train_epoch", slow)
    settings = SETTINGS.model_copy(update={"epochs": 7})
    monkeypatch.setitem(globals(), "SETTINGS", settings)
    state = tmp_path / "state"
    for done in (3, 6):
        with pytest.raises(UnfinishedError, match=f"after epoch {done} of 7") as stopped:
            run(digits_manifest, state, max_seconds=35)
        assert str(state) in str(stopped.value)
    with pytest.raises(UnfinishedError, match="after epoch 1 of 7"):
        run(digits_manifest, tmp_path / "other", max_seconds=1)  # one epoch is always done
    joined = run(digits_manifest, state, max_seconds=35)
    assert [entry.epoch for entry in joined.history] == list(range(1, 8))
    assert all(isinstance(entry, EpochRecord) for entry in joined.history)
    whole = run(digits_manifest).net.state_dict()
    assert all(torch.equal(whole[name], value) for name, value in joined.net.state_dict().items())
