"""The tables of the page on search, score, firing rates, compute and provenance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from spikernel import tables
from spikernel.report.charts import layers_figure
from spikernel.report.charts.score_figure import Agreement
from spikernel.report.charts.search_figure import REFERENCE_SAMPLES
from spikernel.report.tables import compute
from spikernel.report.tables.records import Job, Search
from spikernel.report.tables.table import (
    Column,
    Row,
    Table,
    count,
    duration,
    set_and_sizes,
    significant,
    table,
)

_QUANTITIES = {"score": "training-free score", "params": "number of parameters"}


_SEARCHES = (
    Column("data set", "dataset"),
    Column("kernel set", "", set_and_sizes),
    Column("strategy", "strategy"),
    Column("looked at", "evaluated", count, "number"),
    Column("distinct", "distinct", count, "number"),
    Column("scored", "scored", count, "number"),
    Column("time", "seconds", duration, "number"),
    Column("finalists", "finalist_seconds", duration, "number"),
    Column("ms per score", "seconds_per_score", lambda s: significant(1000 * s), "number"),
    Column("reference", "reference_seconds", duration, "number"),
    Column("ratio", "ratio", lambda ratio: f"{significant(ratio, 2)}×", "number"),
    Column("score", "score"),
    Column("best score", "best_score", lambda score: significant(score, 5), "number"),
    Column("device", "device"),
)


def _tau(row: Row) -> str:
    return "not defined: all tied" if math.isnan(row["tau"]) else f"{row['tau']:+.2f}"


def _p(value: float) -> str:
    return "< 0.01" if value < 0.005 else f"{value:.2f}"


_AGREEMENTS = (
    Column("data set", "dataset"),
    Column("quantity", "quantity", _QUANTITIES.__getitem__),
    Column("accuracy", "split"),
    Column("cells", "cells", kind="number"),
    Column("tau", "", _tau, "number"),
    Column("p", "p_value", _p, "number"),
)

_COMPUTE = (
    Column("step", "step"),
    Column("jobs", "jobs", count, "number"),
    Column("time", "seconds", duration, "number"),
    Column("longest job", "longest_seconds", duration, "number"),
    Column("share %", "share_percent", "{:.1f}".format, "number"),
    Column("device", "device"),
)

_MADE = (
    Column("steps", "steps", ", ".join, "prose"),
    Column("code", "code", kind="code"),
    Column("Python", "python"),
    Column("platform", "platform", kind="prose"),
    Column("packages", "packages", kind="prose"),
    Column("last job finished", "finished"),
)

_HASHES = (Column("data set", "dataset"), Column("manifest", "digests", ", ".join, "code"))


@dataclass(frozen=True, kw_only=True)
class Heat:
    """A table of numbers, shaded by them: firing rates of layers, or confusions of classes."""

    caption: str
    corner: str
    """What the rows are."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    """Name, and for each column its text and its shade, from 0 to 1."""


def searches(found: Sequence[Search], costs: pd.DataFrame) -> Table:
    """Return the cost of each search and of the reference plan, and the best score."""
    best = {item.key: item for item in found}
    rows = []
    for row in tables.records(costs):
        search = best[row["dataset"], row["kernel_set"]]
        own = ("score", "best_score", "finalist_seconds")
        rows.append({**row, **{name: getattr(search, name) for name in own}})
    caption = f"Cost of each search, and of {REFERENCE_SAMPLES:,} samples that are all scored"
    trained = any(search.finalists for search in found)
    columns = [column for column in _SEARCHES if trained or column.key != "finalist_seconds"]
    return table(caption, tuple(columns), rows)


def agreements(found: Sequence[Agreement]) -> Table:
    """Return how far score and parameters order the models as training does."""
    caption = "Kendall's tau-b with the accuracy after training"
    return table(caption, _AGREEMENTS, map(vars, found))


def firing_rates(rates: pd.DataFrame) -> list[Heat]:
    """Return the firing rate of every layer, one table per data set."""
    return [_heat(str(dataset), part) for dataset, part in rates.groupby("dataset")]


def _heat(dataset: str, rates: pd.DataFrame) -> Heat:
    wide = layers_figure.grid(rates)
    highest = float(rates["firing_rate_mean"].max()) or 1.0

    def cell(rate: float) -> tuple[str, float]:
        return ("–", 0.0) if math.isnan(rate) else (f"{100 * rate:.1f}", rate / highest)

    return Heat(
        caption=f"{dataset}: firing rate of each layer in %",
        corner="model",
        columns=tuple(layers_figure.title(str(layer)) for layer in wide.columns),
        rows=tuple(
            (str(model), tuple(cell(rate) for rate in values))
            for model, values in zip(wide.index, wide.to_numpy().tolist(), strict=True)
        ),
    )


def compute_used(jobs: Sequence[Job]) -> Table:
    """Return jobs and time per step and device."""
    used = compute.used(jobs)
    total = duration(used["seconds"].sum())
    caption = f"Compute of all steps before this page: {total} in {len(jobs):,} jobs"
    return table(caption, _COMPUTE, tables.records(used))


def made_with(jobs: Sequence[Job]) -> Table:
    """Return code, packages and machine, and the steps that share them."""
    caption = "What the steps were made with; one row where all agree"
    return table(caption, _MADE, map(vars, compute.made(jobs)))


def data_hashes(jobs: Sequence[Job]) -> Table:
    """Return the hash that fixes the images and splits of each data set."""
    found = compute.data_hashes(jobs)
    caption = "SHA-256 of each data set's manifest, which holds those of its images and splits"
    rows = [{"dataset": name, "digests": digests} for name, digests in found.items()]
    return table(caption, _HASHES, rows)
