"""TinyImageNet, from its folder or straight from its archive.

The images of its test folder have no labels, so the labelled images of its val folder are
the test split; validation images are split off the training images.
"""

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikernel.config import DatasetConfig
from spikernel.data import locate
from spikernel.data.collection import Collection, Pool
from spikernel.data.images import Files, FolderFiles, ZipFiles, decode
from spikernel.data.locate import Archive
from spikernel.data.manifest import Origin
from spikernel.errors import DataError

IMAGE_SIZE = 64
CHANNELS = 3
FOLDER = "tiny-imagenet-200"
ARCHIVE = Archive(
    "tiny-imagenet-200.zip",
    "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
    "90528d7ca1a48142e341f4ef8d21d0de",
)
CLASSES = 200
TRAIN_PER_CLASS = 500
TEST_PER_CLASS = 50
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
    files, path, origin = _open(name, settings, data_dir)
    wnids = tuple(sorted(files.read("wnids.txt").decode("utf-8", "replace").split()))
    if len(wnids) != CLASSES:
        raise DataError(
            f"{files.place('wnids.txt')} names {len(wnids)} classes, expected {CLASSES}"
        )
    names = files.names()
    train = _train_listing(names, wnids)
    test = _test_listing(files, set(names), wnids)
    _check_counts(files, "train", train, wnids, TRAIN_PER_CLASS)
    _check_counts(files, "val", test, wnids, TEST_PER_CLASS)
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


def _open(name: str, settings: DatasetConfig, data_dir: Path) -> tuple[Files, Path, Origin]:
    """Return the files, the folder or archive that holds them, and how it came."""
    from spikernel.data import download  # here only, see `reader.Reader`

    where = locate.places(name, settings, data_dir)
    folder = locate.find_folder(FOLDER, where)
    if folder is not None:
        return FolderFiles(folder), folder, "folder"
    path = locate.find_archive(ARCHIVE, where)
    if path is not None:
        return ZipFiles(path, FOLDER), path, "archive"
    path = download.fetch(ARCHIVE, data_dir)
    return ZipFiles(path, FOLDER), path, "download"


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
    labels = np.array([label for _, label in listing], dtype=np.int64)

    def image(index: int) -> NDArray[np.uint8]:
        name = listing[index][0]
        return decode(files.read(name), files.place(name), IMAGE_SIZE, fit=False)

    return Pool(labels, image)
