"""Files that steps exchange, written whole or not at all.

A writer fills a temporary file in the target's folder and renames it, so that a killed
step or a full disk never leaves half a result under the final name.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from spikernel.errors import SpikernelError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that becomes `path` when the block succeeds.

    Raises:
        SpikernelError: the file cannot be written (no space, no permission).

    """
    # The suffix stays last: writers such as savefig and np.save go by it. The name is always the
    # same, so that what a killed writer left is overwritten by the next one.
    temporary = path.with_name(f".{path.stem}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SpikernelError(
            f"cannot write {path}: {reason}; nothing was left under that name"
        ) from error
    finally:
        with suppress(OSError):  # its folder may be none that can be written to
            temporary.unlink(missing_ok=True)


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Let one process at a time into a block, where the file system has locks.

    Args:
        lock: a file, which stays. It is opened for writing: on NFS a lock needs that.

    """
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise SpikernelError(f"cannot write {lock}: {error.strerror}") from error
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write `data`, atomically."""
    with atomic(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically; NaN and infinity are refused."""
    try:
        text = json.dumps(value, indent=2, allow_nan=False)
    except ValueError as error:
        raise SpikernelError(f"{path}: a value is not finite, so it is not written") from error
    write_text(path, text + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        SpikernelError: the file is missing or is not JSON.

    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError:
        raise SpikernelError(f"{path} is missing: run the step that makes it first") from None
    except UnicodeDecodeError:
        raise SpikernelError(f"{path} is not a text file, so not JSON either") from None
    except (ValueError, RecursionError) as error:
        raise SpikernelError(f"{path} is not valid JSON: {error}") from None


def _refuse(constant: str) -> None:
    """Python reads NaN and Infinity, which are no JSON, and which `write_json` never writes."""
    raise ValueError(f"{constant} is not a number that JSON has")


def read_object(path: Path, *keys: str) -> dict[str, Any]:
    """Read a JSON file that holds an object with at least `keys`.

    Raises:
        SpikernelError: the file is missing, is not JSON, or is another step's.

    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise SpikernelError(f"{path} holds no JSON object: run the step that makes it again")
    missing = [key for key in keys if key not in value]
    if missing:
        raise SpikernelError(
            f"{path}: key '{missing[0]}' is missing: run the step that makes it again"
        )
    return value


def file_hash(path: Path, algorithm: str = "sha256") -> str:
    """Return the hexadecimal digest of a file, read in blocks."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, algorithm).hexdigest()
