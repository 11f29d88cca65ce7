"""The files of each final model that its card leads to: those of training, and its exports."""

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikernel import artifacts, provenance
from spikernel.config import width_suffix
from spikernel.report.page.exports import Export
from spikernel.report.tables.records import Metrics
from spikernel.report.tables.runs import Run

FILES = ("model.safetensors", "metrics.json", "history.csv", "provenance.json")
"""What train_final leaves of each model and seed."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """A folder of files, with links from the page, and what is known about them."""

    title: str
    folder: str
    """Path relative to the page."""
    names: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Files that cards are made from."""

    metrics: Sequence[Path]
    """metrics.json of every model and seed; its folder holds the trained weights."""
    layers: Sequence[Path]
    """layers.csv beside them, may be empty."""
    exports: Sequence[Path]
    """export.json of the exported models, may be empty."""
    page: Path
    """Path of the page, which links are relative to."""


def current_exports(runs: Sequence[Run], paths: Sequence[Path]) -> list[tuple[Path, Export]]:
    """Return the exports of these runs; one by hand may be of weights that lie there no more."""
    found = [(path, Export.read(path)) for path in paths]
    by_model = {(_model(run), run.seed): run for run in runs}
    return [
        (path, export)
        for path, export in found
        if (run := by_model.get((_model(export), export.seed))) and _is_of(path, run)
    ]


def files(
    runs: Sequence[Run], exported: Sequence[tuple[Path, Export]], sources: Sources
) -> Iterator[Files]:
    """Yield the folder of every seed, each followed by those of its exports."""

    def relative(folder: Path) -> str:
        return Path(os.path.relpath(folder, sources.page.parent)).as_posix()

    for run in runs:
        more = ("layers.csv",) if run.folder / "layers.csv" in sources.layers else ()
        yield Files(title=f"Seed {run.seed}", folder=relative(run.folder), names=(*FILES, *more))
        for path, export in exported:
            if (_model(export), export.seed) == (_model(run), run.seed):
                yield Files(
                    title=f"Seed {run.seed}, exported for devices",
                    folder=relative(path.parent),
                    names=tuple(export.files()),
                    facts=tuple(export.facts()),
                )


def _is_of(export: Path, run: Run) -> bool:
    """Whether an export is of the weights that lie there now, as far as is known."""
    record = export.with_name(provenance.RECORD)
    if not record.exists():
        return True
    made_of = provenance.read(record, "inputs")["inputs"].values()
    return artifacts.file_hash(run.folder / "model.safetensors") in made_of


def export_command(runs: Sequence[Run], exported: Sequence[Export]) -> str | None:
    """Return how to export a model, from the folder in which the workflow ran."""
    if not runs:
        return None
    run = min(runs, key=lambda run: (-metrics(run).val_accuracy_percent, run.seed))
    if _model(run) in map(_model, exported):
        return None
    place = run.folder.parents[3]
    model = f"{run.kernel_set}-rank-{run.rank}{width_suffix(run.width)}"
    files = {
        "manifest": place / "prepare_data" / "manifest.json",
        "metrics": run.folder / "metrics.json",
        "report": place / f"export-{model}" / "export.json",
    }
    options = [part for key, path in files.items() for part in (f"--{key}", path.as_posix())]
    return shlex.join(["python", "scripts/export.py", *options])


def _model(item: Run | Export) -> tuple[str, str, int, float]:
    return item.dataset, item.kernel_set, item.rank, item.width


def metrics(run: Run) -> Metrics:
    """Return what the training of a run measured."""
    return Metrics.read(run.folder / "metrics.json")
