"""Downloads that resume, and that take their final name only when their checksum is right."""

import logging
import time
from pathlib import Path
from types import TracebackType

import requests  # not pooch, which begins a broken download anew
from tqdm import tqdm

from spikernel import artifacts
from spikernel.data.locate import Archive
from spikernel.errors import DataError

LOG = logging.getLogger(__name__)
ATTEMPTS = 3
"""How often a transfer is taken up again before the download is given up."""
PAUSE = 2.0
"""Seconds between two attempts."""
TIMEOUT = (15.0, 60.0)
"""Seconds to wait for a connection, and for the next bytes."""
BLOCK = 1 << 18


def fetch(archive: Archive, folder: Path) -> Path:
    """Download an archive into `folder`, resuming what an earlier attempt left in NAME.part.

    Returns:
        The path of the archive, whose MD5 is the published one.

    Raises:
        DataError: the server does not deliver, the folder cannot be written, or the file that
            came is not the published one.
    """
    target = folder / archive.name
    part = folder / f"{archive.name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with artifacts.exclusive(folder / ".download.lock"):
            if not target.exists():  # else another job brought it while this one waited
                LOG.info("%s is not in %s", archive.name, folder)
                _download(archive, part)
                part.replace(target)
    except OSError as error:
        raise DataError(f"cannot write into {folder}: {error.strerror or error}") from error
    return target


def _download(archive: Archive, part: Path) -> None:
    found = ""
    # A wrong start left by an earlier attempt spoils the whole: then begin anew, once.
    for _ in range(2):
        resumed = part.exists()
        _transfer(archive, part)
        found = artifacts.file_hash(part, "md5")
        if found == archive.md5:
            return
        part.unlink()
        if not resumed:
            break
    raise DataError(
        f"{archive.url}: the file that came is not the published one: its MD5 is {found}, "
        f"expected {archive.md5}; it was removed; {_by_hand(archive, part)}"
    )


def _transfer(archive: Archive, part: Path) -> None:
    reason = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE)
        try:
            _receive(archive, part)
            return
        except requests.HTTPError as error:
            reason = f"{error.response.status_code} {error.response.reason}"
            if error.response.status_code < 500:
                break  # asking again would bring the same answer
        except requests.Timeout:
            reason = "the server does not answer in time"
        except requests.exceptions.ChunkedEncodingError:
            reason = "the connection was cut"
        except requests.ConnectionError:
            reason = "no connection to the server"
        except requests.RequestException as error:
            reason = type(error).__name__
            break
        LOG.info("%s: %s (attempt %d of %d)", archive.url, reason, attempt + 1, ATTEMPTS)
    kept = f"run again to resume after {part.stat().st_size} bytes, or " if part.exists() else ""
    raise DataError(f"{archive.url}: download failed: {reason}; {kept}{_by_hand(archive, part)}")


def _by_hand(archive: Archive, part: Path) -> str:
    return f"put {archive.name} into {part.parent} by hand"


def _receive(archive: Archive, part: Path) -> None:
    """Append what is missing of the file to `part`, or write it anew."""
    have = part.stat().st_size if part.exists() else 0
    # Compressed again on the way, the bytes would not be those of the archive.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(archive.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if have and response.status_code == requests.codes.requested_range_not_satisfiable:
            return  # nothing lies beyond what is there: the checksum tells whether it is right
        response.raise_for_status()
        if response.status_code != requests.codes.partial_content:
            have = 0  # the server sends the whole file whatever was asked
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        with part.open("ab" if have else "wb") as handle, _Progress(archive, total, have) as bar:
            for block in response.iter_content(BLOCK):
                handle.write(block)
                bar.advance(len(block))


class _Progress:
    """A bar on a terminal; in a log, one line for about every tenth of the file."""

    def __init__(self, archive: Archive, total: int | None, have: int) -> None:
        self._bar = tqdm(
            total=total,
            initial=have,
            desc=archive.name,
            unit="B",
            unit_scale=True,
            disable=None,
        )
        self._name = archive.name
        self._total = total
        self._done = have
        self._tenths = 10 * have // total if total else 0

    def __enter__(self) -> "_Progress":
        start = f", resumed after {self._done}" if self._done else ""
        LOG.info("downloading %s: %s bytes%s", self._name, self._total or "unknown", start)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def advance(self, count: int) -> None:
        """Count the bytes that have come."""
        self._bar.update(count)
        self._done += count
        if not self._total or not self._bar.disable:
            return
        tenths = 10 * self._done // self._total
        if tenths > self._tenths:
            self._tenths = tenths
            LOG.info("%s: %d %% of %d bytes", self._name, 10 * tenths, self._total)
