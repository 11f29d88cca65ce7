"""A journal of finished evaluations, so that a killed search goes on where it stopped.

One JSON line per evaluation, written as it is made. The first line holds a fingerprint of
everything a score depends on; a journal with another fingerprint is started afresh.
"""

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from spikernel import artifacts
from spikernel.errors import SpikernelError


def sealed(fields: Mapping[str, Any]) -> str:
    """Return one line of JSON that `opened` reads back unless it was altered."""
    return json.dumps({**fields, "crc32": _checksum(fields)}, allow_nan=False) + "\n"


def opened(line: str) -> dict[str, Any]:
    """Return what `sealed` was given.

    Raises:
        ValueError, KeyError: the line is torn, altered or foreign.

    """
    fields = json.loads(line)
    if not isinstance(fields, dict) or fields.pop("crc32") != _checksum(fields):
        raise ValueError("the line was altered")
    return fields


def _checksum(fields: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(fields).encode())


@dataclass(frozen=True)
class Evaluation:
    """One scored cell; of a finalist the score is its validation accuracy in percent."""

    archid: str
    score: float
    seconds: float

    def to_line(self) -> str:
        """Return the journal line; a score that is not finite is written as text."""
        fields = asdict(self)
        if not math.isfinite(self.score):
            fields["score"] = str(self.score)
        return sealed(fields)

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read a journal line.

        Raises:
            ValueError, KeyError, TypeError: the line is torn, altered or foreign.

        """
        fields = opened(line)
        return cls(str(fields["archid"]), float(fields["score"]), float(fields["seconds"]))


class Journal:
    """The journal file of one search; use as a context manager."""

    def __init__(self, path: Path, fingerprint: Mapping[str, Any]) -> None:
        self.path = path
        self._header = json.dumps({"fingerprint": fingerprint}, sort_keys=True) + "\n"
        self.done: dict[str, Evaluation] = {}

    def __enter__(self) -> Self:
        """Read what is there, then open for appending."""
        kept = self._read()
        # Rewritten, so that a line torn by a kill does not spoil what is appended.
        artifacts.write_text(self.path, self._header + "".join(item.to_line() for item in kept))
        # Unbuffered: each line leaves at once, and a failed one is not tried again on closing.
        self._handle = self.path.open("ab", buffering=0)
        self.done = {item.archid: item for item in kept}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._handle.close()

    def add(self, evaluation: Evaluation) -> None:
        """Append an evaluation and hand it to the operating system.

        Raises:
            SpikernelError: it cannot be written; what was written before stays.
        """
        self.done[evaluation.archid] = evaluation
        try:
            self._handle.write(evaluation.to_line().encode())
        except OSError as error:
            raise SpikernelError(
                f"cannot write {self.path}: {error.strerror}; the search goes on from there once "
                "there is space"
            ) from error

    def _read(self) -> list[Evaluation]:
        if not self.path.exists():
            return []
        # What a failing disk left need not be text; it ends what is kept.
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        if not lines or lines[0] != self._header:
            return []
        kept = []
        for line in lines[1:]:
            try:
                kept.append(Evaluation.from_line(line))
            except (ValueError, KeyError, TypeError):
                break
        return kept
