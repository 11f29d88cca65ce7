"""The training loop: epoch after epoch, in one call or in slices of machine time."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from spikernel.config import TrainingConfig
from spikernel.data.splits import Split
from spikernel.errors import UnfinishedError
from spikernel.network.spiking_net import SpikingNet
from spikernel.training.passes import Pass
from spikernel.training.progress import EpochRecord, Progress
from spikernel.training.slices import Slice, Work
from spikernel.training.trainer import Trainer, make_trainer

log = logging.getLogger(__name__)
CHECKPOINT_SECONDS = 300.0
"""How often the state is kept within an epoch."""


@dataclass(frozen=True)
class Trained:
    """A finished run: the net with the weights to keep, and its history."""

    net: SpikingNet
    history: list[EpochRecord]
    images: int
    """Training images of an epoch."""
    flop_per_image: tuple[int, ...]
    """Training FLOP of each epoch, by `spikernel.training.phases.FLOP_RULE`."""

    @property
    def seconds(self) -> float:
        """Training time, parts before an interruption included."""
        return sum(record.seconds for record in self.history)

    @property
    def images_per_second(self) -> float:
        """Over the whole run, validation included."""
        return self.images * len(self.history) / self.seconds

    @property
    def flop(self) -> int:
        """FLOP of the whole run."""
        return self.images * sum(self.flop_per_image)


def train(
    net: SpikingNet,
    splits: tuple[Split, Split],
    settings: TrainingConfig,
    seed: int,
    state_path: Path | None = None,
    fingerprint: Mapping[str, Any] | None = None,
    max_seconds: float | None = None,
    events: Path | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Trained:
    """Train a net on (training, validation) splits and return the weights of the last epoch.

    Args:
        net: on its device, with its initial weights.
        splits: training and validation split.
        settings: the recipe.
        seed: of the order of the images, the augmentation and dropout.
        state_path: where the state of an unfinished run is kept; None: nowhere.
        fingerprint: what the run depends on; a state with another one is not used.
        max_seconds: stop before a step that would end later than this; at least one is done.
        events: folder for TensorBoard event files; None: none are written.
        checkpoint_seconds: how often the state is kept within an epoch; after one it always is.

    Raises:
        ConfigError: the settings do not fit the net or the data.
        TrainingError: the loss is not finite; the last good state stays.
        UnfinishedError: `max_seconds` are over; the same call goes on from the state.

    """
    part = Slice(state_path, fingerprint or {}, checkpoint_seconds, max_seconds)
    trainer = make_trainer(net, splits, settings, seed)
    saved = part.load()
    if saved is not None:
        trainer.restore(saved)
        done = f", batch {trainer.current.step}" if trainer.current else ""
        log.info("resumed after epoch %d%s from %s", len(trainer.history), done, state_path)
    images = len(trainer.labels)
    flop = tuple(
        phase.flop_per_image for phase in trainer.phases for _ in range(phase.settings.epochs)
    )
    progress = Progress(flop, images, events, resumed=saved is not None)
    for epoch in range(len(trainer.history) + 1, len(flop) + 1):
        now = trainer.current = trainer.current or trainer.begin_epoch(epoch)
        between = partial(_between, trainer, now, part)
        trainer.train_epoch(now, progress, partial(between, "step"))
        trainer.refuse_non_finite(now)
        between("validation")
        trainer.finish_epoch(now)
        part.save(trainer.state())
        progress.epoch(trainer.history)
    return Trained(trainer.kept(), trainer.history, images, flop)


def _between(trainer: Trainer, now: Pass, part: Slice, work: Work) -> None:
    """Keep the state, or stop, where it is time to before the next piece of work."""
    stop = not part.has_time_for(work)
    if not stop and not part.save_is_due():
        return
    trainer.refuse_non_finite(now)
    part.save(trainer.state())
    if stop:
        kept = f"the state is in {part.path}" if part.path else "nothing was kept"
        raise UnfinishedError(
            f"stopped in epoch {now.epoch} of {trainer.phases[-1].last_epoch}, after {now.step} of "
            f"{len(now.losses)} batches: more would not end within {part.max_seconds:g} s; {kept}; "
            "run the same command again to go on"
        )
