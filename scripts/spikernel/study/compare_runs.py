"""Finished experiments on one page: their models in one pool, under the names of the experiments.

The tables, the front, the model for each budget and the tests on pairs of models then go across
experiments. No torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd

from spikernel import provenance
from spikernel.config import ReportConfig
from spikernel.data import manifest as manifests
from spikernel.data.cautions import FILE
from spikernel.errors import TableError
from spikernel.report.tables import comparisons, models
from spikernel.report.tables.predictions import Predictions
from spikernel.report.tables.records import Job, Key
from spikernel.study import agreement, tradeoff_report, tradeoff_table

_TABLES = ("models.csv", "provenance_table.json")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Folders of finished experiments."""

    runs: Annotated[list[Path], "folders of two or more experiments, for instance results/demo"]


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Where the page goes."""

    folder: Annotated[Path, "folder to write: report.html, its tables and its figures"]


def run(inputs: Inputs, outputs: Outputs) -> None:
    """Write the page of several experiments and its tables.

    Budgets and the number format are those of the first. Data sets of one name must have the
    same test images.

    Raises:
        SpikernelError: an experiment is not finished, two have one name or other test images, a
            file cannot be trusted, or the page would replace or lie among what a run made.

    """
    watch = provenance.Stopwatch()
    names = [path.name for path in inputs.runs]
    if len(set(names)) < max(2, len(names)):
        raise TableError(f"runs: {', '.join(names)}: give two or more, each with its own name")
    _check_folder(outputs.folder, inputs.runs)
    read = [path / "tradeoff_report" / name for path in inputs.runs for name in _TABLES]
    provenance.check(read)
    settings = ReportConfig.parse(Job.read(read[1]).settings, str(read[1]))
    _check_images(inputs.runs)
    pools = [_pool(path) for path in inputs.runs]
    table = pd.concat([models_of for models_of, _ in pools], ignore_index=True)
    table = table.assign(pareto=models.flag_front(table, settings.precision))
    compared = comparisons.table(table, {key: p for _, found in pools for key, p in found.items()})
    folder = outputs.folder
    files = tradeoff_table.Outputs(
        models=folder / "models.csv",
        selection=folder / "selection.csv",
        comparisons=folder / "comparisons.csv",
        summary=folder / "summary.md",
        tables=folder / "tables",
    )
    written = tradeoff_table.write(table, compared, files, settings)
    provenance.write(
        folder / "provenance_compare.json",
        step="compare_runs",
        settings=settings.model_dump(mode="json"),
        inputs=read,
        outputs=written,
        seconds=watch.seconds(),
    )
    tradeoff_report.run(
        tradeoff_report.Inputs(
            models=files.models,
            selection=files.selection,
            comparisons=files.comparisons,
            findings=[path for run in inputs.runs for path in run.glob(f"*/prepare_data/{FILE}")],
            **{name: [] for name in _ABSENT},
        ),
        tradeoff_report.Outputs(page=folder / "report.html", figures=folder / "figures"),
        settings,
        " and ".join(names),
    )


_ABSENT = (
    *("metrics", "histories", "searches", "candidates", "impacts", "kernel_sets", "provenance"),
)
"""Inputs of the page that each experiment's own page shows."""


def _check_folder(folder: Path, runs: list[Path]) -> None:
    """Refuse a folder in which files of an experiment would be replaced, or others added to them.

    Raises:
        TableError: it lies in one of the runs, or holds the page of any experiment.

    """
    place = folder.resolve()
    within = [run for run in runs if place.is_relative_to(run.resolve())]
    if within or (folder / _TABLES[1]).exists():
        whose = within[0] if within else "an experiment"
        raise TableError(
            f"folder: {folder} lies among results of {whose}, which stay as they are: name a "
            "folder of its own, for instance results/compared"
        )


def _check_images(runs: Sequence[Path]) -> None:
    """Refuse runs whose test images of one data set differ, though their labels may be the same.

    Raises:
        TableError: they do. Of images with other sides in pixels it is not known.

    """
    found: dict[tuple[str, int], tuple[str, Path]] = {}
    for run in runs:
        for path in sorted(run.glob("*/prepare_data/manifest.json")):
            manifest = manifests.read(path)
            key = manifest.dataset, manifest.image_size
            sha256 = manifest.splits["test"].images_sha256
            known, other = found.setdefault(key, (sha256, run))
            if known != sha256:
                raise TableError(
                    f"{run} was tested on other images of {key[0]} than {other}: runs can be "
                    "compared where data, test_images and split_seed are the same"
                )


def _pool(run: Path) -> tuple[pd.DataFrame, dict[Key, Predictions]]:
    """Return models and predictions of an experiment; its name goes before the kernel sets'."""
    table = models.read(run / "tradeoff_report" / "models.csv")
    place = "*/deployment/*/*/*"
    files = [sorted(run.glob(f"{place}/{name}")) for name in ("deployment.json", "predictions.npz")]
    provenance.check((path for listed in files for path in listed), of_jobs=True)
    found = comparisons.by_key(*files)
    agreement.check_accuracies(table, found)
    return (
        table.assign(kernel_set=f"{run.name}: " + table["kernel_set"]),
        {
            (dataset, f"{run.name}: {kernel_set}", *rest): predicted
            for (dataset, kernel_set, *rest), predicted in found.items()
        },
    )
