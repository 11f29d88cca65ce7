"""Provenance: what a result was made from, with what, where, and how long it took.

A record carries the SHA-256 of its own content. That tells an edit by mistake, a flipped bit, or
half a transfer; no digest stops a person who writes a new one.
"""

import hashlib
import json
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
        outputs: files written; their SHA-256 is recorded, by name.
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
        "outputs": {item.name: artifacts.file_hash(item) for item in outputs},
        "device": device,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": package_versions(),
        "seconds": round(seconds, 3),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    artifacts.write_json(path, {**record, OWN_DIGEST: _digest(record)})


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
    """Return file name -> SHA-256 of what a job wrote, from its provenance record.

    Raises:
        SpikernelError: the record is missing, damaged or altered.

    """
    outputs = read(record, "outputs")["outputs"]
    if not isinstance(outputs, dict):
        raise DataError(f"{record}: 'outputs' names no files: run the step that makes it again")
    return outputs


def check(paths: Iterable[Path]) -> None:
    """Refuse files that are not as the jobs that made them wrote them.

    A file that no record beside it names (a user's own) is taken as it is.

    Raises:
        DataError: a file, or the record, was altered; the message names both.

    """
    for path in paths:
        for record in sorted(path.parent.glob("provenance*.json")):
            expected = recorded_outputs(record).get(path.name)
            if expected is not None and path.is_file() and artifacts.file_hash(path) != expected:
                raise DataError(
                    f"{path} was altered since it was made: {record.name} beside it has another "
                    "SHA-256; make it again, or fetch it again"
                )


def made_together(first: Path, second: Path) -> bool:
    """Whether one job wrote both files, as far as the records beside the first say."""
    for record in first.parent.glob("provenance*.json"):
        outputs = recorded_outputs(record)
        expected = outputs.get(second.name)
        if first.name in outputs and expected not in (None, artifacts.file_hash(second)):
            return False
    return True


def records(results: Path) -> list[Path]:
    """Return the record of every job under a folder.

    Raises:
        DataError: there is none.

    """
    found = sorted(results.rglob("provenance*.json"))
    if not found:
        raise DataError(f"{results} holds no provenance record: nothing to compare with")
    return found


def verify(results: Path) -> int:
    """Compare every file under a folder with the SHA-256 in the record of the job that made it.

    Returns:
        How many files were compared.

    Raises:
        DataError: there is no record, one was altered, or a recorded file is missing or altered;
            the message names each such file.

    """
    compared, faults = 0, []
    for record in records(results):
        for name, expected in recorded_outputs(record).items():
            compared += 1
            # Figures lie in a folder below their record.
            found = [record.parent / name, *record.parent.rglob(f"*/{name}")]
            path = next((item for item in found if item.is_file()), None)
            if path is None:
                faults.append(f"{record.parent / name} is missing")
            elif artifacts.file_hash(path) != expected:
                faults.append(f"{path} is not what {record.name} beside it says")
    if faults:
        raise DataError(
            f"{len(faults)} of {compared} files cannot be trusted; delete them and make or fetch "
            "them again:\n  " + "\n  ".join(faults)
        )
    return compared
