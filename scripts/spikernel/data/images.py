"""Image files: decoded to arrays, and read from a folder or straight from a zip archive."""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikernel.errors import DataError


def decode(data: bytes, where: str, side: int, *, fit: bool) -> NDArray[np.uint8]:
    """Return an encoded image in colour as (3, side, side); grey images get three channels.

    Args:
        data: the bytes of an image file.
        where: what to call the image in an error.
        side: pixels of either side of the result.
        fit: resize the short side and crop the centre; otherwise another size is an error.

    Raises:
        DataError: the image cannot be decoded or has the wrong size.
    """
    from PIL import Image, ImageOps  # here only, see `reader.Reader`

    try:
        with Image.open(io.BytesIO(data)) as opened:
            upright = ImageOps.exif_transpose(opened) if fit else opened
            image = upright.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = str(error).split("<")[0].strip()
        raise DataError(
            f"{where} is not a readable image ({reason}): replace or remove it"
        ) from None
    if fit:
        image = ImageOps.fit(image, (side, side), Image.Resampling.BILINEAR)
    elif image.size != (side, side):
        width, height = image.size
        raise DataError(f"{where} is {width}x{height} pixels, expected {side}x{side}: replace it")
    return np.ascontiguousarray(np.asarray(image, dtype=np.uint8).transpose(2, 0, 1))


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
