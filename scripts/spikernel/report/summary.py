"""The result as a Markdown text that reads well in a terminal."""

from typing import Any

import pandas as pd

from spikernel import tables
from spikernel.report import formats, markdown


def render(means: pd.DataFrame, selected: pd.DataFrame, precision: str) -> str:
    """Return summary.md.

    Args:
        means: one row per model, from `spikernel.report.models.over_seeds`.
        selected: rows of `spikernel.report.selection.select`.
        precision: number format whose memory the selection and the front use.

    """
    parts = [
        "# Accuracy and memory",
        f"Memory is that of the weights in MB (10^6 bytes) as {precision}. Accuracies are in "
        "percent, mean ± standard deviation over seeds where there are several. The model for a "
        "budget is chosen by validation accuracy; its test accuracy is reported.",
        "## Selection per memory budget",
        _selection(selected),
        "## Models",
        "A star marks the Pareto front of test accuracy against memory within a data set.",
        _models(means, precision),
        "## Kernel sets",
        _kernel_sets(means),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _selection(selected: pd.DataFrame) -> str:
    header = ("data set", "budget MB", "model", "params", "memory MB", "val %", "test %", "seeds")
    rows = []
    for row in tables.records(selected):
        start = (row["dataset"], formats.significant(row["budget_mb"]))
        if row["fits"]:
            name = f"{row['kernel_set']} rank {int(row['rank'])}: {row['archid']}"
            rest = _measured(row, row["memory_mb"])
        else:
            smallest = formats.significant(row["smallest_memory_mb"])
            name, rest = f"none fits; the smallest needs {smallest} MB", ("-",) * 5
        rows.append((*start, name, *rest))
    return markdown.table(header, rows, numeric=(1, 3, 4, 5, 6, 7))


def _measured(row: dict[str, Any], memory: float) -> tuple[str, ...]:
    return (
        formats.count(row["params"]),
        formats.significant(memory),
        formats.accuracy(row["val_accuracy_percent_mean"], row["val_accuracy_percent_sd"]),
        formats.accuracy(row["test_accuracy_percent_mean"], row["test_accuracy_percent_sd"]),
        str(int(row["seeds"])),
    )


def _models(means: pd.DataFrame, precision: str) -> str:
    header = (
        *("data set", "kernel set", "rank", "architecture", "params", "memory MB", "val %"),
        *("test %", "seeds", "firing rate", "front"),
    )
    rows = [
        (
            *(row["dataset"], row["kernel_set"], str(row["rank"]), row["archid"]),
            *_measured(row, row[f"memory_mb_{precision}"]),
            f"{row['firing_rate_mean']:.3f}",
            "*" if row["pareto"] else "",
        )
        for row in tables.records(means)
    ]
    return markdown.table(header, rows, numeric=(2, 4, 5, 6, 7, 8, 9))


def _kernel_sets(means: pd.DataFrame) -> str:
    """Return one row per kernel set with its best model by VALIDATION accuracy."""
    header = (
        "data set",
        "kernel set",
        "sizes",
        "models",
        "best model",
        "val %",
        "test %",
        "search",
    )
    order = ["dataset", "kernel_set", "val_accuracy_percent_mean", "memory_mb_fp32"]
    ranked = means.sort_values(order, ascending=[True, True, False, True])
    rows = []
    for (dataset, name), models in ranked.groupby(["dataset", "kernel_set"]):
        best = tables.records(models)[0]
        sizes, seconds = formats.sizes(best["kernel_sizes"]), best["search_seconds"]
        accuracies = [
            formats.accuracy(best[f"{split}_accuracy_percent_mean"]) for split in ("val", "test")
        ]
        rows.append(
            (
                *(str(dataset), str(name), sizes, str(len(models)), best["archid"]),
                *(*accuracies, formats.duration(seconds)),
            )
        )
    return markdown.table(header, rows, numeric=(3, 5, 6, 7))
