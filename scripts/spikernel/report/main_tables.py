"""The main result as tables: the model for each budget, and all models, ready to be written."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from spikernel import tables
from spikernel.report import formats, latex, markdown, models

NOTE = (
    "Memory is that of the weights as {precision}, in MB of 1,000,000 bytes. Accuracies are in "
    "percent, mean ± standard deviation over seeds where there are several. The model for a "
    "budget is chosen by validation accuracy; its test accuracy is reported."
)


@dataclass(frozen=True, kw_only=True)
class Main:
    """A table of the main result."""

    name: str
    """Name of its files."""
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int]
    """Places of the columns of numbers."""
    code: frozenset[int]
    """Places of the columns of architectures."""

    def as_markdown(self) -> str:
        """Return it as a Markdown table."""
        return markdown.table(self.header, self.rows, sorted(self.numeric))

    def as_latex(self) -> str:
        """Return it as a LaTeX table."""
        return latex.table(
            self.header, self.rows, numeric=self.numeric, code=self.code, caption=self.caption,
            label=f"tab:spikernel-{self.name}",
        )  # fmt: skip


def selection(selected: pd.DataFrame, precision: str) -> Main:
    """Return the model for each memory budget, from `spikernel.report.selection.select`."""
    rows = []
    for row in tables.records(selected):
        start = (row["dataset"], formats.significant(row["budget_mb"]))
        if row["fits"]:
            name = (f"{row['kernel_set']} rank {int(row['rank'])}", row["archid"])
            rows.append((*start, *name, *_measured(row, row["memory_mb"])))
        else:
            smallest = formats.significant(row["smallest_memory_mb"])
            rows.append((*start, f"none fits; the smallest needs {smallest} MB", *("-",) * 6))
    return Main(
        name="selection",
        caption=f"The best model within each memory budget. {NOTE.format(precision=precision)}",
        header=(
            *("data set", "budget MB", "model", "architecture", "params", "memory MB", "val %"),
            *("test %", "seeds"),
        ),
        rows=tuple(rows),
        numeric=frozenset({1, 4, 5, 6, 7, 8}),
        code=frozenset({3}),
    )


def all_models(means: pd.DataFrame, precision: str) -> Main:
    """Return all models, from `spikernel.report.models.over_seeds`; a star marks the front."""
    rows = [
        (
            *(row["dataset"], row["kernel_set"], str(row["rank"]), row["archid"]),
            *_measured(row, row["memory_mb"]),
            f"{row['firing_rate_mean']:.3f}",
            formats.significant(row["energy_pj_mean"] / 1e6),
            "*" if row["pareto"] else "",
        )
        for row in tables.records(models.at_precision(means, precision))
    ]
    return Main(
        name="models",
        caption=f"All trained models; a star marks the Pareto front of test accuracy against "
        f"memory. {NOTE.format(precision=precision)}",
        header=(
            *("data set", "kernel set", "rank", "architecture", "params", "memory MB", "val %"),
            *("test %", "seeds", "firing rate", "energy µJ", "front"),
        ),
        rows=tuple(rows),
        numeric=frozenset({2, 4, 5, 6, 7, 8, 9, 10}),
        code=frozenset({3}),
    )


def _measured(row: dict[str, Any], memory: float) -> tuple[str, ...]:
    return (
        formats.count(row["params"]),
        formats.significant(memory),
        formats.accuracy(row["val_accuracy_percent_mean"], row["val_accuracy_percent_sd"]),
        formats.accuracy(row["test_accuracy_percent_mean"], row["test_accuracy_percent_sd"]),
        str(int(row["seeds"])),
    )
