"""What the benchmarks share: the library on the path, CIFAR-10, device and versions."""

import sys
import tempfile
from pathlib import Path

# The benchmarks lie beside scripts/, where the library is; no install is needed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import torch

from spikernel import provenance
from spikernel.config import DatasetConfig
from spikernel.data.splits import Split, load_split
from spikernel.network.device import describe_device
from spikernel.study.prepare_data import prepare

ROOT = Path(__file__).resolve().parents[1]
"""Folder of the project."""


def prepare_cifar10(
    data_dir: Path, folder: Path, images: int | None = None, validation_fraction: float = 0.1
) -> Path:
    """Prepare CIFAR-10, or a stratified subset of its images, and return the manifest's path."""
    manifest = folder / "manifest.json"
    settings = DatasetConfig(
        kind="cifar10",
        train_images=images,
        test_images=images and min(images, 10_000),
        validation_fraction=validation_fraction,
    )
    prepare("cifar10", settings, data_dir, manifest)
    return manifest


def load_cifar10(data_dir: Path) -> Split:
    """Return CIFAR-10's training split, prepared in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="spikernel-"))
    return load_split(prepare_cifar10(data_dir, folder), "train")


def environment(device: torch.device) -> dict[str, object]:
    """Return device and versions, as every benchmark reports them."""
    return {"device": describe_device(device), "versions": provenance.package_versions()}


def wait_for(device: torch.device) -> None:
    """Wait until the device has done all work that was queued, so that a clock can be read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
