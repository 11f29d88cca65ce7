"""Tables of the page on search, score, compute and provenance, as text that is ready to show."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from spikernel import tables
from spikernel.report import compute, formats, layers_figure
from spikernel.report.page_tables import Table, columns
from spikernel.report.records import Job, Search
from spikernel.report.score_figure import Agreement
from spikernel.report.search_figure import REFERENCE_SAMPLES

_QUANTITIES = {"score": "training-free score", "params": "number of parameters"}


@dataclass(frozen=True, kw_only=True)
class Heat:
    """Firing rates of the models of one data set: one column per layer, shaded by the rate."""

    caption: str
    layers: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    """Model, and for each layer its rate as text and as a share of the highest, from 0 to 1."""


def searches(found: Sequence[Search], costs: pd.DataFrame) -> Table:
    """Return what each search cost, what the reference plan would, and what was found."""
    best = {(item.dataset, item.kernel_set): item for item in found}
    rows = []
    for row in tables.records(costs):
        search = best[row["dataset"], row["kernel_set"]]
        timed = not math.isnan(row["ratio"])
        rows.append(
            (
                row["dataset"],
                f"{row['kernel_set']} {formats.sizes(row['kernel_sizes'])}",
                row["strategy"],
                *(formats.count(row[name]) for name in ("evaluated", "distinct", "scored")),
                formats.duration(row["seconds"]),
                formats.significant(1000 * row["seconds_per_score"]) if timed else "–",
                formats.duration(row["reference_seconds"]) if timed else "–",
                f"{formats.significant(row['ratio'], 2)}×" if timed else "–",
                *(search.score, formats.significant(search.best_score, 5), row["device"]),
            )
        )
    return Table(
        caption=f"Cost of each search, and of {REFERENCE_SAMPLES:,} samples that are all scored",
        columns=columns(
            "data set", "kernel set", "strategy", "looked at#", "distinct#", "scored#", "time#",
            "ms per score#", "reference#", "ratio#", "score", "best score#", "device",
        ),
        rows=rows,
    )  # fmt: skip


def agreements(found: Sequence[Agreement]) -> Table:
    """Return how far score and parameters order the models as training does."""
    rows = [
        (
            item.dataset,
            _QUANTITIES[item.quantity],
            str(item.models),
            *(
                ("not defined: all tied", "–")
                if math.isnan(item.tau)
                else (f"{item.tau:+.2f}", f"{item.p_value:.2f}")
            ),
        )
        for item in found
    ]
    return Table(
        caption="Kendall's tau-b with the validation accuracy after training",
        columns=columns("data set", "quantity", "models#", "tau#", "p#"),
        rows=rows,
    )


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
        layers=tuple(layers_figure.title(str(layer)) for layer in wide.columns),
        rows=tuple(
            (str(model), tuple(cell(rate) for rate in values))
            for model, values in zip(wide.index, wide.to_numpy().tolist(), strict=True)
        ),
    )


def compute_used(jobs: Sequence[Job]) -> Table:
    """Return jobs and time per step and device."""
    used = compute.used(jobs)
    rows = [
        (
            row["step"],
            formats.count(row["jobs"]),
            formats.duration(row["seconds"]),
            formats.duration(row["longest_seconds"]),
            f"{row['share_percent']:.1f}",
            row["device"],
        )
        for row in tables.records(used)
    ]
    total = formats.duration(used["seconds"].sum())
    return Table(
        caption=f"Compute of all steps before this page: {total} in {len(jobs):,} jobs",
        columns=columns("step", "jobs#", "time#", "longest job#", "share %#", "device"),
        rows=rows,
    )


def made_with(jobs: Sequence[Job]) -> Table:
    """Return code, packages and machine, and the steps that share them."""
    rows = [
        (", ".join(item.steps), item.code, item.python, item.platform, item.packages, item.finished)
        for item in compute.made(jobs)
    ]
    return Table(
        caption="What the steps were made with; one row where all agree",
        columns=columns("steps~", "code@", "Python", "platform", "packages~", "last job finished"),
        rows=rows,
    )


def data_hashes(jobs: Sequence[Job]) -> Table:
    """Return the hash that fixes the images and splits of each data set."""
    rows = [(name, ", ".join(found)) for name, found in compute.data_hashes(jobs).items()]
    return Table(
        caption="SHA-256 of each data set's manifest, which holds those of its images and splits",
        columns=columns("data set", "manifest@"),
        rows=rows,
    )
