"""Images in one folder per class: which files are taken, which are left out, which are refused."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spikernel.data.files import SUFFIXES, is_litter
from spikernel.errors import DataError

NOTES = frozenset(
    {".csv", ".html", ".json", ".log", ".md", ".tsv", ".txt", ".xml", ".yaml", ".yml"}
)
"""Endings of texts that may lie beside images."""


@dataclass(frozen=True)
class Listing:
    """Files below a folder that holds one folder per class, by their names relative to it."""

    classes: tuple[str, ...]
    """Names of the classes, ascending."""
    images: tuple[tuple[str, int], ...]
    """Every image with its class, class by class."""
    skipped: tuple[str, ...]
    """Files that are no images of the data set: texts, and what file managers leave."""


def list_images(folder: Path) -> Listing:
    """List the images of every class, however deep they lie in its folder.

    Raises:
        DataError: a folder cannot be read, a class has no image or a name that no text file can
            hold, an image has no class, or a file is of a format that is not read.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}") from None
    folders = [entry.name for entry in entries if entry.is_dir()]
    classes = tuple(name for name in folders if not is_litter(name))
    if not classes:
        raise DataError(f"{folder} holds no class folder: one per class, with images, is needed")
    for name in classes:
        _check_name(folder, name)
    skipped = []
    for name in (entry.name for entry in entries if not entry.is_dir()):
        if _is_image(folder, name):
            raise DataError(f"{folder / name} lies in no class folder: move it into one")
        skipped.append(name)
    images = []
    for name in folders:
        for file in _files(folder, name):
            if _is_image(folder, file):
                images.append((file, classes.index(name)))
            else:
                skipped.append(file)
    empty = sorted(set(range(len(classes))) - {label for _, label in images})
    if empty:
        raise DataError(
            f"{folder / classes[empty[0]]} holds no image: add some, or remove the folder"
        )
    return Listing(classes, tuple(images), tuple(skipped))


def _check_name(folder: Path, name: str) -> None:
    """Refuse the name of a class that model card and ONNX cannot hold, one class per line."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"{folder}: the name of the class folder {name!r} is not UTF-8: rename it"
        ) from None
    if name.splitlines() != [name]:
        raise DataError(
            f"{folder}: the name of the class folder {name!r} has a line break: rename it"
        )


def _is_image(folder: Path, name: str) -> bool:
    """Whether a file is to be read; otherwise it is left out, or refused."""
    suffix = Path(name).suffix.lower()
    if is_litter(name) or suffix in NOTES:
        return False
    if suffix not in SUFFIXES:
        raise DataError(
            f"{folder / name} is of no format that is read ({', '.join(SUFFIXES)}): convert or "
            "remove it"
        )
    return True


def _files(folder: Path, below: str) -> Iterator[str]:
    """Yield the files below a folder's folder, by their names relative to the former."""

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}")

    for root, _, names in sorted(os.walk(folder / below, onerror=refuse, followlinks=True)):
        for name in sorted(names):
            yield Path(root, name).relative_to(folder).as_posix()
