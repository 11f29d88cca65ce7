"""One search over one kernel set: what it needs, and the parts it can be split into."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from spikernel import artifacts, code
from spikernel.config import DesignConfig, NetworkConfig, SearchConfig, kernel_set_name
from spikernel.data.splits import load_split
from spikernel.errors import ConfigError, TableError
from spikernel.search.batches import draw_batches
from spikernel.search.engine import Engine
from spikernel.search.evolution import evolve
from spikernel.search.journal import Evaluation, Journal, opened, sealed
from spikernel.search.rules import check_search
from spikernel.search.score import score_class
from spikernel.search.screening import Screened, screen
from spikernel.search.strategies import Space
from spikernel.space.cell import Cell
from spikernel.study.inputs import Machine
from spikernel.study.kernel_set_design import read_kernel_sizes
from spikernel.study.shapes import image_shape

AGAIN = "make it anew, with Snakemake by --forcerun nas_search_shard"


@dataclass(frozen=True)
class Inputs:
    """Files read by every job of a search."""

    manifest: Annotated[Path, "manifest.json of prepare_data"]
    kernel_sets: Annotated[Path | None, "kernel_sets.json of kernel_set_design"] = None


@dataclass(frozen=True)
class Settings:
    """Which cells are searched, for which macro-structure."""

    kernel_set: Annotated[str | None, "name of the set in --kernel-sets"] = None
    kernel_sizes: Annotated[list[int] | None, "the set itself, instead of file and name"] = None
    network: Annotated[NetworkConfig, "macro-structure"] = NetworkConfig()
    search: Annotated[SearchConfig, "settings of the step"] = SearchConfig()


@dataclass(frozen=True)
class Subject:
    """Which kernel set is searched, for which macro-structure."""

    kernel_set: str
    kernel_sizes: tuple[int, ...]
    network: NetworkConfig


def choose_subject(kernel_sets: Path | None, settings: Settings) -> Subject:
    """Return the set of a `kernel_sets.json`, or the one given by its sizes.

    Raises:
        ConfigError: neither or both were given, or a size is not odd and positive.
        TableError: the file has no set of that name.
    """
    name, kernel_sizes = settings.kernel_set, settings.kernel_sizes
    if kernel_sizes and kernel_sets is None and name is None:
        baseline = DesignConfig.parse({"baseline": kernel_sizes}, "kernel_sizes").baseline
        return Subject(kernel_set_name(baseline), baseline, settings.network)
    if kernel_sets is None or name is None or kernel_sizes:
        raise ConfigError("give either --kernel-sizes, or both --kernel-sets and --kernel-set")
    return Subject(name, read_kernel_sizes(kernel_sets, name), settings.network)


@dataclass(frozen=True)
class Outcome:
    """Everything a finished search knows; `seconds` is the compute of all its parts."""

    screened: Screened
    evaluations: list[Evaluation]
    seconds: float


class SearchJob:
    """Loads what a search needs once, then screens and scores."""

    def __init__(self, inputs: Inputs, chosen: Settings, machine: Machine) -> None:
        subject, settings = choose_subject(inputs.kernel_sets, chosen), chosen.search
        check_search(settings, chosen.network)
        split = load_split(inputs.manifest, "train")
        self.dataset = split.manifest.dataset
        self.subject = subject
        self.settings = settings
        self.images = image_shape(split.manifest)
        self.space = Space.of(settings, subject.kernel_sizes, subject.network, self.images)
        score, device = score_class(settings.score), machine.torch_device
        batches = draw_batches(split, settings, device) if score.needs_images else []
        self._score = score(settings, batches, device)
        self.described = {
            "kernel_set": subject.kernel_set,
            "kernel_sizes": list(subject.kernel_sizes),
            "network": subject.network.model_dump(mode="json"),
            "search": settings.model_dump(mode="json"),
            "threads": machine.threads,
        }
        self.parts = sorted({*subject.network.parts(), *settings.parts()})
        self.of_parts = {
            "kernel_set": subject.kernel_set,
            "kernel_sizes": list(subject.kernel_sizes),
            "network": subject.network.changes(),
            "search": settings.changes(),
            "data": artifacts.file_hash(inputs.manifest),
            # Shards are made anew where this changes, and merged by whatever else does.
            "code": code.digest(__name__, self.parts),
        }
        self._of_journal = {
            **self.of_parts,
            "threads": machine.threads,
            # Not which GPU: a search that is tried again on another node goes on.
            "device": machine.torch_device.type,
        }

    def screen(self) -> Screened:
        """Choose the cells of a `random` or `exhaustive` search; the prefilter costs seconds."""
        return screen(self.settings, self.space, self._score)

    def score(self, cell: Cell) -> float:
        """Return the exact score of a cell."""
        return self._score.score(self.space.architecture(cell))

    def evaluate(self, cells: Sequence[Cell], journal_path: Path) -> list[Evaluation]:
        """Score cells exactly, resuming from the journal."""
        with Journal(journal_path, self._of_journal) as journal:
            return Engine(self.score, journal, len(cells)).evaluate_all(cells)

    def run(self, journal_path: Path) -> Outcome:
        """Run the whole search in this process."""
        if self.settings.strategy == "evolution":
            return self._evolve(journal_path)
        screened = self.screen()
        evaluations = self.evaluate(screened.cells, journal_path)
        return Outcome(screened, evaluations, screened.seconds + _seconds(evaluations))

    def _evolve(self, journal_path: Path) -> Outcome:
        settings = self.settings
        with Journal(journal_path, self._of_journal) as journal:
            engine = Engine(self.score, journal, settings.iterations)
            evaluations = evolve(self.space, settings, engine.evaluate)
        cells = [Cell.from_archid(item.archid) for item in evaluations]
        return Outcome(Screened(cells, len(cells), len(cells)), evaluations, _seconds(evaluations))


def _seconds(evaluations: Sequence[Evaluation]) -> float:
    return sum(item.seconds for item in evaluations)


def write_part(path: Path, job: SearchJob, screened: Screened, part: list[Evaluation]) -> None:
    """Write one shard's evaluations with what is needed to merge them."""
    header = {
        "fingerprint": job.of_parts,
        "cells": screened.digest(),
        "evaluated": screened.evaluated,
        "distinct": screened.distinct,
        "prefilter": {name: str(score) for name, score in screened.prefilter.items()},
        "seconds": screened.seconds,
    }
    artifacts.write_text(path, sealed(header) + "".join(item.to_line() for item in part))


