"""One training: its net, data, objective, phases and generators, and what a step does.

The data set is resident on the device, and nothing is copied to the host within an epoch.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikernel.config import TrainingConfig
from spikernel.data.splits import Split
from spikernel.errors import ConfigError, TrainingError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, to_device
from spikernel.network.spiking_net import SpikingNet
from spikernel.training.augment import Augmenter
from spikernel.training.average import make_average
from spikernel.training.cuda_graph import GraphedStep, Learn, can_be_graph
from spikernel.training.known_weights import start_from
from spikernel.training.memory import keep_freed_memory
from spikernel.training.mixing import MixedBatch, mix
from spikernel.training.objective import Objective, make_objective
from spikernel.training.optimiser import make_optimiser, set_learning_rate
from spikernel.training.passes import Pass
from spikernel.training.phases import Phase, make_phases
from spikernel.training.precision import in_bfloat16
from spikernel.training.progress import EpochRecord, Progress

CUDNN_TRIAL_STEPS = 1000
"""Steps of a run from which on cuDNN tries all its convolutions: that takes a second or more."""


class Trainer:
    """Trains one net; `state` can be restored at any step of any epoch.

    Args:
        net: on its device, with its initial weights; it is the one that is evaluated and kept.
        splits: training and validation split.
        settings: the recipe.
        seed: of the order of the images, the augmentation and dropout.
        objective: what is minimised.
        phases: one after the other; their nets share the weights of `net`.

    """

    def __init__(
        self,
        net: SpikingNet,
        splits: tuple[Split, Split],
        settings: TrainingConfig,
        seed: int,
        objective: Objective,
        phases: Sequence[Phase],
    ) -> None:
        if not 0 <= seed < 2**32:
            raise ConfigError(f"a seed must be at least 0 and below 2^32, got {seed}")
        self.net = net
        self.objective = objective
        self.phases = phases
        self.device = next(net.parameters()).device
        self.steps_per_epoch = math.ceil(len(splits[0].labels) / settings.batch_size)
        steps = settings.epochs * self.steps_per_epoch
        if self.device.type == "cpu":
            keep_freed_memory()
        else:
            # The shapes stay the same, so cuDNN may try which of its convolutions is fastest.
            torch.backends.cudnn.benchmark = steps >= CUDNN_TRIAL_STEPS
        self.whole_images, self.labels = to_device(splits[0], self.device)
        self.validation = to_device(splits[1], self.device)
        manifest = splits[0].manifest
        self.normalise = Normaliser(manifest.mean, manifest.sd, self.device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.host_generator = np.random.default_rng(seed)
        self.history: list[EpochRecord] = []
        self.current: Pass | None = None
        self.average = make_average(net, settings, steps)
        for phase in phases:  # what a later one cannot do is said before anything is trained
            self._augmenter(phase)
            self._check_batches(phase)
        self._begin_phase(phases[0])

    def _begin_phase(self, phase: Phase) -> None:
        self.phase = phase
        phase.begin()
        self.images = phase.images(self.whole_images)
        self.autocast = in_bfloat16(phase.settings, self.device)
        self.augmenter = self._augmenter(phase)
        self.optimiser = make_optimiser(phase.net, phase.settings)
        # After the average has copied the net: a generator is shared, not copied.
        phase.net.use(self.generator)
        self.learn: Learn = self.learn_eagerly
        if can_be_graph(phase, self.optimiser, self.objective, self.device):
            self.learn = GraphedStep(self.learn_eagerly, self.optimiser, phase.settings.batch_size)

    def _augmenter(self, phase: Phase) -> Augmenter:
        size = phase.net.architecture.images.size
        return Augmenter(phase.settings, size, self.normalise, self.generator)

    def _check_batches(self, phase: Phase) -> None:
        """Refuse a batch in which a batch norm would see a single value of each channel."""
        size, architecture = phase.settings.batch_size, phase.net.architecture
        last = len(self.labels) % size or size
        one_step = architecture.network.time_steps == 1 or architecture.cell.has_feedback
        if last == 1 and one_step and min(part.size for part in architecture.parts) == 1:
            raise ConfigError(
                f"training/batch_size: with {size} the last batch of the {len(self.labels)} "
                "training images has one image, whose maps of one pixel cannot be normalised: "
                "change it by one"
            )

    def kept(self) -> SpikingNet:
        """Return the net whose weights count: the moving average where there is one."""
        return self.net if self.average is None else self.average.net

    def begin_epoch(self, epoch: int) -> Pass:
        """Return a pass over the training images in random order."""
        order = torch.randperm(len(self.labels), device=self.device, generator=self.generator)
        return Pass(epoch, order, self.steps_per_epoch)

    def train_epoch(
        self, now: Pass, progress: Progress, before_step: Callable[[], None] = lambda: None
    ) -> Tensor:
        """Train on the rest of a pass; nothing waits for the device.

        Returns:
            The loss of every batch, on the device.

        """
        self.phase.train_mode()
        batches = now.order.split(self.phase.settings.batch_size)
        for chosen in progress.batches(batches[now.step :], now.epoch, now.step):
            before_step()
            step = (now.epoch - 1) * self.steps_per_epoch + now.step
            loss, hits = self.train_batch(chosen, step)
            if self.average is not None:
                self.average.update(step)
            now.losses[now.step] = loss
            now.correct += hits
            now.step += 1
        return now.losses

    def train_batch(self, chosen: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Train on one batch.

        Args:
            chosen: places of its images, [N].
            step: of the run, from 0.

        Returns:
            The loss, and the number of correct predictions.

        """
        settings = self.phase.settings
        step_of_phase = step - (self.phase.first_epoch - 1) * self.steps_per_epoch
        set_learning_rate(self.optimiser, settings, step_of_phase, self.steps_per_epoch)
        epoch = step // self.steps_per_epoch + 1
        images, labels = self.augmenter(self.images[chosen], chosen, epoch), self.labels[chosen]
        return self.learn(mix(images, labels, settings, self.host_generator))

    def learn_eagerly(self, batch: MixedBatch) -> tuple[Tensor, Tensor]:
        """Make one step on a batch, on the device alone; return as `train_batch`."""
        settings = self.phase.settings
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            logits = self.phase.logits(batch.images)
        loss = self.objective(logits.float(), batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if settings.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.phase.net.parameters(), settings.gradient_clip)
        self.optimiser.step()
        hits = (logits.detach().mean(0).argmax(1) == batch.labels).sum()
        return loss.detach(), hits

    def refuse_non_finite(self, now: Pass) -> None:
        """Raise a TrainingError that names the first batch whose loss is not finite."""
        bad = (~torch.isfinite(now.losses)).nonzero()
        if len(bad):
            raise TrainingError(
                f"the loss is not finite in epoch {now.epoch}, batch {int(bad[0]) + 1} of "
                f"{len(now.losses)}: lower learning_rate or set gradient_clip; the state before "
                "it is kept"
            )

    def finish_epoch(self, now: Pass) -> None:
        """Validate what a whole pass has trained, and go on to the next phase after the last."""
        accuracy = accuracy_percent(self.kept(), *self.validation, self.normalise)
        self.history.append(
            EpochRecord(
                epoch=now.epoch,
                learning_rate=self.optimiser.param_groups[0]["lr"],
                train_loss=float(now.losses.mean()),
                train_accuracy_percent=100 * float(now.correct) / len(self.labels),
                val_accuracy_percent=accuracy,
                seconds=now.seconds(),
            )
        )
        self.current = None
        if now.epoch == self.phase.last_epoch and self.phase is not self.phases[-1]:
            self._begin_phase(self._phase_of(now.epoch + 1))

    def _phase_of(self, epoch: int) -> Phase:
        return next((p for p in self.phases if epoch <= p.last_epoch), self.phases[-1])

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs to go on, bit for bit on a CPU."""
        return {
            "net": self.net.state_dict(),
            "average": self.average.net.state_dict() if self.average is not None else None,
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "host_generator": self.host_generator.bit_generator.state,
            "history": [asdict(record) for record in self.history],
            "current": self.current.state() if self.current is not None else None,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up the state of another trainer of the same run."""
        self.history = [EpochRecord(**record) for record in saved["history"]]
        self._begin_phase(self._phase_of(len(self.history) + 1))
        self.net.load_state_dict(saved["net"])
        if self.average is not None:
            self.average.net.load_state_dict(saved["average"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.generator.set_state(saved["generator"])
        self.host_generator.bit_generator.state = saved["host_generator"]
        if saved["current"] is not None:
            self.current = Pass.restored(saved["current"], self.device)


def make_trainer(
    net: SpikingNet, splits: tuple[Split, Split], settings: TrainingConfig, seed: int
) -> Trainer:
    """Return the trainer that a configuration asks for; see `Trainer` for the arguments.

    Raises:
        ConfigError: the settings do not fit the net or the data.

    """
    device = next(net.parameters()).device
    if settings.initial_weights is not None:
        start_from(net, settings.initial_weights, splits[0].manifest)
    objective = make_objective(settings, splits[0].manifest, device)
    return Trainer(net, splits, settings, seed, objective, make_phases(net, settings))
