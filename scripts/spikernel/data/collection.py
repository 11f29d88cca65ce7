"""What a reader hands over: labelled images that have not been split or stored yet."""

from collections.abc import Callable
from dataclasses import dataclass, field

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
    name: Callable[[int], str] = "image {}".format
    """What to call the image of an index, e.g. its file."""


@dataclass
class Remarks:
    """What a reader met that its user should know; it grows while images are fetched."""

    skipped: list[str] = field(default_factory=list)
    """Files, and folders with a slash at the end, that are no part of it and so were left out."""
    on_white: set[str] = field(default_factory=set)
    """Images that were transparent in places, and so were laid on white."""
    deepest: int = 0
    """Largest grey level of all images of 16 bits; 0 where there are none."""


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
    remarks: Remarks = field(default_factory=Remarks)


def array_pool(
    images: NDArray[np.uint8], labels: NDArray[np.int64], name: str = "image {}"
) -> Pool:
    """Return a pool of images that are in memory, of shape (N, C, H, W).

    Args:
        images: the pixels.
        labels: class of every image, shape (N,).
        name: what to call an image, with {} in place of its index.
    """
    return Pool(labels, lambda index: images[index], name.format)
