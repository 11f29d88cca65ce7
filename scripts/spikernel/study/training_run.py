"""What the two steps that train have in common: what a run depends on, and its history."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from spikernel import artifacts, code, tables
from spikernel.config import TrainingConfig
from spikernel.space.architecture import Architecture
from spikernel.study.inputs import Machine
from spikernel.training.loop import Trained

ACTIVITY_IMAGES = 1000
"""Images on which firing rates and synaptic operations are measured."""


def fingerprint(
    architecture: Architecture,
    training: TrainingConfig,
    seed: int,
    machine: Machine,
    manifest: Path,
) -> dict[str, Any]:
    """Return all that an unfinished training depends on; with another, its state is not used."""
    network = architecture.network
    parts = sorted({*network.parts(), *training.parts()})
    return {
        "archid": architecture.cell.archid,
        "network": network.changes(),
        "training": training.changes(),
        "seed": seed,
        "threads": machine.threads,
        "data": artifacts.file_hash(manifest),
        "code": code.digest("spikernel.training.loop", parts),
    }


def write_history(path: Path, trained: Trained) -> None:
    """Write one line per epoch."""
    tables.write_csv(path, [asdict(record) for record in trained.history])
