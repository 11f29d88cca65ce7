"""TinyImageNet, from its folder or straight from its archive.

The images of its test folder have no labels, so the labelled images of its val folder are
the test split; validation images are split off the training images.
"""

import logging
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikernel.config import DatasetConfig
from spikernel.data import locate
from spikernel.data.collection import Collection, Pool, Remarks
from spikernel.data.files import Files, FolderFiles, ZipFiles, is_litter
from spikernel.data.images import decode
from spikernel.data.locate import Archive
from spikernel.data.manifest import Origin
from spikernel.errors import DataError

LOG = logging.getLogger(__name__)
IMAGE_SIZE = 64
CHANNELS = 3
TRAIN_IMAGES = 100_000
FOLDER = "tiny-imagenet-200"
ARCHIVE = Archive(
    "tiny-imagenet-200.zip",
    "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
    "90528d7ca1a48142e341f4ef8d21d0de",
)
FOLDER_SHA256 = "b8f996b3c84e1672e7019cdb33a65ebc2c701bba3912eb77b76bdd8e0333887a"
"""`locate.tree_hash` of what is read of the unpacked archive: wnids.txt, the annotations, and the
110,000 labelled images. Computed twice from the archive; nobody publishes one."""
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
        DataError: a file is missing, unreadable or not the published one.
    """
    files, path, origin = _open(name, settings, data_dir)
    wnids = tuple(sorted(files.read("wnids.txt").decode("utf-8", "replace").split()))
    if len(wnids) != CLASSES and not settings.accept_altered:
        raise DataError(
            f"{files.place('wnids.txt')} names {len(wnids)} classes, expected {CLASSES}"
        )
    everything = files.names()
    names = [file for file in everything if not is_litter(file)]
    train = _train_listing(names, wnids)
    test = _test_listing(files, set(names), wnids)
    if not settings.accept_altered:
        # They tell more of what is wrong than a hash does.
        _check_counts(files, "train", train, wnids, TRAIN_PER_CLASS)
        _check_counts(files, "val", test, wnids, TEST_PER_CLASS)
    listed = ["wnids.txt", ANNOTATIONS, *(image for image, _ in (*train, *test))]
    digest = locate.tree_hash(path, listed) if origin == "folder" else None
    if digest is not None and digest != FOLDER_SHA256:
        _report_altered(path, digest, accepted=settings.accept_altered)
    remarks = Remarks([file for file in everything if is_litter(file)])
    return Collection(
        classes=wnids,
        channels=3,
        train=_pool(files, train, remarks),
        test=_pool(files, test, remarks),
        validation=None,
        sources=(locate.source(path, data_dir, origin, digest),),
        remarks=remarks,
    )


def _report_altered(folder: Path, digest: str, *, accepted: bool) -> None:
    difference = (
        f"{folder} is not the published data set: the SHA-256 of its files (data/README.md) is "
        f"{digest}, expected {FOLDER_SHA256}"
    )
    if not accepted:
        raise DataError(
            f"{difference}; unpack the archive again, or set accept_altered: true if the change "
            "is meant"
        )
    LOG.warning("%s; it is taken because accept_altered is set", difference)


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


def _pool(files: Files, listing: Listing, remarks: Remarks) -> Pool:
    def name(index: int) -> str:
        return listing[index][0]

    def image(index: int) -> NDArray[np.uint8]:
        file = name(index)
        decoded = decode(files.read(file), files.place(file), IMAGE_SIZE, fit=False)
        if decoded.transparent:
            remarks.on_white.add(file)
        return decoded.pixels

    return Pool(np.array([label for _, label in listing], np.int64), image, name)
