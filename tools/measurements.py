"""The measurements stored in docs/measurements: how a finished run gets there, and what is there.

A run lies there as `<experiment>.json`, `<experiment>.csv` (its models) and
`<experiment>-kernel-impact.csv`; a training of `scripts/train_cell.py` as `<dataset>-<name>.json`.
Times of single jobs are left out of a run: they are worth printing only where nothing else ran.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from spikernel import artifacts, tables
from spikernel.data.chance import chance_percent
from spikernel.errors import SpikernelError
from spikernel.report.charts import impact_figure
from spikernel.report.tables import intervals, models, published
from spikernel.report.tables.headline import (
    MOST_STEPS,
    binary_steps,
    borrowed,
    is_whole,
    model_of,
    refused,
)
from spikernel.report.tables.records import Job, KernelSets, sizes_text
from spikernel.report.tables.table import duration
from spikernel.space.cell import Cell
from spikernel.study.data_ahead import CATALOGUE

FOLDER = "docs/measurements"
CLAIMS = {row.dataset: row for row in published.RESULTS if row.system == "SpiKernel (paper)"}
"""The paper's accuracy on each of its data sets."""
TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "tinyimagenet": "TinyImageNet"}
SINGLE = "single trainings"

_SHOWN_PACKAGES = ("torch", "spikingjelly")
_IMPACT = "-kernel-impact.csv"


