"""The result in a few numbers by name, for tools that compare runs (`dvc metrics diff`)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from spikernel import tables
from spikernel.report.tables import comparisons

MOST_STEPS = 5
"""Steps of binary spikes, T x D, up to which an accuracy may be a headline."""
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
        of the selection) and parameters of the selected model, and its width, if that is not 1;
        nothing where none fits. The
        standard deviation is left out where there is one seed. Of a model that `refused` names, its
        steps of binary spikes are there, as `refused_steps`, and nothing else.

    """
    too_many = refused(means)
    found: dict[str, Any] = {}
    for name, models in means.groupby("dataset"):
        found[str(name)] = {"models": len(models), "pareto_front": int(models["pareto"].sum())}
    for row in tables.records(selected):
        if not row["fits"]:
            continue
        numbers = {key: row[key] for key in _NUMBERS if not pd.isna(row[key])}
        numbers["params"] = int(numbers["params"])
        if row["width"] != 1:
            numbers["width"] = row["width"]
        steps = too_many.get(model_of(row))
        shown = numbers if steps is None else {"refused_steps": steps}
        found[row["dataset"]][f"within_{row['budget_mb']:g}_mb"] = shown
    return found


def model_of(row: Mapping[str, Any]) -> tuple[str, comparisons.Model]:
    """Return what names the model of a row: data set, and kernel set, rank and width."""
    return row["dataset"], comparisons.model_of(row)


def refused(means: pd.DataFrame) -> dict[tuple[str, comparisons.Model], int]:
    """Return the steps of binary spikes of every model that runs more than a headline may.

    Args:
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.

    """
    steps = {model_of(row): binary_steps(row) for row in tables.records(means)}
    return {model: taken for model, taken in steps.items() if taken > MOST_STEPS}


def borrowed(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return in words what a training had from trainings before, whose effort its record lacks."""
    training = record.get("config", {}).get("training", {})
    words = {"initial_weights": "added to a trained net", "teacher": "taught by a trained net"}
    return tuple(text for key, text in words.items() if training.get(key) is not None)


def is_whole(record: Mapping[str, Any]) -> bool:
    """Return whether the effort in a training's record is all of its net's."""
    return not borrowed(record)


def binary_steps(row: Mapping[str, Any]) -> int:
    """Return the steps of binary spikes that a model, or a record of a training, runs: T x D.

    What was stored before there were integer neurons names T alone.
    """
    steps = row.get("binary_steps")
    return int(row["time_steps"] if steps is None or pd.isna(steps) else steps)
