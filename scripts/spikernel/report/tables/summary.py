"""The result as a Markdown text that reads well in a terminal."""

from collections.abc import Mapping

import pandas as pd

from spikernel import tables
from spikernel.report.tables import markdown
from spikernel.report.tables.columns import shown
from spikernel.report.tables.formats import WORDS
from spikernel.report.tables.main_tables import note, on_ranks
from spikernel.report.tables.table import Column, Table, duration, table

_KERNEL_SETS = (
    *shown("dataset", "kernel_set", "kernel_sizes"),
    Column("models", "models", kind="number"),
    Column("best model", "archid"),
    *shown("val_accuracy_percent", "test_accuracy_percent"),
    Column("search", "search_seconds", duration, "number"),
)


def render(
    selection: Table,
    devices: Mapping[str, Table],
    models: Table,
    means: pd.DataFrame,
    precision: str,
) -> str:
    """Return summary.md.

    Args:
        selection: the model for each memory budget.
        devices: the int8 model for each size of `flash` and `ram`, as far as they are known.
        models: all models.
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.
        precision: number format whose memory the selection and the front use.

    """
    parts = [
        "# Accuracy and memory",
        note(means, precision),
        "## Selection per memory budget",
        markdown.render(selection),
        *(
            part
            for limit, table in devices.items()
            for part in (f"## int8 model per size of {WORDS[limit]}", markdown.render(table))
        ),
        "## Models",
        "A dot marks the Pareto front of test accuracy against memory within a data set. "
        + on_ranks(means),
        markdown.render(models),
        "## Kernel sets",
        markdown.render(_kernel_sets(means)),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _kernel_sets(means: pd.DataFrame) -> Table:
    """Return one row per kernel set with its best model, sets and models by VALIDATION accuracy."""
    order = ["dataset", "val_accuracy_percent_mean", "memory_mb_fp32"]
    ranked = means.sort_values(order, ascending=[True, False, True])
    groups = ranked.groupby(["dataset", "kernel_set"], sort=False)
    best = groups.head(1).assign(models=groups["archid"].transform("size"))
    return table(
        "The best model of every kernel set, as trained", _KERNEL_SETS, tables.records(best)
    )
