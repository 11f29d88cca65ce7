"""What every step that runs nets begins with: the device, the threads, where its state lies."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch

from spikernel.config import TrainingConfig
from spikernel.errors import DeviceError
from spikernel.network.device import DeviceName, choose_device, describe_device
from spikernel.training.memory import keep_freed_memory


@dataclass(frozen=True)
class Machine:
    """Where a job computes; making one sets this process's CPU threads, and how it frees memory.

    Raises:
        DeviceError: a GPU is asked for and there is none, or there are no threads.

    """

    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto"
    threads: Annotated[int, "CPU threads"] = 1

    def __post_init__(self) -> None:
        """Check the device, set the threads, and on a CPU let freed memory be kept."""
        if self.threads < 1:
            raise DeviceError(f"at least one CPU thread is needed, got {self.threads}")
        torch.set_num_threads(self.threads)
        if choose_device(self.device).type == "cpu":
            keep_freed_memory()

    @property
    def torch_device(self) -> torch.device:
        """The device itself."""
        return choose_device(self.device)

    def __str__(self) -> str:
        """Return the device in words."""
        return describe_device(self.torch_device)


def state_path(output: Path) -> Path:
    """Return where unfinished work on `output` is kept: hidden beside it, never declared."""
    return output.with_name(f".{output.stem}.unfinished")


def events_path(output: Path, training: TrainingConfig) -> Path | None:
    """Return the folder of TensorBoard event files beside `output`; None: not wanted."""
    return output.with_name("tensorboard") if training.tensorboard else None
