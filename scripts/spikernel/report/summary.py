"""The result as a Markdown text that reads well in a terminal."""

import pandas as pd

from spikernel import tables
from spikernel.report import formats, main_tables, markdown


def render(means: pd.DataFrame, selected: pd.DataFrame, precision: str) -> str:
    """Return summary.md.

    Args:
        means: one row per model, from `spikernel.report.models.over_seeds`.
        selected: rows of `spikernel.report.selection.select`.
        precision: number format whose memory the selection and the front use.

    """
    parts = [
        "# Accuracy and memory",
        main_tables.NOTE.format(precision=precision),
        "## Selection per memory budget",
        main_tables.selection(selected, precision).as_markdown(),
        "## Models",
        "A star marks the Pareto front of test accuracy against memory within a data set.",
        main_tables.all_models(means, precision).as_markdown(),
        "## Kernel sets",
        _kernel_sets(means),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


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
