"""A small real data set for tests: the first digits, prepared by the project's own step."""

from pathlib import Path

import torch

from spikernel.config import DatasetConfig, NetworkConfig
from spikernel.data.splits import Split, load_split
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study.prepare_data import prepare
from spikernel.study.shapes import image_shape

NETWORK = NetworkConfig(time_steps=2, channels=4, pool=2, hidden=8, votes=1, dropout=0.2)
MODERN = NetworkConfig.parse(
    {"macro": "modern", "time_steps": 2, "channels": 4, "stages": 2, "cells_per_stage": 1}, "toy"
)
ARCHID, FEEDBACK = "k3-zero-skip-k1-zero-k3", "k3-k1r-k3-k3-k1r-k1"


def prepare_digits(folder: Path, images: int = 200) -> Path:
    """Prepare a stratified subset of the digits and return the manifest's path."""
    manifest = folder / "prepare_data" / "manifest.json"
    settings = DatasetConfig(kind="digits", train_images=images, test_images=60)
    prepare("digits", settings, folder / "data", manifest)
    return manifest


def load(manifest: Path) -> tuple[Split, Split]:
    """Return the training and the validation split."""
    return load_split(manifest, "train"), load_split(manifest, "validation")


def fresh_net(
    manifest: Path, seed: int = 0, network: NetworkConfig = NETWORK, archid: str = ARCHID
) -> SpikingNet:
    """Return a small untrained net for the data set."""
    shape = image_shape(load_split(manifest, "train").manifest)
    architecture = Architecture(Cell.from_archid(archid), network, shape)
    return build_net(architecture, seed, torch.device("cpu"))
