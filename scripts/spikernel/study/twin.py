"""A training that another kernel set of the study has finished: taken over, not run again.

Sets share cells, so the searches of several may choose the same net. With the same settings, data,
code, packages and device its training would end alike, on a CPU in the same weights bit for bit.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikernel import provenance
from spikernel.errors import DataError, SpikernelError

LOG = logging.getLogger(__name__)
METRICS = "metrics.json"


@dataclass(frozen=True)
class Wanted:
    """What a training must have in common with the one that it stands for."""

    record: Mapping[str, Any]
    """Keys of its provenance; `settings` are compared but for `rank`."""
    inputs: Mapping[str, str]
    """Path -> SHA-256 of files that it must have read, beside those of its own search."""
    metrics: Mapping[str, Any]
    """Keys of its metrics.json."""


def find(folder: Path, own: Path, wanted: Wanted) -> dict[str, bytes] | None:
    """Return what the job of such a training wrote, name -> content; None where there is none.

    Args:
        folder: holds <kernel set>/<rank and width>/<seed>/ of all trainings.
        own: the folder among them that is asked for, which does not count.
        wanted: what the training must have in common.

    """
    for record in sorted(folder.glob(f"*/*/*/{provenance.RECORD}")):
        if record.parent.resolve() == own.resolve():
            continue
        try:
            files = _files(record, wanted)
        except (SpikernelError, OSError) as error:  # damaged, or just being made again
            LOG.warning("not taken over: %s", error)
            continue
        if files is not None:
            LOG.info("%s is of the same net: taken over", record.parent)
            return files
    return None


def _files(record: Path, wanted: Wanted) -> dict[str, bytes] | None:
    made = provenance.read(record, *wanted.record)
    if _without_rank({key: made[key] for key in wanted.record}) != _without_rank(wanted.record):
        return None
    inputs, outputs = provenance.recorded_inputs(record), provenance.recorded_outputs(record)
    if METRICS not in outputs or not wanted.inputs.items() <= inputs.items():
        return None
    files = {name: (record.parent / name).read_bytes() for name in outputs}
    for name, expected in outputs.items():
        if hashlib.sha256(files[name]).hexdigest() != expected:
            raise DataError(f"{record.parent / name} was altered since it was made")
    metrics = json.loads(files[METRICS])
    return files if wanted.metrics.items() <= metrics.items() else None


def _without_rank(record: Mapping[str, Any]) -> dict[str, Any]:
    settings = record["settings"]
    if isinstance(settings, dict):
        settings = {key: value for key, value in settings.items() if key != "rank"}
    return {**record, "settings": settings}
