"""What CIFAR-10 and CIFAR-100 share: two published versions, each as a folder or an archive."""

import hashlib
import io
import pickle
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikernel.config import DatasetConfig
from spikernel.data import locate
from spikernel.data.collection import Collection, Pool, array_pool
from spikernel.data.locate import Archive
from spikernel.data.manifest import Origin, Source
from spikernel.errors import DataError

IMAGE_SIZE = 32
PIXELS = 3 * IMAGE_SIZE * IMAGE_SIZE
Contents = dict[str, bytes]
"""Checked bytes of the batches by file name."""

# The pickles name numpy's modules as they were called when CIFAR was published.
_REBUILDERS = {
    ("numpy.core.multiarray", "_reconstruct"): "numpy._core.multiarray",
    ("numpy", "ndarray"): "numpy",
    ("numpy", "dtype"): "numpy",
}


@dataclass(frozen=True)
class Batch:
    """One file of images inside a data set's folder, pinned by its published hash."""

    name: str
    algorithm: Literal["sha1", "md5"]
    digest: str
    size: int | None = None
    """Bytes; None where the hash alone says that the file is whole."""


@dataclass(frozen=True)
class CifarVersion:
    """One of the two formats in which CIFAR is published."""

    folder: str
    archive: Archive
    pickled: bool
    """The batches are Python pickles; otherwise plain records of label bytes and pixels."""
    train: tuple[Batch, ...]
    test: tuple[Batch, ...]


@dataclass(frozen=True)
class Cifar:
    """CIFAR-10 or CIFAR-100, whose files differ in the labels only."""

    classes: tuple[str, ...]
    label_bytes: int
    """Label bytes before the pixels of a binary record; the last one is the class."""
    label_key: str
    """Key of the class labels in a pickled batch."""
    versions: tuple[CifarVersion, ...]
    """In order of preference; the first is the one that is downloaded."""


def official_archive(name: str, md5: str) -> Archive:
    """Return an archive of CIFAR's site."""
    return Archive(name, f"https://www.cs.toronto.edu/~kriz/{name}", md5)


def read(spec: Cifar, name: str, settings: DatasetConfig, data_dir: Path) -> Collection:
    """Return the data set, downloading its binary version if no version is there.

    Folders are preferred to archives, and the binary version to the pickles. Archives are
    read in place; nothing is unpacked.

    Raises:
        DataError: a file is missing, truncated or not the published one.
    """
    from spikernel.data import download  # here only, see `reader.Reader`

    where = locate.places(name, settings, data_dir)
    for version in spec.versions:
        folder = locate.find_folder(version.folder, where)
        if folder is not None:
            contents, sources = _from_folder(folder, version, data_dir)
            return _collect(spec, version, contents, sources)
    for version in spec.versions:
        path = locate.find_archive(version.archive, where)
        if path is not None:
            return _from_archive(spec, version, path, data_dir, "archive")
    version = spec.versions[0]
    path = download.fetch(version.archive, data_dir)
    return _from_archive(spec, version, path, data_dir, "download")


def _from_folder(
    folder: Path, version: CifarVersion, data_dir: Path
) -> tuple[Contents, tuple[Source, ...]]:
    contents = {}
    sources = []
    for batch in (*version.train, *version.test):
        path = folder / batch.name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DataError(
                f"{path} cannot be read ({error.strerror}): complete {folder}, or remove it to "
                "have the archive downloaded"
            ) from None
        contents[batch.name] = _checked(data, batch, str(path))
        digest = hashlib.sha256(data).hexdigest()
        sources.append(locate.source(path, data_dir, "folder", digest))
    return contents, tuple(sources)


def _from_archive(
    spec: Cifar,
    version: CifarVersion,
    path: Path,
    data_dir: Path,
    origin: Origin,
) -> Collection:
    batches = {f"{version.folder}/{batch.name}": batch for batch in (*version.train, *version.test)}
    contents = {}
    try:
        for member, data in _members(path):
            batch = batches.get(member)
            if batch is not None:
                contents[batch.name] = _checked(data(), batch, f"{path}: {member}")
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked: {error}; remove it") from None
    missing = [member for member, batch in batches.items() if batch.name not in contents]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}; remove it to have it downloaded")
    return _collect(spec, version, contents, (locate.source(path, data_dir, origin),))


def _members(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield name and reader of every regular file, in one pass: seeking would unpack again."""
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            handle = archive.extractfile(member) if member.isreg() else None
            if handle is not None:
                yield member.name.removeprefix("./"), handle.read


def _checked(data: bytes, batch: Batch, where: str) -> bytes:
    """Return the bytes of a batch if they are the published ones."""
    if batch.size is not None and len(data) != batch.size:
        problem = "truncated" if len(data) < batch.size else "too long"
        raise DataError(
            f"{where} is {problem}: {len(data)} bytes, expected {batch.size}; unpack it again"
        )
    found = hashlib.new(batch.algorithm, data, usedforsecurity=False).hexdigest()
    if found != batch.digest:
        raise DataError(
            f"{where} is not the published file: its {batch.algorithm.upper()} is {found}, "
            f"expected {batch.digest}; unpack it again"
        )
    return data


def _collect(
    spec: Cifar, version: CifarVersion, contents: Contents, sources: tuple[Source, ...]
) -> Collection:
    return Collection(
        classes=spec.classes,
        channels=3,
        train=_pool(spec, version, version.train, contents, "training image {}"),
        test=_pool(spec, version, version.test, contents, "test image {}"),
        validation=None,
        sources=sources,
    )


def _pool(
    spec: Cifar, version: CifarVersion, batches: tuple[Batch, ...], contents: Contents, name: str
) -> Pool:
    parse = _unpickle if version.pickled else _unpack
    parts = [parse(contents.pop(batch.name), spec, batch.name) for batch in batches]
    images = np.concatenate([images for images, _ in parts]).reshape(-1, 3, IMAGE_SIZE, IMAGE_SIZE)
    labels = np.concatenate([labels for _, labels in parts]).astype(np.int64)
    return array_pool(images, labels, name)


def _unpack(data: bytes, spec: Cifar, name: str) -> tuple[NDArray[np.uint8], NDArray[Any]]:  # noqa: ARG001
    """Return pixels (N, 3072) and labels (N,) of a binary batch."""
    records = np.frombuffer(data, np.uint8).reshape(-1, spec.label_bytes + PIXELS)
    return records[:, spec.label_bytes :], records[:, spec.label_bytes - 1]


def _unpickle(data: bytes, spec: Cifar, name: str) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Return pixels (N, 3072) and labels (N,) of a pickled batch whose hash is verified."""
    try:
        batch = _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()
        return batch["data"], np.asarray(batch[spec.label_key])
    except (pickle.UnpicklingError, KeyError, EOFError, TypeError) as error:
        raise DataError(f"{name} holds no images and labels: {error}") from None


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickler of arrays alone, so that a pickle never depends on its hash only."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Return one of the few callables that an array is rebuilt with."""
        module = _REBUILDERS.get((module_name, global_name))
        if module is None:
            raise pickle.UnpicklingError(f"{module_name}.{global_name} is not part of an array")
        return super().find_class(module, global_name)
