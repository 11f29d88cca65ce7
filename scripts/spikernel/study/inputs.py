"""What every step that runs nets begins with: the device, the threads, where its state lies."""

from dataclasses import dataclass
from pathlib import Path

import torch

from spikernel import artifacts
from spikernel.config import TrainingConfig
from spikernel.errors import DataError, DeviceError
from spikernel.network.device import DeviceName, choose_device, describe_device

__all__ = ["DeviceName", "Machine", "events_path", "state_path", "teacher_hashes"]


@dataclass(frozen=True)
class Machine:
    """Where a job computes."""

    device: torch.device
    threads: int

    @classmethod
    def choose(cls, device: DeviceName, threads: int) -> "Machine":
        """Fix the device and the number of CPU threads of this process.

        Raises:
            DeviceError: a GPU was asked for and there is none, or there are no threads.

        """
        if threads < 1:
            raise DeviceError(f"at least one CPU thread is needed, got {threads}")
        torch.set_num_threads(threads)
        return cls(choose_device(device), threads)

    def __str__(self) -> str:
        """Return the device in words."""
        return describe_device(self.device)


def state_path(output: Path) -> Path:
    """Return where unfinished work on `output` is kept: hidden beside it, never declared."""
    return output.with_name(f".{output.stem}.unfinished")


def teacher_hashes(training: TrainingConfig) -> dict[str, str]:
    """Return path -> SHA-256 of the released weights that a training reads besides the data.

    Raises:
        DataError: they are missing.

    """
    if training.teacher is None:
        return {}
    path = Path(training.teacher)
    if not path.is_file():
        raise DataError(f"training/teacher: {path} is missing: train it first, or correct the path")
    return {training.teacher: artifacts.file_hash(path)}


def events_path(output: Path, training: TrainingConfig) -> Path | None:
    """Return the folder of TensorBoard event files beside `output`; None: not wanted."""
    return output.with_name("tensorboard") if training.tensorboard else None