def merge_parts(paths: Sequence[Path], job: SearchJob) -> Outcome:
    """Return the outcome of a search from the files of all its shards.

    Raises:
        TableError: a file is damaged, belongs to another search, or a cell is missing.
    """
    evaluations: dict[str, Evaluation] = {}
    headers: list[dict[str, Any]] = []
    for path in paths:
        try:
            first, *lines = path.read_text(encoding="utf-8").splitlines()
            headers.append(opened(first))
            part = [Evaluation.from_line(line) for line in lines]
        except (OSError, ValueError, KeyError, TypeError):
            raise TableError(f"{path} is missing or damaged: {AGAIN}") from None
        if headers[-1]["fingerprint"] != job.of_parts:
            raise TableError(f"{path} belongs to another search: {AGAIN}")
        if headers[-1]["cells"] != headers[0]["cells"]:
            raise TableError(
                f"{path} chose other cells than {paths[0]}: run all shards on one kind of device"
            )
        evaluations.update((item.archid, item) for item in part)
    head = headers[0]
    prefilter = {name: float(score) for name, score in head["prefilter"].items()}
    ordered = sorted(evaluations.values(), key=lambda item: item.archid)
    cells = [Cell.from_archid(item.archid) for item in ordered]
    screened = Screened(cells, head["evaluated"], head["distinct"], prefilter)
    expected = job.settings.prefilter if prefilter else head["distinct"]
    if len(cells) != expected:
        raise TableError(f"the shards hold {len(cells)} of {expected} cells: one is missing")
    spent = sum(header["seconds"] for header in headers)
    return Outcome(screened, ordered, spent + _seconds(ordered))
