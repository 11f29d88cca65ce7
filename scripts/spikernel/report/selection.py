"""The best model for each memory budget."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from spikernel import tables

COLUMNS = (
    "dataset",
    "budget_mb",
    "precision",
    "fits",
    "kernel_set",
    "kernel_sizes",
    "rank",
    "archid",
    "seeds",
    "params",
    "memory_mb",
    "val_accuracy_percent_mean",
    "val_accuracy_percent_sd",
    "test_accuracy_percent_mean",
    "test_accuracy_percent_sd",
    "smallest_memory_mb",
)
"""Columns of selection.csv; those of the model are empty where `fits` is false."""

_TEXT = ("dataset", "precision", "kernel_set", "kernel_sizes", "archid")


def select(means: pd.DataFrame, budgets_mb: Sequence[float], precision: str) -> pd.DataFrame:
    """Choose one model per data set and memory budget.

    The choice is the highest validation accuracy (mean over seeds) among the models whose
    memory at `precision` is within the budget; of equals the smaller one, then the first by
    architecture id, kernel set and rank. The test accuracy is reported and plays no part, so
    it is an unbiased estimate for the chosen model.

    Args:
        means: one row per model, from `spikernel.report.models.over_seeds`.
        budgets_mb: memory budgets in MB (10^6 bytes).
        precision: number format of the weights, `fp32`, `fp16` or `int8`.

    Returns:
        One row per data set and budget in rising order. Where no model fits, `fits` is false
        and `smallest_memory_mb` says what the smallest model would need.

    """
    means = means.assign(memory_mb=means[f"memory_mb_{precision}"], precision=precision)
    rows = []
    for _, models in means.groupby("dataset"):
        preferred = models.sort_values(
            ["val_accuracy_percent_mean", "memory_mb", "archid", "kernel_set", "rank"],
            ascending=[False, True, True, True, True],
        )
        for budget in sorted(budgets_mb):
            fitting = preferred[preferred["memory_mb"] <= budget]
            fits = len(fitting) > 0
            row = fitting.iloc[0] if fits else models.iloc[0][["dataset", "precision"]]
            rows.append(
                {
                    **row.to_dict(),
                    "budget_mb": budget,
                    "fits": fits,
                    "smallest_memory_mb": models["memory_mb"].min(),
                }
            )
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    # Without this, counts would turn into 1.0 beside the empty cells of a budget nobody meets.
    return table.astype({"rank": "Int64", "seeds": "Int64", "params": "Int64"})


def to_csv(table: pd.DataFrame) -> str:
    """Return the text of selection.csv."""
    return tables.to_csv(table, booleans=("fits",))


def read(path: Path) -> pd.DataFrame:
    """Read selection.csv.

    Raises:
        TableError: the file cannot be read, a column is missing, or a cell does not fit.

    """
    always = ("budget_mb", "smallest_memory_mb")
    optional = tuple(name for name in COLUMNS if name not in (*_TEXT, *always, "fits"))
    return tables.read_csv(
        path, text=_TEXT, numbers=always, optional_numbers=optional, booleans=("fits",)
    )
