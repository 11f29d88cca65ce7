"""Handwritten digits of 8x8 pixels that come with scikit-learn, for tests and first steps."""

import hashlib
from pathlib import Path

import numpy as np

from spikernel.config import DatasetConfig
from spikernel.data.collection import Collection, array_pool
from spikernel.data.manifest import Source

IMAGE_SIZE = 8
CHANNELS = 1
TRAIN_IMAGES = 1438  # a fifth of all is set apart for the test
CLASSES = 10
GREY_LEVELS = 16
"""Largest pixel value of the original images."""


def read(name: str, settings: DatasetConfig, data_dir: Path) -> Collection:  # noqa: ARG001
    """Return all 1,797 images as one pool; nobody set test images apart."""
    from sklearn import datasets  # here only, see `reader.Reader`

    original, targets = datasets.load_digits(return_X_y=True)
    labels = np.asarray(targets, dtype=np.int64)
    images = np.rint(original * (255 / GREY_LEVELS)).astype(np.uint8)
    images = images.reshape(-1, 1, IMAGE_SIZE, IMAGE_SIZE)
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    return Collection(
        classes=tuple(str(digit) for digit in range(10)),
        channels=1,
        train=array_pool(images, labels),
        test=None,
        validation=None,
        sources=(Source(file="sklearn.datasets.load_digits", sha256=digest, origin="library"),),
    )
