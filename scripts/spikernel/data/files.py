"""Files of a data set, in a folder or straight from a zip archive: images, and mere litter."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from spikernel.errors import DataError

SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".ppm", ".pgm", ".tif", ".tiff",
)  # fmt: skip
"""Endings of the names of files that are read, in small letters."""
PARTS = ("train", "val", "test")
"""Folders of a user's own images that are read."""
_LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"})


def is_litter(name: str) -> bool:
    """Whether a relative path is hidden, or was left by a file manager: `._x.png`, `Thumbs.db`."""
    return any(
        part.startswith(".") or part.lower() in _LITTER for part in PurePosixPath(name).parts
    )


def names_and_sizes(root: Path) -> str:
    """Return a SHA-256 of the names and sizes of the images in train/, val/ and test/ of a folder.

    It takes no file's time and no contents, so it is quick, and the same wherever the folder lies.
    """
    total = hashlib.sha256()
    for part in PARTS:
        for name in sorted(_images_below(root, root / part)):
            line = f"{(root / name).stat().st_size}  {name}\n"
            total.update(line.encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _images_below(root: Path, folder: Path) -> Iterator[str]:
    for place, _, names in os.walk(folder, followlinks=True):
        for path in (Path(place, name) for name in names):
            name = path.relative_to(root).as_posix()
            if not is_litter(name) and path.suffix.lower() in SUFFIXES and path.is_file():
                yield name


class Files(Protocol):
    """Files of a data set by their names relative to its top folder."""

    def names(self) -> list[str]:
        """Return the names of all files, ascending."""

    def read(self, name: str) -> bytes:
        """Return the contents of a file.

        Raises:
            DataError: it is missing or cannot be read.
        """

    def place(self, name: str) -> str:
        """Return what to call a file in an error."""


class FolderFiles:
    """Files of an unpacked data set."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> list[str]:
        """Return the names of all files, ascending."""
        return sorted(
            path.relative_to(self._root).as_posix()
            for path in self._root.rglob("*")
            if path.is_file()
        )

    def read(self, name: str) -> bytes:
        """Return the contents of a file; DataError if it cannot be read."""
        try:
            return (self._root / name).read_bytes()
        except OSError as error:
            raise DataError(
                f"{self.place(name)} cannot be read ({error.strerror}): unpack the archive again"
            ) from None

    def place(self, name: str) -> str:
        """Return the path of a file."""
        return str(self._root / name)


class ZipFiles:
    """Files of a data set below a top folder of a zip archive, which stays packed."""

    def __init__(self, path: Path, top: str) -> None:
        self._path = path
        self._prefix = f"{top}/"
        try:
            self._archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise DataError(f"{path} cannot be unpacked ({error}): remove it") from None

    def names(self) -> list[str]:
        """Return the names of all files, ascending."""
        return sorted(
            name.removeprefix(self._prefix)
            for name in self._archive.namelist()
            if name.startswith(self._prefix) and not name.endswith("/")
        )

    def read(self, name: str) -> bytes:
        """Return the contents of a file; DataError if it cannot be read."""
        try:
            return self._archive.read(self._prefix + name)
        except KeyError:
            raise DataError(f"{self.place(name)} is missing: remove the archive") from None
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DataError(
                f"{self.place(name)} cannot be unpacked ({error}): remove the archive"
            ) from None

    def place(self, name: str) -> str:
        """Return the archive and the name of a file in it."""
        return f"{self._path}: {self._prefix}{name}"