@dataclass(frozen=True)
class Run:
    """A stored run of the workflow."""

    path: Path
    """Its JSON file."""

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the run was: experiment, precision, budgets, code, device, packages."""
        read: dict[str, Any] = artifacts.read_json(self.path)
        return read

    @property
    def name(self) -> str:
        """The experiment."""
        return str(self.about["experiment"])

    @cached_property
    def trained(self) -> pd.DataFrame:
        """One row per training, see `spikernel.report.tables.models`."""
        return models.read(self.path.with_suffix(".csv"))

    @cached_property
    def means(self) -> pd.DataFrame:
        """One row per model."""
        return models.over_seeds(self.trained)

    @property
    def on_claimed(self) -> bool:
        """Whether a model of it is on a data set of the paper."""
        return bool(self.trained["dataset"].isin(list(CLAIMS)).any())

    @cached_property
    def taken(self) -> pd.DataFrame:
        """The models that run no more steps than a headline may."""
        too_many = refused(self.means)
        return self.means[[model_of(row) not in too_many for row in tables.records(self.means)]]

    @cached_property
    def impact(self) -> pd.DataFrame:
        """What the figure of the kernel impact draws; no rows where the run did not store it."""
        path = self.path.with_name(f"{self.name}{_IMPACT}")
        if not path.exists():
            return pd.DataFrame(columns=list(impact_figure.COLUMNS))
        text = ("dataset", "control")
        mean, sd = "val_accuracy_percent_mean", "val_accuracy_percent_sd"
        table = tables.read_csv(
            path, text=text, numbers=("kernel_size", "seeds", mean), optional_numbers=(sd,)
        )
        return table.astype({"kernel_size": int, "seeds": int})


def add(run: Path, folder: Path) -> None:
    """Store the models of a finished run, and the impact of kernel sizes where it has measured it.

    Args:
        run: folder of the experiment, for instance `results/demo`.
        folder: where measurements are stored.

    Raises:
        SpikernelError: the run has no report, or a file of it cannot be trusted.

    """
    report = run / "tradeoff_report"
    table = models.read(report / "models.csv")
    settings = Job.read(report / "provenance_table.json").settings
    found = sorted(run.glob("*/train_final/*/*/*/provenance.json"))
    jobs = [Job.read(path) for path in found]
    if len(jobs) != len(table):
        raise SpikernelError(
            f"{run} holds {len(jobs)} trainings, its models.csv {len(table)}: "
            "finish the run, or delete what its configuration no longer has"
        )
    designed = [KernelSets.read(path) for path in run.glob("*/kernel_set_design/kernel_sets.json")]
    impact = impact_figure.read(sorted(run.glob("*/kernel_impact/impact.csv")))
    untimed = table.drop(columns=["search_seconds", "train_seconds"])
    artifacts.write_text(folder / f"{run.name}.csv", models.to_csv(untimed))
    if len(impact):
        shown = tables.to_csv(impact[list(impact_figure.COLUMNS)])
        artifacts.write_text(folder / f"{run.name}{_IMPACT}", shown)
    artifacts.write_json(
        folder / f"{run.name}.json",
        {
            "experiment": run.name,
            "precision": settings["precision"],
            "memory_budgets_mb": settings["memory_budgets_mb"],
            "baseline": {
                sets.dataset: next(item.name for item in sets.sets if item.origin == "baseline")
                for sets in sorted(designed, key=lambda sets: sets.dataset)
            },
            "fills_budget": any(
                Job.read(path).settings.get("search", {}).get("budget", {}).get("fill", False)
                for path in run.glob("*/nas_search/*/provenance.json")
            ),
            "job_hours": sum(Job.read(path).seconds for path in run.rglob("provenance*.json"))
            / 3600,
            "code": sorted({job.code for job in jobs}),
            "device": sorted({job.device for job in jobs}),
            "packages": sorted(
                {f"{name} {job.packages[name]}" for job in jobs for name in _SHOWN_PACKAGES}
            ),
        },
    )


def runs(folder: Path) -> list[Run]:
    """Return the stored runs by name; other records name no experiment."""
    return [
        Run(path)
        for path in sorted(folder.glob("*.json"))
        if "experiment" in artifacts.read_json(path)
    ]


def trainings(folder: Path) -> list[dict[str, Any]]:
    """Return the records of single trainings, the best test accuracy of a data set first."""
    paths = sorted(folder.glob("*.json"))
    records = [{**artifacts.read_json(path), "file": path.name} for path in paths]
    trained = [record for record in records if "history" in record]
    return sorted(trained, key=lambda record: (record["dataset"], -record["test_accuracy_percent"]))


def nets(folder: Path) -> pd.DataFrame:
    """Return every stored net on a data set of the paper that runs no more than `MOST_STEPS` steps.

    Returns:
        One row per model of a run, or single training, with the columns that
        `spikernel.report.charts.tradeoff_figure.points` reads (`kernel_set` is the run's name,
        `rank` numbers the cells), and with `params`, `binary_steps`, `val_accuracy_percent_mean`,
        `file`, `device`, `effort`, which says in words how long it took, and `whole`: whether
        that is all, not what was added to weights trained before.

    """
    parts = [found for run in runs(folder) if len(found := _of_run(run))]
    single = [
        _of_training(record)
        for record in trainings(folder)
        if record["dataset"] in CLAIMS and binary_steps(record) <= MOST_STEPS
    ]
    table = pd.concat([*parts, pd.DataFrame(single)], ignore_index=True)
    if not len(table):
        return table
    # A figure joins the points of one rank, and these are of different cells.
    places = {name: place for place, name in enumerate(CLAIMS)}
    order = table.sort_values("dataset", key=lambda column: column.map(places), kind="stable")
    cells = order.groupby(["kernel_set", "cell"], sort=False).ngroup() + 1
    return order.assign(rank=cells)


def _of_run(run: Run) -> pd.DataFrame:
    hours = run.about.get("job_hours")
    means = run.taken[run.taken["dataset"].isin(list(CLAIMS))]
    return means.assign(
        binary_steps=[binary_steps(row) for row in tables.records(means)],
        cell=means["kernel_set"] + " rank " + means["rank"].astype(str),
        kernel_set=run.name,
        file=run.path.with_suffix(".csv").name,
        device=", ".join(run.about["device"]),
        effort="" if hours is None else f"one of {len(run.means)} nets of {hours:.1f} h of jobs",
        whole=True,
    )


def _of_training(record: dict[str, Any]) -> dict[str, Any]:
    """Return a single training as a row; it was tested on all test images of its data set."""
    classes, _, per_class = CATALOGUE[record["dataset"]]
    sizes = set(Cell.from_archid(record["archid"]).kernel_sizes())
    accuracy = record["test_accuracy_percent"]
    low, high = wilson(accuracy, len(classes) * per_class)
    return {
        **{name: record[name] for name in ("dataset", "archid", "params", "memory_mb_fp32")},
        **{"kernel_set": SINGLE, "cell": record["file"], "width": 1.0, "seeds": 1},
        "kernel_sizes": sizes_text(tuple(sizes)),
        "binary_steps": binary_steps(record),
        "val_accuracy_percent_mean": record["val_accuracy_percent"],
        "test_accuracy_percent_mean": accuracy,
        "test_accuracy_percent_sd": float("nan"),
        "test_accuracy_percent_low": low,
        "test_accuracy_percent_high": high,
        "chance_percent": chance_percent([per_class] * len(classes)),
        "file": record["file"],
        "device": record["device"],
        "effort": ", ".join([duration(record["seconds"]), *borrowed(record)]),
        "whole": is_whole(record),
    }


def wilson(accuracy_percent: float, images: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of one accuracy, in percent."""
    low, high = intervals.wilson(pd.Series([accuracy_percent]), pd.Series([float(images)]))
    return float(low.iloc[0]), float(high.iloc[0])


def best(table: pd.DataFrame, dataset: str) -> dict[str, Any] | None:
    """Return the net of a data set with the best validation accuracy below the paper's bound.

    Args:
        table: from `nets`.
        dataset: its name.

    """
    if not len(table):
        return None
    within = table[(table["dataset"] == dataset) & (table["params"] < published.PARAMETER_BOUND)]
    order = within.sort_values(["val_accuracy_percent_mean", "params"], ascending=[False, True])
    return next(iter(tables.records(order)), None)
