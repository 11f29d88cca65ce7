"""Before step 1: a data set is read, split and stored beside a manifest. No torch."""

import logging
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np

from spikernel import artifacts, provenance
from spikernel.config import DatasetConfig
from spikernel.data import findings, store, stratify
from spikernel.data.collection import Collection, Pool
from spikernel.data.manifest import SPLITS, Manifest, SplitName
from spikernel.data.reader import reader
from spikernel.data.rules import image_size
from spikernel.data.stratify import Indices
from spikernel.errors import ConfigError, DataError
from spikernel.study import own_files

LOG = logging.getLogger(__name__)
TEST_FRACTION = 0.2
"""Share of the images that become the test split where the publisher set none apart."""
# Each draw has a stream of its own, so that one setting does not move the choice of another.
_STREAMS = {"test": 0, "train_images": 1, "validation": 2, "test_images": 3}

Plan = dict[SplitName, tuple[Pool, Indices]]
"""Which images of which pool make up each split."""


@dataclass(frozen=True)
class Inputs:
    """Where the data set's files lie."""

    data_dir: Annotated[Path, "folder that holds the data sets, or receives the archives"]


@dataclass(frozen=True)
class Outputs:
    """The file that stands for all."""

    manifest: Annotated[Path, "manifest.json to write; arrays, findings, provenance go beside it"]


@dataclass(frozen=True)
class Settings:
    """Which data set."""

    dataset: Annotated[str, "its name, and its folder's name unless the settings give another"]
    data: Annotated[DatasetConfig, "what to read and how to split it, e.g. {kind: digits}"]


def run(inputs: Inputs, outputs: Outputs, settings: Settings) -> None:
    """Write the arrays of train, validation and test, and their manifest; see `prepare`."""
    prepare(settings.dataset, settings.data, inputs.data_dir, outputs.manifest)


def prepare(name: str, settings: DatasetConfig, data_dir: Path, manifest_path: Path) -> None:
    """Write the arrays of a data set's splits, their manifest and, last, their provenance.

    The arrays are `<split>_images.npy` (uint8, (N, C, H, W)) and `<split>_labels.npy` (int64,
    (N,)) beside the manifest, for train, validation and test. `findings.json` there holds what
    was found in the images, such as copies across splits. It is no part of the manifest, so that
    trained nets do not depend on it.

    Args:
        name: name of the data set in the experiment, and of its folder by default.
        settings: what to read and how to split it.
        data_dir: folder that holds the data set's files, or receives its archive.
        manifest_path: where the manifest goes.

    Raises:
        ConfigError: the settings ask for something the data set cannot give.
        DataError: a file is missing, truncated, altered or unreadable.
        SpikernelError: the results cannot be written.
    """
    watch = provenance.Stopwatch()
    if data_dir.exists() and not data_dir.is_dir():
        raise DataError(f"{data_dir} is not a folder: set data_dir to the folder of the data sets")
    side = image_size(name, settings)
    listing = own_files.found(name, settings, data_dir)
    collection = reader(settings.kind).read(name, settings, data_dir)
    plan = make_plan(name, collection, settings)
    folder = manifest_path.parent
    # From here on the old arrays are replaced: an old manifest must not outlive them, nor a record
    # that names other ones.
    for path in (manifest_path, folder / provenance.RECORD):
        path.unlink(missing_ok=True)
    shape = (collection.channels, side, side)
    files = {
        split: store.write_split(folder, split, *plan[split], len(collection.classes), shape)
        for split in SPLITS
    }
    names = {split: partial(_image_name, *plan[split]) for split in SPLITS}
    copies = findings.report(folder, name, collection, files, names)
    mean, sd = store.channel_statistics(folder / files["train"].images)
    manifest = Manifest(
        dataset=name,
        kind=settings.kind,
        classes=collection.classes,
        channels=collection.channels,
        image_size=side,
        mean=mean,
        sd=sd,
        split_seed=settings.split_seed,
        splits=files,
        source=collection.sources,
    )
    artifacts.write_json(manifest_path, manifest.model_dump(mode="json"))
    # The sources stand among the settings: as inputs their paths on this machine would show.
    provenance.write(
        folder / provenance.RECORD,
        step="prepare_data",
        settings={
            "dataset": name,
            **settings.model_dump(mode="json"),
            own_files.KEY: listing,
            "source": [source.model_dump(mode="json") for source in collection.sources],
        },
        parts=settings.parts(),
        inputs=[],
        outputs=[
            manifest_path,
            folder / findings.FILE,
            *(folder / file for split in files.values() for file in (split.images, split.labels)),
        ],
        seconds=watch.seconds(),
    )
    counts = ", ".join(f"{files[split].count} {split}" for split in SPLITS)
    different = "" if copies else ", all different"
    LOG.info("%s: %s images of %d classes%s", name, counts, len(collection.classes), different)


