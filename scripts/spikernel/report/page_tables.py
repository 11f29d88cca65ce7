"""The tables of the page, as text that is ready to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from spikernel import tables
from spikernel.report import formats
from spikernel.report.records import KernelSets

MICROJOULE = 1e6
"""Picojoules in a microjoule."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """Title of a column and how its cells look."""

    title: str
    kind: str = "text"
    """`text`, `number` (right-aligned), `code` (an architecture) or `prose` (may wrap)."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the page."""

    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[str]]
    """Cells as text; the last cell of a shorter row spans the columns that are left."""
    marked: frozenset[int] = frozenset()
    """Places of the rows to stand out."""


def columns(*titles: str) -> tuple[Column, ...]:
    """Make columns; a title ends in `#` for numbers, `@` for architectures, `~` for prose."""
    kinds = {"#": "number", "@": "code", "~": "prose"}
    return tuple(
        Column(title=title.rstrip("#@~"), kind=kinds.get(title[-1], "text")) for title in titles
    )


def selection(selected: pd.DataFrame) -> Table:
    """Return the model for each memory budget, and where none fits."""
    rows: list[tuple[str, ...]] = []
    for row in tables.records(selected):
        start = (row["dataset"], formats.significant(row["budget_mb"]))
        if not row["fits"]:
            needed = formats.significant(row["smallest_memory_mb"])
            rows.append((*start, f"none fits: the smallest model needs {needed} MB"))
            continue
        rows.append(
            (
                *start,
                _accuracy(row, "test"),
                _accuracy(row, "val"),
                formats.significant(row["memory_mb"]),
                formats.count(row["params"]),
                formats.count(row["seeds"]),
                f"{row['kernel_set']} {formats.sizes(row['kernel_sizes'])}",
                row["archid"],
            )
        )
    return Table(
        caption="Best model by validation accuracy within each memory budget",
        columns=columns(
            "data set", "budget MB#", "test %#", "validation %#", "memory MB#", "parameters#",
            "seeds#", "kernel set", "architecture@",
        ),
        rows=rows,
    )  # fmt: skip


def models(means: pd.DataFrame) -> Table:
    """Return all models; those on the front of memory and test accuracy stand out."""
    records = tables.records(means)
    quantised = means["int8_test_accuracy_percent_mean"].notna().any()
    rows = [
        (
            *(row["dataset"], f"{row['kernel_set']} {formats.sizes(row['kernel_sizes'])}"),
            *(str(row["rank"]), row["archid"], "●" if row["pareto"] else ""),
            *(_accuracy(row, "test"), _accuracy(row, "val"), str(row["seeds"])),
            formats.count(row["params"]),
            *(formats.significant(row[f"memory_mb_{name}"]) for name in ("fp32", "fp16", "int8")),
            f"{row['firing_rate_mean']:.3f}",
            formats.significant(row["effective_acs_mean"] / 1e6),
            formats.significant(row["effective_macs_mean"] / 1e6),
            formats.significant(row["energy_pj_mean"] / MICROJOULE),
            formats.duration(row["train_seconds_mean"]),
            str(row["time_steps"]),
            *([_accuracy(row, "int8_test")] if quantised else []),
        )
        for row in records
    ]
    return Table(
        caption="All trained models, means ± standard deviation over seeds",
        columns=columns(
            "data set", "kernel set", "rank#", "architecture@", "front", "test %#",
            "validation %#", "seeds#", "parameters#", "fp32 MB#", "fp16 MB#", "int8 MB#",
            "firing rate#", "ACs M#", "MACs M#", "energy µJ#", "training#", "T#",
            *(["test int8 %#"] if quantised else []),
        ),
        rows=rows,
        marked=frozenset(place for place, row in enumerate(records) if row["pareto"]),
    )  # fmt: skip


def impact(table: pd.DataFrame) -> Table:
    """Return the impact of kernel sizes under both controls."""
    rows = [
        (
            row["dataset"],
            row["control"],
            f"{row['kernel_size']}×{row['kernel_size']}",
            _accuracy(row, "val"),
            str(row["seeds"]),
            formats.count(row["channels"]),
            formats.count(row["params"]),
            formats.significant(row["memory_mb_fp32"]),
            f"{row['firing_rate_mean']:.3f}",
            formats.significant(row["effective_acs_mean"] / 1e6),
            formats.significant(row["effective_macs_mean"] / 1e6),
            formats.significant(row["energy_pj_mean"] / MICROJOULE),
            formats.duration(row["train_seconds_mean"]),
        )
        for row in tables.records(table)
    ]
    return Table(
        caption="Reference net whose convolutions all have one kernel size",
        columns=columns(
            "data set", "control", "size#", "validation %#", "seeds#", "channels#", "parameters#",
            "fp32 MB#", "firing rate#", "ACs M#", "MACs M#", "energy µJ#", "training#",
        ),
        rows=rows,
    )  # fmt: skip


def kernel_sets(designs: list[KernelSets]) -> list[tuple[str, Table]]:
    """Return for each data set the rule in words and the table of its sets."""
    return [
        (
            design.rule,
            Table(
                caption=f"Kernel sets searched on {design.dataset}",
                columns=columns("set", "sizes", "origin", "evidence %#", "cost#", "reason~"),
                rows=[
                    (
                        *(item.name, formats.sizes(" ".join(map(str, item.sizes))), item.origin),
                        f"{item.evidence_percent:.2f}",
                        formats.significant(item.cost),
                        item.reason,
                    )
                    for item in design.sets
                ],
            ),
        )
        for design in designs
    ]


def published(results: pd.DataFrame) -> Table:
    """Return the published results with their sources."""
    rows = []
    for row in tables.records(results):
        known = pd.notna(row["params_m"])
        bound = "< " if row["params_is_upper_bound"] else ""
        rows.append(
            (
                *(row["dataset"], row["system"], f"{row['test_accuracy_percent']:.2f}"),
                bound + formats.significant(row["params_m"]) if known else "not stated",
                f"{row['time_steps']:.0f}" if pd.notna(row["time_steps"]) else "not stated",
                row["source"],
            )
        )
    return Table(
        caption="Published results on the same data sets; none of them was measured here",
        columns=columns("data set", "system", "test %#", "parameters M#", "T#", "source~"),
        rows=rows,
    )


def _accuracy(row: dict[str, Any], split: str) -> str:
    mean = row[f"{split}_accuracy_percent_mean"]
    if pd.isna(mean):
        return "–"
    return formats.accuracy(mean, row[f"{split}_accuracy_percent_sd"])
