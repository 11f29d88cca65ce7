"""What a reader hands over: labelled images that have not been split or stored yet."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikernel.data.manifest import Source


@dataclass(frozen=True)
class Pool:
    """Labelled images, each fetched when it is asked for, so that they need not fit memory."""

    labels: NDArray[np.int64]
    """Class of every image, shape (N,)."""
    image: Callable[[int], NDArray[np.uint8]]
    """Image of an index as (C, H, W); raises DataError where it cannot be read."""


@dataclass(frozen=True)
class Collection:
    """A data set as its publisher arranged it."""

    classes: tuple[str, ...]
    channels: int
    train: Pool
    test: Pool | None
    """None where the publisher set no test images apart."""
    validation: Pool | None
    """None where validation images have to be split off the training images."""
    sources: tuple[Source, ...]


def array_pool(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Pool:
    """Return a pool of images that are in memory, of shape (N, C, H, W)."""
    return Pool(labels, lambda index: images[index])
