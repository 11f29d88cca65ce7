"""What a user sees of a training: a log line per epoch, a bar on a terminal, TensorBoard.

Nothing here waits for the device within an epoch: the bar counts steps that were queued.
"""

import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from spikernel.errors import ConfigError

log = logging.getLogger(__name__)
Item = TypeVar("Item")


@dataclass(frozen=True)
class EpochRecord:
    """One line of a run's history."""

    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy_percent: float
    val_accuracy_percent: float
    seconds: float


class Progress:
    """Reports on a run.

    Args:
        flop: training FLOP per image of each epoch; by them the time left is estimated.
        images: training images of an epoch.
        events: folder for TensorBoard event files; None: none are written.
        resumed: the epochs of the event files that are there are the first of this run.
        silent: no bar and no warning, where the epochs are not those of a training.

    """

    def __init__(
        self,
        flop: Sequence[float],
        images: int,
        events: Path | None = None,
        *,
        resumed: bool = False,
        silent: bool = False,
    ) -> None:
        self._flop, self._images, self._events = flop, images, events
        if events is not None:
            check_writer()
            if not resumed:  # those of a run of before are none of this one
                shutil.rmtree(events, ignore_errors=True)
        self._silent = self._warned = silent

    def batches(self, batches: Sequence[Item], epoch: int, done: int = 0) -> Iterable[Item]:
        """Hand on the rest of an epoch's batches, with a bar where stderr is a terminal.

        Args:
            batches: to come.
            epoch: from 1.
            done: those before them.

        """
        if len(batches) + done == 1 and not self._warned:
            self._warned = True
            log.warning(
                "every epoch is a single step: batch_size is not below the %d training images: "
                "lower it",
                self._images,
            )
        shown: Iterable[Item] = tqdm(
            batches,
            desc=f"epoch {epoch}/{len(self._flop)}",
            initial=done,
            total=done + len(batches),
            unit="image",
            unit_scale=self._images / max(1, done + len(batches)),
            leave=False,
            disable=self._silent or None,  # None: a bar on a terminal only
        )
        return shown

    def epoch(self, history: Sequence[EpochRecord]) -> None:
        """Report the last epoch of a history."""
        last, done = history[-1], len(history)
        seconds_per_flop = sum(record.seconds for record in history) / sum(self._flop[:done])
        left = seconds_per_flop * sum(self._flop[done:])
        rate = self._images / last.seconds
        log.info(
            "epoch %d/%d  loss %.4f  train %.2f %%  val %.2f %%  %.0f images/s  %.3g TFLOP/s  "
            "%.0f s left",
            done, len(self._flop), last.train_loss, last.train_accuracy_percent,
            last.val_accuracy_percent, rate, rate * self._flop[done - 1] / 1e12, left,
        )  # fmt: skip
        if self._events is not None:
            _write_events(self._events, last, rate)


def check_writer() -> None:
    """Check that event files can be written.

    Raises:
        ConfigError: the package that PyTorch's writer needs is not installed.

    """
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        raise ConfigError(
            "training/tensorboard: the package tensorboard is not installed: install it or set "
            "tensorboard: false"
        ) from None


def _write_events(folder: Path, record: EpochRecord, images_per_second: float) -> None:
    """Append one epoch to the event files of a folder, in a file of its own.

    TensorBoard joins the files of a folder. One that is written whole and closed cannot lack
    epochs after a kill, nor hold them twice after a resumed run.
    """
    from torch.utils.tensorboard import SummaryWriter

    scalars = {**asdict(record), "images_per_second": images_per_second}
    epoch = scalars.pop("epoch")
    with SummaryWriter(str(folder), filename_suffix=f".{epoch}") as writer:
        for name, value in scalars.items():
            writer.add_scalar(name, value, epoch)
