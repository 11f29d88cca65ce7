"""The training loop: data set resident on the device, no copies to the host within an epoch."""

import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikernel.config import TrainingConfig
from spikernel.data.splits import Split
from spikernel.errors import ConfigError, TrainingError, UnfinishedError
from spikernel.network.spiking_net import SpikingNet
from spikernel.provenance import Stopwatch
from spikernel.training import state as run_state
from spikernel.training.augment import Augmenter
from spikernel.training.average import MovingAverage
from spikernel.training.evaluate import accuracy_percent, to_device
from spikernel.training.losses import mixed_loss
from spikernel.training.memory import keep_freed_memory
from spikernel.training.mixing import mix
from spikernel.training.optimiser import learning_rate, make_optimiser
from spikernel.training.progress import EpochRecord, Progress

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """A finished run: the net with the weights to keep, and its history."""

    net: SpikingNet
    augmenter: Augmenter
    history: list[EpochRecord] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Training time, parts before an interruption included."""
        return sum(record.seconds for record in self.history)


def make_augmenter(split: Split, settings: TrainingConfig, generator: torch.Generator) -> Augmenter:
    """Return the augmenter that normalises by the training split's mean and deviation."""
    device = generator.device
    mean = torch.tensor(split.manifest.mean, device=device)
    return Augmenter(settings, mean, torch.tensor(split.manifest.sd, device=device), generator)


