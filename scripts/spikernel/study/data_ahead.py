"""What a data set will hold, before it is prepared."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spikernel.config import DatasetConfig
from spikernel.data.collection import Collection, array_pool
from spikernel.data.manifest import Manifest, SplitFiles
from spikernel.data.reader import reader
from spikernel.data.readers import cifar10, cifar100, tinyimagenet
from spikernel.data.rules import image_size
from spikernel.study.prepare_data import make_plan

CATALOGUE: dict[str, tuple[Sequence[str], int, int]] = {
    "cifar10": (cifar10.SPEC.classes, 5000, 1000),
    "cifar100": (cifar100.SPEC.classes, 500, 100),
    "tinyimagenet": (
        [str(number) for number in range(tinyimagenet.CLASSES)],
        tinyimagenet.TRAIN_PER_CLASS,
        tinyimagenet.TEST_PER_CLASS,
    ),
}
"""Classes, and training and test images of each, of the data sets that a reader would download."""


def collection_ahead(name: str, settings: DatasetConfig, data_dir: Path) -> Collection:
    """Return the images of a data set; a published one has its labels, but black images.

    Raises:
        SpikernelError: the settings or the files are at fault, see the data set's reader.

    """
    if settings.kind not in CATALOGUE:
        return reader(settings.kind).read(name, settings, data_dir)
    classes, *per_class = CATALOGUE[settings.kind]
    shape = (3, *2 * (image_size(name, settings),))
    train, test = (
        array_pool(
            np.broadcast_to(np.uint8(0), (len(classes) * number, *shape)),
            np.repeat(np.arange(len(classes)), number),
        )
        for number in per_class
    )
    return Collection(tuple(classes), 3, train, test, validation=None, sources=())


def manifest_ahead(name: str, settings: DatasetConfig, found: Collection) -> Manifest:
    """Return the manifest that a data set will get, but for statistics and hashes.

    Raises:
        SpikernelError: the settings ask for images that are not there, see `make_plan`.

    """
    classes, digest = len(found.classes), "0" * 64
    splits = {}
    for split, (pool, chosen) in make_plan(name, found, settings).items():
        counts = np.bincount(pool.labels[chosen], minlength=classes)
        files = {"images": f"{split}_images.npy", "labels": f"{split}_labels.npy"}
        splits[split] = SplitFiles(
            **files,
            count=len(chosen),
            per_class=tuple(counts.tolist()),
            images_sha256=digest,
            labels_sha256=digest,
        )
    return Manifest(
        dataset=name,
        kind=settings.kind,
        classes=found.classes,
        channels=found.channels,
        image_size=image_size(name, settings),
        mean=(0.5,) * found.channels,
        sd=(0.25,) * found.channels,
        split_seed=settings.split_seed,
        splits=splits,
        source=found.sources,
    )
