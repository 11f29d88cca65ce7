"""Prepared splits, as the steps that train and score load them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikernel import artifacts
from spikernel.data import manifest as manifests
from spikernel.data.manifest import Manifest
from spikernel.errors import DataError

MIXED = 0.9
"""Share of the classes of random images that the first ones of mixed data have at least."""


@dataclass(frozen=True)
class Split:
    """One split of a prepared data set; its arrays are read-only."""

    images: NDArray[np.uint8]
    """Pixels 0..255, shape (N, C, H, W), mapped from the file."""
    labels: NDArray[np.int64]
    """Classes, shape (N,)."""
    manifest: Manifest
    """The data set's names, statistics and sources."""


def load_split(manifest_path: Path, split: str) -> Split:
    """Load a split and check that its arrays are those the manifest was written for.

    Args:
        manifest_path: the data set's manifest; the arrays lie beside it.
        split: train, validation or test.

    Raises:
        DataError: an array is missing, altered or of the wrong shape, or there is no such split.
    """
    manifest = manifests.read(manifest_path)
    files = next((files for name, files in manifest.splits.items() if name == split), None)
    if files is None:
        raise DataError(f"{manifest_path}: no split '{split}': take {', '.join(manifests.SPLITS)}")
    side = manifest.image_size
    folder = manifest_path.parent
    images = _load(folder / files.images, files.images_sha256)
    labels = _load(folder / files.labels, files.labels_sha256)
    for name, array, dtype, shape in (
        (files.images, images, np.uint8, (files.count, manifest.channels, side, side)),
        (files.labels, labels, np.int64, (files.count,)),
    ):
        if array.dtype != dtype or array.shape != shape:
            raise DataError(
                f"{folder / name} holds {array.dtype}{array.shape}, but the manifest says "
                f"{np.dtype(dtype)}{shape}: run prepare_data again"
            )
    return Split(images, labels, manifest)


def places_of(labels: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Return the places of images that stand for all: the first ones.

    Where these have fewer classes than as many random ones, as in data that are listed class by
    class, evenly spaced ones.

    Args:
        labels: of all images, [N].
        count: how many; all where there are no more.

    """
    count = min(count, len(labels))
    places = np.arange(count)
    shares = np.bincount(labels) / len(labels)
    of_random = float((1 - (1 - shares) ** count).sum())  # classes that they have on average
    if len(np.unique(labels[:count])) < MIXED * of_random:
        places = places * len(labels) // count
    return places


def _load(path: Path, expected: str) -> NDArray[Any]:
    try:
        found = artifacts.file_hash(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}): run prepare_data again"
        ) from None
    if found != expected:
        raise DataError(
            f"{path} was altered after it was prepared: its SHA-256 is {found}, the manifest says "
            f"{expected}; run prepare_data again"
        )
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:
        raise DataError(f"{path} is not an array file: run prepare_data again") from None
    return array