def _image_name(pool: Pool, chosen: Indices, place: int) -> str:
    return pool.name(int(chosen[place]))


def make_plan(name: str, collection: Collection, settings: DatasetConfig) -> Plan:
    """Choose the images of every split; within a split they keep their original order.

    The test split is cut off first, if the publisher set none apart; then the subset of the
    training images is chosen, and of it the validation split.

    Raises:
        ConfigError: a subset is larger than the split it is taken from, or leaves a class
            without training images.
        DataError: there are fewer than two classes, no test images, too few for a validation
            split, or no training image of a class.
    """
    seeds = {draw: (settings.split_seed, stream) for draw, stream in _STREAMS.items()}
    _check_collection(name, collection)
    train_pool = collection.train
    train = np.arange(len(train_pool.labels))
    if collection.test is None:
        test_pool = train_pool
        test = stratify.holdout(train_pool.labels, TEST_FRACTION, seeds["test"])
        train = stratify.without(len(train), test)
    else:
        test_pool = collection.test
        test = np.arange(len(test_pool.labels))
    available = train_pool.labels[train]
    train = _subset(name, "train_images", settings.train_images, train_pool, train, seeds)
    test = _subset(name, "test_images", settings.test_images, test_pool, test, seeds)
    if collection.validation is None:
        validation_pool = train_pool
        held = stratify.holdout(
            train_pool.labels[train], settings.validation_fraction, seeds["validation"]
        )
        validation, train = train[held], train[stratify.without(len(train), held)]
    else:
        validation_pool = collection.validation
        validation = np.arange(len(validation_pool.labels))
    _check_plan(name, collection, available, train, validation)
    return {
        "train": (train_pool, train),
        "validation": (validation_pool, validation),
        "test": (test_pool, test),
    }


def _subset(
    name: str,
    key: str,
    total: int | None,
    pool: Pool,
    available: Indices,
    seeds: dict[str, tuple[int, int]],
) -> Indices:
    if total is None:
        return available
    if total > len(available):
        raise ConfigError(
            f"{name}: {key} asks for {total} images, but there are {len(available)}: lower it"
        )
    return available[stratify.subset(pool.labels[available], total, seeds[key])]


def _check_collection(name: str, collection: Collection) -> None:
    classes = collection.classes
    if len(classes) < 2:
        raise DataError(f"{name}: there are images of {len(classes)} class; two are needed")
    if collection.test is not None and not len(collection.test.labels):
        raise DataError(f"{name}: there is no test image: add some")
    counts = np.bincount(collection.train.labels, minlength=len(classes))
    lacking = [classes[label] for label in np.flatnonzero(counts == 0)]
    if lacking:
        raise DataError(
            f"{name}: there is no training image of class {findings.some(lacking)}: add some, or "
            "remove the class"
        )


def _check_plan(
    name: str, collection: Collection, available: Indices, train: Indices, validation: Indices
) -> None:
    counts = np.bincount(collection.train.labels[train], minlength=len(collection.classes))
    if not counts.all():
        lacking = collection.classes[int(counts.argmin())]
        enough = math.ceil(2 * len(available) / np.bincount(available).min())
        raise ConfigError(
            f"{name}: train_images leaves no training image of class '{lacking}': raise it to "
            f"at least {enough}"
        )
    if not len(validation):
        raise DataError(
            f"{name}: no class has two training images, so none is left for validation: add images"
        )
