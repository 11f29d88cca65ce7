"""The result in a few numbers by name, for tools that compare runs (`dvc metrics diff`)."""

from typing import Any

import pandas as pd

from spikernel import tables

_NUMBERS = (
    "val_accuracy_percent_mean",
    "test_accuracy_percent_mean",
    "test_accuracy_percent_sd",
    "memory_mb",
    "params",
)


def build(means: pd.DataFrame, selected: pd.DataFrame) -> dict[str, Any]:
    """Return the content of headline.json.

    Args:
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.
        selected: rows of `spikernel.report.tables.selection.select`.

    Returns:
        For every data set the number of models, of those on the Pareto front, and under
        `within_<budget>_mb` the accuracies (percent), memory (MB, 10^6 bytes, at the precision
        of the selection) and parameters of the selected model; nothing where none fits. The
        standard deviation is left out where there is one seed.

    """
    found: dict[str, Any] = {}
    for name, models in means.groupby("dataset"):
        found[str(name)] = {"models": len(models), "pareto_front": int(models["pareto"].sum())}
    for row in tables.records(selected):
        if row["fits"]:
            numbers = {key: row[key] for key in _NUMBERS if not pd.isna(row[key])}
            numbers["params"] = int(numbers["params"])
            found[row["dataset"]][f"within_{row['budget_mb']:g}_mb"] = numbers
    return found
