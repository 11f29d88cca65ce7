"""Finalists of a search: who is trained on a rung, and the files its jobs leave. No torch."""

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from spikernel import artifacts, tables
from spikernel.config import FinalistConfig, NetworkConfig
from spikernel.errors import TableError, TrainingError
from spikernel.search.finalists import Accuracies, Scored, better_part, choose

LOG = logging.getLogger(__name__)
OF_SEARCH = ("finalists", "candidates")
"""What is described of the search, on which no training depends."""
AGAIN = "make it anew, with Snakemake by --forcerun finalist_rung"


@dataclass(frozen=True)
class Inputs:
    """Files read by every job on the finalists of a search."""

    manifest: Annotated[Path, "manifest.json of prepare_data"]
    candidates: Annotated[Path, "candidates.csv of nas_search"]
    parts: Annotated[list[Path], "files of finalist_rung"] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How many finalists there are, and how they are trained."""

    finalists: Annotated[int, "how many of the best by score are trained"]
    network: Annotated[NetworkConfig, "macro-structure"] = NetworkConfig()
    training: Annotated[FinalistConfig, "how they are trained"] = FinalistConfig()


@dataclass(frozen=True)
class Training:
    """One finished training of a finalist."""

    archid: str
    seed: int
    val_accuracy_percent: float | None
    """None: it diverged."""
    seconds: float
    channels: int | None = None
    """Of the net, where the search chose them."""


@dataclass(frozen=True)
class Part:
    """What one job of a rung leaves; jobs of a rung differ in device and trainings alone."""

    described: dict[str, Any]
    """What the trainings of all rungs depend on."""
    rung: int
    members: list[str]
    """archids of all finalists of the rung."""
    device: str
    trainings: list[Training]

    def write(self, path: Path) -> None:
        """Write a header, then a line for each training."""
        head = asdict(self)
        del head["trainings"]
        lines = [json.dumps(head), *(json.dumps(asdict(item)) for item in self.trainings)]
        artifacts.write_text(path, "\n".join(lines) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Part":
        """Read the file of one job.

        Raises:
            TableError: it is missing or damaged.

        """
        try:
            head, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
            return cls(**head, trainings=[Training(**line) for line in lines])
        except (OSError, ValueError, TypeError):
            raise TableError(f"{path} is missing or damaged: {AGAIN}") from None


def describe(inputs: Inputs, settings: Settings) -> dict[str, Any]:
    """Return what all jobs on the finalists of one search must agree on."""
    return {
        "finalists": settings.finalists,
        "network": settings.network.changes(),
        "training": settings.training.changes(),
        "data": artifacts.file_hash(inputs.manifest),
        "candidates": artifacts.file_hash(inputs.candidates),
    }


def read_parts(inputs: Inputs, settings: Settings) -> list[list[Part]]:
    """Return the parts by rung, the shortest trainings first, and check that none is missing.

    Raises:
        TableError: a file is damaged or of another search, or a training is missing.

    """
    described = describe(inputs, settings)
    rungs: dict[int, list[Part]] = {}
    expected: dict[str, Any] = {}
    for path in inputs.parts:
        part = Part.read(path)
        # Of code and weights, which are not known here, it is enough that all parts name the same.
        expected = expected or {**part.described, **described}
        first = rungs.setdefault(part.rung, [part])[0]
        if part.described != expected or part.members != first.members:
            raise TableError(f"{path} belongs to another search: {AGAIN}")
        if part is not first:
            rungs[part.rung].append(part)
    for rung, parts in rungs.items():
        wanted = {(name, seed) for name in parts[0].members for seed in settings.training.seeds}
        if {(item.archid, item.seed) for part in parts for item in part.trainings} != wanted:
            raise TableError(f"trainings of rung {rung} are missing: give the files of all shards")
    return [rungs[rung] for rung in sorted(rungs)]


def known(folder: Path, own: Path, like: Part) -> dict[tuple[str, int, int | None], Training]:
    """Return the trainings of other kernel sets that a job need not run: their cells are shared.

    Args:
        folder: holds <kernel set>/rung-<n>/ of all sets.
        own: file of the job, which does not count.
        like: part whose rung, device, and all that is described but the search, are the same.

    Returns:
        (archid, seed, channels) -> training.

    """
    found: dict[tuple[str, int, int | None], Training] = {}
    for path in sorted(folder.glob(f"*/rung-{like.rung}/*.jsonl")):
        if path.resolve() == own.resolve():
            continue
        try:
            part = Part.read(path)
        except TableError as error:
            LOG.warning("%s", error)
            continue
        if part.device == like.device and _of_training(part) == _of_training(like):
            found |= {(item.archid, item.seed, item.channels): item for item in part.trainings}
    return found


def _of_training(part: Part) -> dict[str, Any]:
    """Return what a training depends on; who else is a finalist changes nothing."""
    return {key: value for key, value in part.described.items() if key not in OF_SEARCH}


def accuracies(parts: Sequence[Part]) -> Accuracies:
    """Return the mean accuracy over the seeds of each finalist of a rung, from all its parts.

    It is not a number where a seed diverged.
    """
    seeds: dict[str, list[float]] = {name: [] for name in parts[0].members}
    for item in (item for part in parts for item in part.trainings):
        value = item.val_accuracy_percent
        seeds[item.archid].append(math.nan if value is None else value)
    return {name: math.fsum(values) / len(values) for name, values in seeds.items()}


def check_learned(found: Accuracies, rung: int) -> None:
    """Refuse a rung on which nothing can rest.

    Raises:
        TrainingError: a seed of every finalist diverged.

    """
    if not any(map(math.isfinite, found.values())):
        raise TrainingError(
            f"every finalist diverged on rung {rung}, with a seed or more: lower learning_rate, or "
            "set gradient_clip, in nas_search/finalist_training/training"
        )


def read_candidates(path: Path) -> pd.DataFrame:
    """Read `candidates.csv` of a search; what this step does not use stays as it is written."""
    return tables.read_csv(
        path, text=("archid", "score"), numbers=("params",), optional_numbers=("rank",)
    )


def channels_of(path: Path) -> dict[str, int]:
    """Return the channels of each cell's net in `candidates.csv`, where the search chose them."""
    table = tables.read_csv(
        path, text=("archid",), optional_numbers=("channels",), may_lack=("channels",)
    )
    known = table[table["channels"].notna()]
    return dict(zip(known["archid"], known["channels"].astype(int), strict=True))


