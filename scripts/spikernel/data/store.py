"""Arrays of the splits, written one image at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray
from tqdm import tqdm

from spikernel import artifacts
from spikernel.data.collection import Pool
from spikernel.data.manifest import SplitFiles
from spikernel.data.stratify import Indices

BLOCK = 1024
"""Images whose pixels are counted at once."""


def write_split(
    folder: Path, split: str, pool: Pool, chosen: Indices, classes: int, shape: tuple[int, ...]
) -> SplitFiles:
    """Write the chosen images and labels of a pool, in that order.

    Args:
        folder: where the arrays go.
        split: name of the split, which begins the names of the files.
        pool: the images to choose from.
        chosen: their indices, shape (N,).
        classes: number of classes.
        shape: (C, H, W) of every image.

    Returns:
        The record of the files for the manifest.

    Raises:
        DataError: an image cannot be read.
        SpikernelError: the files cannot be written.
    """
    images = folder / f"{split}_images.npy"
    labels = folder / f"{split}_labels.npy"
    # Plain writes, not a memory map: on a full disk a map ends the process without a word.
    with artifacts.atomic(images) as temporary, temporary.open("wb") as handle:
        _write_header(handle, np.uint8, (len(chosen), *shape))
        for image in _fetch(pool, chosen, shape, split):
            handle.write(image.tobytes())
    with artifacts.atomic(labels) as temporary, temporary.open("wb") as handle:
        _write_header(handle, np.int64, (len(chosen),))
        handle.write(pool.labels[chosen].tobytes())
    return SplitFiles(
        images=images.name,
        labels=labels.name,
        count=len(chosen),
        per_class=tuple(np.bincount(pool.labels[chosen], minlength=classes).tolist()),
        images_sha256=artifacts.file_hash(images),
        labels_sha256=artifacts.file_hash(labels),
    )


def channel_statistics(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel of stored images, for pixels in 0..1.

    They follow from exact counts of the 256 grey levels. A deviation below one grey level is
    given as one grey level, so that a channel that is the same everywhere can be normalised.

    Args:
        path: file of a uint8 array of shape (N, C, H, W).
    """
    images = np.load(path, mmap_mode="r", allow_pickle=False)
    counts = np.zeros((images.shape[1], 256), dtype=np.int64)
    for start in range(0, len(images), BLOCK):
        block = images[start : start + BLOCK]
        for channel in range(images.shape[1]):
            counts[channel] += np.bincount(block[:, channel].ravel(), minlength=256)
    levels = np.arange(256) / 255
    shares = counts / counts.sum(axis=1, keepdims=True)
    mean = shares @ levels
    variance = (shares * (levels - mean[:, None]) ** 2).sum(axis=1)
    sd = np.maximum(np.sqrt(variance), 1 / 255)
    return tuple(mean.tolist()), tuple(sd.tolist())


def _fetch(
    pool: Pool, chosen: Indices, shape: tuple[int, ...], split: str
) -> Iterator[NDArray[np.uint8]]:
    for index in tqdm(chosen, desc=split, unit="image", disable=None):
        image = pool.image(int(index))
        assert image.shape == shape, f"a reader returned {image.shape} instead of {shape}"
        yield image


def _write_header(handle: BinaryIO, dtype: DTypeLike, shape: tuple[int, ...]) -> None:
    description = np.lib.format.dtype_to_descr(np.dtype(dtype))
    np.lib.format.write_array_header_1_0(
        handle, {"descr": description, "fortran_order": False, "shape": shape}
    )
