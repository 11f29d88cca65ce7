"""TinyImageNet, from its folder or straight from its archive.

The images of its test folder have no labels, so the labelled images of its val folder are
the test split; validation images are split off the training images.
"""

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikernel.config import DATASETS, DatasetConfig
from spikernel.data import catalog, locate
from spikernel.data.catalog import TinyImageNet
from spikernel.data.collection import Collection, Pool
from spikernel.data.images import Files, FolderFiles, ZipFiles, decode
from spikernel.data.manifest import Origin
from spikernel.errors import DataError

ANNOTATIONS = "val/val_annotations.txt"
SUFFIX = ".JPEG"
Listing = list[tuple[str, int]]
"""Names of images with their classes."""


def read(name: str, settings: DatasetConfig, data_dir: Path) -> Collection:
    """Return the data set, downloading its archive if it is not there.

    Raises:
        DataError: a file is missing or unreadable, or the number of images is not the published
            one.
    """
    spec = catalog.TINY_IMAGENET
    files, path, origin = _open(spec, name, settings, data_dir)
    wnids = tuple(sorted(files.read("wnids.txt").decode("utf-8", "replace").split()))
    if len(wnids) != spec.classes:
        raise DataError(
            f"{files.place('wnids.txt')} names {len(wnids)} classes, expected {spec.classes}"
        )
    names = files.names()
    train = _train_listing(names, wnids)
    test = _test_listing(files, set(names), wnids)
    _check_counts(files, "train", train, wnids, spec.train_per_class)
    _check_counts(files, "val", test, wnids, spec.test_per_class)
    listed = ["wnids.txt", ANNOTATIONS, *(image for image, _ in (*train, *test))]
    digest = locate.tree_hash(path, listed) if origin == "folder" else None
    return Collection(
        classes=wnids,
        channels=3,
        train=_pool(files, train),
        test=_pool(files, test),
        validation=None,
        sources=(locate.source(path, data_dir, origin, digest),),
    )


def _open(
    spec: TinyImageNet, name: str, settings: DatasetConfig, data_dir: Path
) -> tuple[Files, Path, Origin]:
    """Return the files, the folder or archive that holds them, and how it came."""
    where = locate.places(name, settings, data_dir)
    folder = locate.find_folder(spec.folder, where)
    if folder is not None:
        return FolderFiles(folder), folder, "folder"
    path = locate.find_archive(spec.archive, where)
    if path is not None:
        return ZipFiles(path, spec.folder), path, "archive"
    path = locate.fetch_archive(spec.archive, data_dir)
    return ZipFiles(path, spec.folder), path, "download"


def _train_listing(names: list[str], wnids: tuple[str, ...]) -> Listing:
    """List train/WNID/images/*.JPEG."""
    number = {wnid: label for label, wnid in enumerate(wnids)}
    listing = []
    for name in names:
        parts = name.split("/")
        if (
            len(parts) == 4
            and (parts[0], parts[2]) == ("train", "images")
            and parts[1] in number
            and name.endswith(SUFFIX)
        ):
            listing.append((name, number[parts[1]]))
    return listing


def _test_listing(files: Files, names: set[str], wnids: tuple[str, ...]) -> Listing:
    """List val/images in the order of the annotations, which give the class of each."""
    number = {wnid: label for label, wnid in enumerate(wnids)}
    listing = []
    lines = files.read(ANNOTATIONS).decode("utf-8", "replace").splitlines()
    for row, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        image, _, rest = line.partition("\t")
        wnid = rest.split("\t")[0].strip()
        where = f"{files.place(ANNOTATIONS)}, line {row}"
        if wnid not in number:
            raise DataError(f"{where}: '{wnid}' is not a class of wnids.txt")
        name = f"val/images/{image}"
        if name not in names:
            raise DataError(f"{where}: {files.place(name)} is missing: unpack the archive again")
        listing.append((name, number[wnid]))
    return listing


def _check_counts(
    files: Files, folder: str, listing: Listing, wnids: tuple[str, ...], expected: int
) -> None:
    counts = Counter(label for _, label in listing)
    for label, wnid in enumerate(wnids):
        if counts[label] != expected:
            raise DataError(
                f"{files.place(folder)} has {counts[label]} images of class {wnid}, expected "
                f"{expected}: unpack the archive again"
            )


def _pool(files: Files, listing: Listing) -> Pool:
    side = DATASETS["tinyimagenet"]
    labels = np.array([label for _, label in listing], dtype=np.int64)

    def image(index: int) -> NDArray[np.uint8]:
        name = listing[index][0]
        return decode(files.read(name), files.place(name), side, fit=False)

    return Pool(labels, image)