def scored(candidates: pd.DataFrame) -> list[Scored]:
    """Return the cells that have a rank by score, the best first."""
    ranked = candidates[candidates["rank"].notna()].sort_values("rank")
    rows = zip(ranked["archid"], ranked["params"], ranked["rank"], strict=True)
    return [Scored(str(archid), int(params), int(rank)) for archid, params, rank in rows]


def members(inputs: Inputs, settings: Settings, rung: int) -> list[str]:
    """Return the archids of the finalists of a rung.

    Args:
        inputs: with the parts of the rung before.
        settings: of the finalists.
        rung: from 1.

    Raises:
        TableError: the parts are not those of the rung before.
        TrainingError: every finalist there diverged.

    """
    how, cells = settings.training, scored(read_candidates(inputs.candidates))
    if rung == 1:
        chosen = choose(cells, settings.finalists, how.beside, how.draw_seed)
        return [item.archid for item in chosen]
    found = read_parts(inputs, settings)
    if [parts[0].rung for parts in found] != [rung - 1]:
        raise TableError(f"rung {rung} follows from the files of rung {rung - 1}: give these")
    ranks = {item.archid: item.score_rank for item in cells}
    reached = accuracies(found[0])
    check_learned(reached, rung - 1)
    return better_part(reached, ranks, how.reduction_factor)
