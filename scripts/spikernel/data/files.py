"""Files of a data set, in a folder or straight from a zip archive; and which are mere litter."""

import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Protocol

from spikernel.errors import DataError

_LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"})


def is_litter(name: str) -> bool:
    """Whether a relative path is hidden, or was left by a file manager: `._x.png`, `Thumbs.db`."""
    return any(
        part.startswith(".") or part.lower() in _LITTER for part in PurePosixPath(name).parts
    )


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
