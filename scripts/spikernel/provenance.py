"""Provenance: what a result was made from, with what, where, and how long it took.

A record carries the SHA-256 of its own content. That tells an edit by mistake, a flipped bit, or
half a transfer; no digest stops a person who writes a new one.
"""

import hashlib
import json
import logging
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from spikernel import __version__, artifacts, code
from spikernel.errors import DataError

LOG = logging.getLogger(__name__)

RECORD = "provenance.json"
"""Name of the record in every folder."""

PACKAGES = (
    "jinja2",
    "matplotlib",
    "nir",
    "nirtorch",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pillow",
    "pydantic",
    "scikit-learn",
    "seaborn",
    "spikingjelly",
    "torch",
    "torchvision",
)
"""Packages whose version can change a number; those not installed in a step's env are left out."""

OWN_DIGEST = "record_sha256"
"""Key of the digest that a record carries of all its other keys."""


class Stopwatch:
    """Wall time in seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def seconds(self) -> float:
        """Return the seconds passed."""
        return time.perf_counter() - self._start


def code_version() -> str:
    """Return the package version, with the git commit (and '-dirty') where there is one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        described = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return __version__
    if described.returncode:
        return __version__
    return f"{__version__}+{described.stdout.strip()}"


def package_versions() -> dict[str, str]:
    """Return the installed versions of the packages that can change a number."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def paths_of(files: Any) -> list[Path]:
    """Return every path in a step's `Inputs` or `Outputs`, in the order of its fields."""
    values = [getattr(files, field.name) for field in fields(files)]
    listed = [value if isinstance(value, list | tuple) else [value] for value in values]
    return [path for items in listed for path in items if isinstance(path, Path)]


def plain(settings: Any) -> dict[str, Any]:
    """Return a step's `Settings` JSON-ready, sections of the configuration written out."""
    found = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        found[field.name] = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
    return found


def write(
    path: Path,
    *,
    step: str,
    settings: Mapping[str, Any],
    inputs: Sequence[Path],
    outputs: Sequence[Path],
    seconds: float,
    parts: Sequence[str] = (),
    device: str = "cpu",
) -> None:
    """Write the provenance record of one job.

    Args:
        path: where the record goes, beside the outputs.
        step: name of the step, which is that of its script.
        settings: every setting the step ran with, JSON-ready.
        inputs: files read; their SHA-256 is recorded.
        outputs: files written; their SHA-256 is recorded, by the path from the record's folder on
            where they lie below it (earlier versions: by the name alone), else by name.
        seconds: wall time of the job's own work.
        parts: full names of the modules that the settings choose.
        device: where the numbers were computed.

    """
    record = {
        "step": step,
        "code": code_version(),
        "code_digest": code.digest(step, parts),
        "parts": list(parts),
        "settings": dict(settings),
        "inputs": {str(item): artifacts.file_hash(item) for item in inputs},
        "outputs": {_key(item, path.parent): artifacts.file_hash(item) for item in outputs},
        "device": device,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": package_versions(),
        "seconds": round(seconds, 3),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    artifacts.write_json(path, {**record, OWN_DIGEST: _digest(record)})


def _key(output: Path, folder: Path) -> str:
    return output.relative_to(folder).as_posix() if output.is_relative_to(folder) else output.name


def _digest(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record's content, whatever the order of its keys."""
    read = json.loads(json.dumps(record))  # as a reader has it, whose keys are all text
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()


def read(path: Path, *keys: str) -> dict[str, Any]:
    """Read a record that has at least `keys`; those of earlier versions carry no digest.

    Raises:
        SpikernelError: the record is missing or damaged.
        DataError: it was altered.

    """
    record = artifacts.read_object(path, *keys)
    expected = record.pop(OWN_DIGEST, None)
    if expected is not None and expected != _digest(record):
        raise DataError(
            f"{path} was altered since it was written: its content does not fit the SHA-256 that "
            "it carries; run the step that makes it again, or fetch it again"
        )
    return record


def recorded_outputs(record: Path) -> dict[str, str]:
    """Return name -> SHA-256 of what a job wrote, as `write` records it.

    Raises:
        SpikernelError: the record is missing, damaged or altered.

    """
    return _hashes(record, "outputs")


def recorded_inputs(record: Path) -> dict[str, str]:
    """Return path -> SHA-256 of what a job read; see `recorded_outputs`."""
    return _hashes(record, "inputs")


def _hashes(record: Path, key: str) -> dict[str, str]:
    found = read(record, key)[key]
    if not isinstance(found, dict):
        raise DataError(f"{record}: '{key}' names no files: run the step that makes it again")
    return found


def check(paths: Iterable[Path], *, of_jobs: bool = False) -> None:
    """Refuse files that are not as the jobs that made them wrote them.

    A file that no record beside it names (a user's own, or one copied alone) is taken as it is.

    Args:
        paths: of the files.
        of_jobs: jobs wrote them all, so that a record which is not there was lost: say so.

    Raises:
        DataError: a file, or the record, was altered; the message names both.

    """
    unrecorded = []
    for path in paths:
        found = {
            record: recorded_outputs(record).get(path.name)
            for record in sorted(path.parent.glob("provenance*.json"))
        }
        if path.is_file() and not any(found.values()):
            unrecorded.append(path)
        for record, expected in found.items():
            if expected is not None and path.is_file() and artifacts.file_hash(path) != expected:
                raise DataError(
                    f"{path} was altered since it was made: {record.name} beside it has another "
                    "SHA-256; make it again, or fetch it again"
                )
    if of_jobs and unrecorded:
        LOG.warning(
            "no provenance record beside it names %s%s: whether it was altered is not known",
            unrecorded[0], f" (so with {len(unrecorded)} files)" if unrecorded[1:] else "",
        )  # fmt: skip


def made_together(first: Path, second: Path) -> bool:
    """Whether one job wrote both files, as far as the records beside the first say."""
    for record in first.parent.glob("provenance*.json"):
        outputs = recorded_outputs(record)
        expected = outputs.get(second.name)
        if first.name in outputs and expected not in (None, artifacts.file_hash(second)):
            return False
    return True
