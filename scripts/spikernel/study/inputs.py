"""What every step that runs nets begins with: the data set, the device, the threads."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from spikernel.config import TrainingConfig
from spikernel.data.manifest import Manifest
from spikernel.errors import DataError, DeviceError
from spikernel.network import choose_device, describe_device
from spikernel.network.device import DeviceName
from spikernel.space import Architecture, ImageShape

__all__ = ["DeviceName", "Machine", "check_fit", "events_path", "image_shape", "state_path"]


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


def image_shape(manifest: Manifest) -> ImageShape:
    """Return the shape of a prepared data set's images."""
    return ImageShape(manifest.channels, manifest.image_size, len(manifest.classes))


def check_fit(
    architecture: Architecture, classes: Sequence[str], manifest: Manifest, path: Path
) -> None:
    """Check that a trained net reads the images of a prepared data set.

    Args:
        architecture: the net's.
        classes: names of the classes that it was trained on.
        manifest: of the data set.
        path: of the manifest, for the message.

    Raises:
        DataError: the images have another shape, or the classes are others.

    """
    made_for, found = (
        f"{shape.channels} x {shape.size} x {shape.size}"
        for shape in (architecture.images, image_shape(manifest))
    )
    if made_for != found:
        raise DataError(f"{path}: its images are {found}, those the net was made for {made_for}")
    if tuple(classes) != tuple(manifest.classes):
        raise DataError(f"{path}: its classes are not those that the net was trained on")


def state_path(output: Path) -> Path:
    """Return where unfinished work on `output` is kept: hidden beside it, never declared."""
    return output.with_name(f".{output.stem}.unfinished")


def events_path(output: Path, training: TrainingConfig) -> Path | None:
    """Return the folder of TensorBoard event files beside `output`; None: not wanted."""
    return output.with_name("tensorboard") if training.tensorboard else None
