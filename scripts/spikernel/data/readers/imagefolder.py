"""The user's own images: train/ and val/ or test/, each with one folder per class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikernel.config import DatasetConfig
from spikernel.data import locate
from spikernel.data.class_folders import Listing, list_images
from spikernel.data.collection import Collection, Pool, Remarks
from spikernel.data.files import PARTS
from spikernel.data.findings import some
from spikernel.data.images import decode
from spikernel.data.manifest import Source
from spikernel.data.rules import image_size
from spikernel.errors import DataError

IMAGE_SIZE = None
CHANNELS = 3
OWN_IMAGES = True


def read(name: str, settings: DatasetConfig, data_dir: Path) -> Collection:
    """Return the images in colour, each resized and cropped to a square.

    With test/, it is the test split, and val/, if there, the validation split; without test/,
    val/ is the test split.

    Raises:
        DataError: a folder is missing, has other classes than train/, or is refused by
            `list_images`.
    """
    side = image_size(name, settings)
    root = locate.own_folder(name, settings, data_dir)
    present = [part for part in PARTS if (root / part).is_dir()]
    if "train" not in present or len(present) < 2:
        raise DataError(
            f"{root} must hold the folder train/ and at least one of val/ and test/; "
            f"found {', '.join(present) or 'none of them'}"
        )
    listings = {part: list_images(root / part) for part in present}
    classes = listings["train"].classes
    if len(classes) < 2:
        raise DataError(f"{root / 'train'} holds one class folder; at least two are needed")
    for part in present[1:]:
        _check_classes(root / part, classes, listings[part].classes)
    below = (f"{part}/{file}" for part in present for file in listings[part].skipped)
    remarks = Remarks([*_beside(root, present), *below])
    pools = {part: _pool(root, part, listings[part], side, remarks) for part in present}
    return Collection(
        classes=classes,
        channels=3,
        train=pools["train"],
        test=pools["test"] if "test" in pools else pools["val"],
        validation=pools.get("val") if "test" in pools else None,
        sources=tuple(_source(root / part, listings[part], data_dir) for part in present),
        remarks=remarks,
    )


def _beside(root: Path, read: Sequence[str]) -> list[str]:
    """Return what lies beside the folders that are read; the name of a folder ends in a slash."""
    try:
        entries = sorted(root.iterdir())
    except OSError as error:
        raise DataError(f"{root} cannot be read: {error.strerror}") from None
    return [f"{path.name}{'/' * path.is_dir()}" for path in entries if path.name not in read]


def _check_classes(folder: Path, expected: tuple[str, ...], found: tuple[str, ...]) -> None:
    problems = [
        f"{verb} {some(sorted(names))}"
        for verb, names in (
            ("lacks", set(expected) - set(found)),
            ("has in addition", set(found) - set(expected)),
        )
        if names
    ]
    if problems:
        raise DataError(
            f"{folder}: the class folders differ from those of train/: it {' and '.join(problems)}"
        )


def _source(folder: Path, listing: Listing, data_dir: Path) -> Source:
    digest = locate.tree_hash(folder, [name for name, _ in listing.images])
    return locate.source(folder, data_dir, "folder", digest)


def _pool(root: Path, part: str, listing: Listing, side: int, remarks: Remarks) -> Pool:
    def name(index: int) -> str:
        return f"{part}/{listing.images[index][0]}"

    def image(index: int) -> NDArray[np.uint8]:
        path = root / name(index)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}") from None
        decoded = decode(data, str(path), side, fit=True)
        if decoded.transparent:
            remarks.on_white.add(name(index))
        remarks.deepest = max(remarks.deepest, decoded.deepest)
        return decoded.pixels

    return Pool(np.array([label for _, label in listing.images], np.int64), image, name)
