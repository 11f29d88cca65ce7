"""Time of all jobs, and the code, packages and machines they used, from their provenance."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from spikernel.report.tables.records import Job

STEPS = (
    *("prepare_data", "kernel_impact", "kernel_impact_table", "kernel_set_design", "nas_search"),
    *("finalist_ranking", "train_final", "deployment", "tradeoff_table"),
)
"""Steps in the order in which they run; others come after them."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """Code, packages and machine that some steps share."""

    steps: tuple[str, ...]
    code: str
    python: str
    platform: str
    packages: str
    finished: str
    """Time at which the last of the jobs ended, in UTC."""


def read(paths: Sequence[Path]) -> list[Job]:
    """Read the provenance of all jobs, in the order of the steps.

    Raises:
        SpikernelError: a file is missing, or a key of it is missing or impossible.

    """
    jobs = [Job.read(path) for path in sorted(paths)]
    return sorted(jobs, key=lambda job: _place(job.step))


def used(jobs: Sequence[Job]) -> pd.DataFrame:
    """Return jobs and their summed wall time per step and device, and the share of the whole."""
    columns = ["step", "device", "jobs", "seconds", "longest_seconds", "share_percent"]
    if not jobs:
        return pd.DataFrame(columns=columns)
    rows = pd.DataFrame([job.model_dump(include={"step", "device", "seconds"}) for job in jobs])
    groups = rows.groupby(["step", "device"], as_index=False, sort=False)["seconds"]
    found = groups.agg(["count", "sum", "max"]).rename(
        columns={"count": "jobs", "sum": "seconds", "max": "longest_seconds"}
    )
    total = found["seconds"].sum()
    return found.assign(share_percent=100 * found["seconds"] / total if total else 0.0)[columns]


def made(jobs: Sequence[Job]) -> list[Made]:
    """Return code, packages and machine; one entry where all steps agree, else one for each."""
    found: dict[tuple[str, str, str, str], list[Job]] = {}
    for job in jobs:
        packages = ", ".join(f"{name} {version}" for name, version in sorted(job.packages.items()))
        found.setdefault((job.code, job.python, job.platform, packages), []).append(job)
    return [
        Made(
            steps=tuple(sorted({job.step for job in alike}, key=_place)),
            code=code,
            python=python,
            platform=platform,
            packages=packages,
            finished=max(job.finished for job in alike),
        )
        for (code, python, platform, packages), alike in found.items()
    ]


def data_hashes(jobs: Sequence[Job]) -> dict[str, list[str]]:
    """Return the SHA-256 of the manifest of each data set, which fixes its images and splits."""
    found: dict[str, set[str]] = {}
    for job in jobs:
        for name, digest in job.inputs.items():
            path = Path(name)
            if path.name == "manifest.json" and len(path.parts) >= 3:
                found.setdefault(path.parts[-3], set()).add(digest)
    return {dataset: sorted(digests) for dataset, digests in sorted(found.items())}


def _place(step: str) -> tuple[int, str]:
    return (STEPS.index(step) if step in STEPS else len(STEPS), step)
