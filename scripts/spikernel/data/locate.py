"""Where the files of a data set lie, and whether they are the published ones."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spikernel import artifacts
from spikernel.config import DatasetConfig
from spikernel.data.manifest import Origin, Source
from spikernel.errors import ConfigError, DataError


@dataclass(frozen=True)
class Archive:
    """An official archive and where it is published."""

    name: str
    url: str
    md5: str


def own_folder(name: str, settings: DatasetConfig, data_dir: Path) -> Path:
    """Return the folder that belongs to the data set, whether it is there or not.

    Raises:
        ConfigError: the settings name an absolute folder.
    """
    folder = Path(settings.folder or name)
    if folder.is_absolute():
        raise ConfigError(
            f"{name}: folder must be relative to data_dir, got {folder}: set data_dir to its parent"
        )
    return data_dir / folder


def places(name: str, settings: DatasetConfig, data_dir: Path) -> tuple[Path, ...]:
    """Return the folders in which official files are looked for: its own, then the common one."""
    return own_folder(name, settings, data_dir), data_dir


def find_folder(entry: str, where: Iterable[Path]) -> Path | None:
    """Return the first folder of that name, if there is one."""
    return next((place / entry for place in where if (place / entry).is_dir()), None)


def find_archive(archive: Archive, where: Iterable[Path]) -> Path | None:
    """Return the first archive of that name, if there is one, once its MD5 is verified.

    Raises:
        DataError: the file there is not the published archive.
    """
    path = next((place / archive.name for place in where if (place / archive.name).is_file()), None)
    if path is None:
        return None
    try:
        found = artifacts.file_hash(path, "md5")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    if found != archive.md5:
        raise DataError(
            f"{path} is not the published archive: its MD5 is {found}, expected {archive.md5}; "
            "remove it to have it downloaded"
        )
    return path


def source(
    path: Path,
    data_dir: Path,
    origin: Origin,
    sha256: str | None = None,
) -> Source:
    """Return the record of a file, with a name that holds on every machine.

    Args:
        path: the file (or folder, if its hash is given).
        data_dir: the folder that its recorded name is relative to.
        origin: how it came.
        sha256: its hash, where it is known already.
    """
    return Source(
        file=path.relative_to(data_dir).as_posix(),
        sha256=sha256 or artifacts.file_hash(path),
        origin=origin,
    )


def tree_hash(root: Path, names: Iterable[str]) -> str:
    """Return one SHA-256 for files under `root`: that of `sha256sum`'s lines, sorted by name.

    Raises:
        DataError: a file cannot be read.
    """
    total = hashlib.sha256()
    for name in sorted(names):
        try:
            line = f"{artifacts.file_hash(root / name)}  {name}\n"
        except OSError as error:
            raise DataError(f"{root / name} cannot be read: {error.strerror}") from None
        total.update(line.encode("utf-8", "surrogateescape"))
    return total.hexdigest()