class Trainer:
    """Trains one net; `run` goes on from the saved state where there is one."""

    def __init__(
        self, net: SpikingNet, train: Split, validation: Split, settings: TrainingConfig, seed: int
    ) -> None:
        if not 0 <= seed < 2**32:
            raise ConfigError(f"a seed must be at least 0 and below 2^32, got {seed}")
        self.net = net
        self.settings = settings
        self.device = next(net.parameters()).device
        on_gpu = self.device.type == "cuda"
        self.autocast = settings.mixed_precision if on_gpu else settings.cpu_bfloat16
        if self.device.type == "cpu":
            keep_freed_memory()
        else:
            # The shapes stay the same, so cuDNN may try which of its convolutions is fastest.
            torch.backends.cudnn.benchmark = True
        self.images, self.labels = to_device(train, self.device)
        self.validation = to_device(validation, self.device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.host_generator = np.random.default_rng(seed)
        self.augmenter = make_augmenter(train, settings, self.generator)
        self.optimiser = make_optimiser(net, settings)
        self.average = MovingAverage(net, settings.ema_decay) if settings.ema_decay > 0 else None
        # After the average has copied the net: a generator is shared, not copied.
        for dropout in net.dropouts():
            dropout.generator = self.generator
        self.history: list[EpochRecord] = []
        self.steps_per_epoch = math.ceil(len(self.labels) / settings.batch_size)

    def run(
        self,
        state_path: Path | None = None,
        fingerprint: Mapping[str, Any] | None = None,
        max_seconds: float | None = None,
        events: Path | None = None,
    ) -> Trained:
        """Train the epochs that are missing; see `train` for the arguments.

        Raises:
            TrainingError: the loss is not finite; the state of the last good epoch stays.
            UnfinishedError: the next epoch would not end within `max_seconds`.

        """
        watch, fingerprint = Stopwatch(), fingerprint or {}
        progress = Progress(self.settings.epochs, len(self.labels), events)
        if state_path is not None:
            saved = run_state.load(state_path, fingerprint)
            if saved is not None:
                self._restore(saved)
                log.info("resumed after epoch %d from %s", len(self.history), state_path)
        started = len(self.history)
        for epoch in range(started + 1, self.settings.epochs + 1):
            if max_seconds is not None and len(self.history) > started:
                self._stop_in_time(watch.seconds(), max_seconds, state_path)
            self.history.append(self._epoch(epoch, progress))
            if state_path is not None:
                run_state.save(state_path, fingerprint, self._state())
            progress.epoch(self.history)
        return Trained(self._kept(), self.augmenter, self.history)

    def _stop_in_time(self, passed: float, most: float, state_path: Path | None) -> None:
        """Stop where another epoch as long as the longest one would overrun."""
        longest = max(record.seconds for record in self.history)
        if passed + longest <= most:
            return
        kept = f"the state is in {state_path}" if state_path else "nothing was kept"
        raise UnfinishedError(
            f"stopped after epoch {len(self.history)} of {self.settings.epochs}: the next one "
            f"would not end within {most:g} s; {kept}; run the same command again to go on"
        )

    def _kept(self) -> SpikingNet:
        """Return the net whose weights count: the moving average where there is one."""
        return self.net if self.average is None else self.average.net

    def _epoch(self, epoch: int, progress: Progress) -> EpochRecord:
        watch = Stopwatch()
        losses, correct = self.train_epoch(epoch, progress)
        self._refuse_non_finite(losses, epoch)
        return EpochRecord(
            epoch=epoch,
            learning_rate=self.optimiser.param_groups[0]["lr"],
            train_loss=float(losses.mean()),
            train_accuracy_percent=100 * float(correct) / len(self.labels),
            val_accuracy_percent=accuracy_percent(self._kept(), *self.validation, self.augmenter),
            seconds=watch.seconds(),
        )

    def train_epoch(self, epoch: int, progress: Progress) -> tuple[Tensor, Tensor]:
        """Pass over the training images once, in random order; nothing waits for the device.

        Returns:
            The loss of every batch and the number of correct predictions, on the device.

        """
        self.net.train()
        order = torch.randperm(len(self.labels), device=self.device, generator=self.generator)
        losses = torch.zeros(self.steps_per_epoch, device=self.device)
        correct = torch.zeros((), device=self.device)
        batches = order.split(self.settings.batch_size)
        for index, chosen in enumerate(progress.batches(batches, epoch)):
            step = (epoch - 1) * self.steps_per_epoch + index
            rate = learning_rate(self.settings, step, self.steps_per_epoch)
            loss, hits = self._step(self.images[chosen], self.labels[chosen], rate)
            if self.average is not None:
                self.average.update(step)
            losses[index] = loss
            correct += hits
        return losses, correct

    def _step(self, images: Tensor, labels: Tensor, rate: float) -> tuple[Tensor, Tensor]:
        settings = self.settings
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        batch = mix(self.augmenter(images), labels, settings, self.host_generator)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            logits = self.net(batch.images)
        loss = mixed_loss(logits.float(), batch, settings)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if settings.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.net.parameters(), settings.gradient_clip)
        self.optimiser.step()
        hits = (logits.detach().mean(0).argmax(1) == labels).sum()
        return loss.detach(), hits

    def _refuse_non_finite(self, losses: Tensor, epoch: int) -> None:
        bad = (~torch.isfinite(losses)).nonzero()
        if len(bad):
            raise TrainingError(
                f"the loss is not finite in epoch {epoch}, batch {int(bad[0]) + 1} of "
                f"{len(losses)}: lower learning_rate or set gradient_clip; the state after epoch "
                f"{epoch - 1} is kept"
            )

    def _state(self) -> dict[str, Any]:
        return {
            "net": self.net.state_dict(),
            "average": self.average.net.state_dict() if self.average is not None else None,
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "host_generator": self.host_generator.bit_generator.state,
            "history": [asdict(record) for record in self.history],
        }

    def _restore(self, saved: Mapping[str, Any]) -> None:
        self.net.load_state_dict(saved["net"])
        if self.average is not None:
            self.average.net.load_state_dict(saved["average"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.generator.set_state(saved["generator"])
        self.host_generator.bit_generator.state = saved["host_generator"]
        self.history = [EpochRecord(**record) for record in saved["history"]]


def train(
    net: SpikingNet,
    splits: tuple[Split, Split],
    settings: TrainingConfig,
    seed: int,
    state_path: Path | None = None,
    fingerprint: Mapping[str, Any] | None = None,
    max_seconds: float | None = None,
    events: Path | None = None,
) -> Trained:
    """Train a net on (training, validation) splits and return the weights of the last epoch.

    Args:
        net: on its device, with its initial weights.
        splits: training and validation split.
        settings: the recipe.
        seed: of the order of the images, the augmentation and dropout.
        state_path: where the state of an unfinished run is kept; None: nowhere.
        fingerprint: what the run depends on; a state with another one is not used.
        max_seconds: stop before an epoch that would end later than this; at least one is done.
        events: folder for TensorBoard event files; None: none are written.

    Raises:
        TrainingError: the loss is not finite.
        UnfinishedError: `max_seconds` are over; the same call goes on from the state.

    """
    trainer = Trainer(net, *splits, settings, seed)
    return trainer.run(state_path, fingerprint, max_seconds, events)
