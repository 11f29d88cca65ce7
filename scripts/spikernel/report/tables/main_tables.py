"""The main result as tables: the model for each memory budget, and all models."""

import pandas as pd

from spikernel import tables
from spikernel.report.tables import models
from spikernel.report.tables.columns import MODELS, shown
from spikernel.report.tables.table import Column, Row, Table, significant, table

NOTE = (
    "Memory is that of the weights as {precision}, in MB of 1,000,000 bytes. Accuracies are in "
    "percent, mean ± standard deviation over seeds where there are several. The model for a "
    "budget is chosen by validation accuracy; its test accuracy is reported."
)

BUDGET = (*shown("dataset"), Column("budget MB", "budget_mb", significant, "number"))
"""The first columns of every table of the selection."""
MEMORY = Column("memory MB", "memory_mb", significant, "number")
"""Memory in the number format that the selection is for."""


def _model(row: Row) -> str:
    return f"{row['kernel_set']} rank {row['rank']}"


_SELECTION = (
    *(*BUDGET, Column("model", "", _model), *shown("archid", "params"), MEMORY),
    *shown("val_accuracy_percent", "test_accuracy_percent", "seed"),
)


def selection(
    selected: pd.DataFrame, caption: str, columns: tuple[Column, ...] = _SELECTION
) -> Table:
    """Return the model for each memory budget, and what the smallest needs where none fits.

    Args:
        selected: rows of `spikernel.report.tables.selection.select`.
        caption: what the table shows.
        columns: those of `BUDGET`, then any.

    """
    rows = []
    for row in tables.records(selected):
        missing = f"none fits; the smallest needs {significant(row['smallest_memory_mb'])} MB"
        cells = [column.cell(row) for column in (columns if row["fits"] else BUDGET)]
        rows.append(tuple(cells if row["fits"] else [*cells, missing]))
    return Table(caption=caption, columns=columns, rows=tuple(rows))


def all_models(means: pd.DataFrame, caption: str) -> Table:
    """Return all models with every column that has a heading; those on the front stand out.

    An optional column that is empty in all rows is left out.

    Args:
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.
        caption: what the table shows.

    """
    chosen = [
        column
        for column in MODELS
        if column.title and not (column.optional and means[f"{column.name}_mean"].isna().all())
    ]
    front = [place for place, flag in enumerate(means["pareto"]) if flag]
    return table(caption, tuple(item.shown() for item in chosen), tables.records(means), front)


def brief(means: pd.DataFrame, caption: str, precision: str) -> Table:
    """Return all models with the brief columns; of the memories that at `precision`."""
    left_out = {f"memory_mb_{name}" for name in ("fp32", "fp16", "int8") if name != precision}
    chosen = [column for column in MODELS if column.brief and column.name not in left_out]
    rows = tables.records(models.at_precision(means, precision))
    return table(caption, tuple(item.shown() for item in chosen), rows)
