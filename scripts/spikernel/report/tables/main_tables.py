"""The main result as tables: the model for each memory budget, and all models."""

from collections.abc import Callable

import pandas as pd

from spikernel import tables
from spikernel.config import model_name
from spikernel.report.tables import models
from spikernel.report.tables.columns import MODELS, ModelColumn, shown, there
from spikernel.report.tables.formats import KB, MB, WORDS, Unit
from spikernel.report.tables.table import Column, Row, Table, at_least, significant, table

_NOTE = (
    "Memory is that of the weights as {precision}, in MB of 1,000,000 bytes. Accuracies are those "
    "of the {weights}, in percent, mean ± standard deviation over seeds where there are several. "
    "The model for a budget is chosen by validation accuracy; its test accuracy is reported. "
    "Intervals are Wilson's, of 95 %, for the number of test images. Models are not told apart "
    "where McNemar's exact test on the test images has a p-value of 0.05 or more, not corrected "
    "for the number of pairs."
)


_WEIGHTS = {"fp32": "nets as trained", "int8": "nets with int8 weights"}


def note(means: pd.DataFrame, precision: str) -> str:
    """Return what the numbers of the tables are.

    Args:
        means: one row per model.
        precision: number format whose memory the selection uses.

    """
    weights = _WEIGHTS[models.accuracies_of(means, precision)]
    return _NOTE.format(precision=precision, weights=weights)


def on_ranks(means: pd.DataFrame) -> str:
    """Return on what evidence the searches ranked the models, and at which width."""
    widths = means["width"].nunique() > 1
    return _evidence(means) + (" Ranks order cells, all at width 1." if widths else "")


def _evidence(means: pd.DataFrame) -> str:
    finalists = int(means["finalist_epochs"].notna().sum())
    if not finalists:
        return "The rank of every model is that of its training-free score."
    others = "" if finalists == len(means) else "; the ranks of the others rest on the score alone"
    return (
        f"The ranks of {finalists} of {len(means)} models rest on the validation accuracy of "
        f"finalists of the search, after as many epochs as the column says{others}."
    )


def budget(unit: Unit = MB) -> tuple[Column, ...]:
    """Return the first columns of every table of the selection."""
    return (*shown("dataset"), _memory("budget", "budget_mb", unit))


def memory(unit: Unit = MB) -> Column:
    """Return the column of the memory in the number format that the selection is for."""
    return _memory("memory", "memory_mb", unit)


def _memory(title: str, key: str, unit: Unit) -> Column:
    def text(memory_mb: float) -> str:
        return significant(memory_mb * unit.per_mb)

    return Column(f"{title} {unit.name}", key, text, "number")


def _model(row: Row) -> str:
    return f"{row['kernel_set']} {model_name(row['rank'], row['width'])}"


def _alike(row: Row) -> str:
    found = row["not_told_apart"]
    return "–" if pd.isna(found) else f"{int(found)} of {int(row['other_models'])}"


EVIDENCE = (
    *shown("test_accuracy_percent", "test_accuracy_percent_low", "test_images"),
    Column("not told apart", "", _alike, "number", by="not_told_apart"),
)
"""The test accuracy, and what it can say."""

_MODEL = (Column("model", "", _model), *shown("archid", "params"))
_SELECTION = (
    *(*budget(), *_MODEL, memory(), *shown("val_accuracy_percent")),
    *(*EVIDENCE, *shown("seed")),
)
_DEVICE = (
    *(*budget(KB), *_MODEL, memory(KB), *shown("val_accuracy_percent")),
    *(*EVIDENCE, *shown("seed")),
)


def selection(
    selected: pd.DataFrame, caption: str, columns: tuple[Column, ...] = _SELECTION, unit: Unit = MB
) -> Table:
    """Return the model for each memory budget, and what the smallest needs where none fits.

    A column of numbers that no chosen model has is left out.

    Args:
        selected: rows of `spikernel.report.tables.selection.select`.
        caption: what the table shows.
        columns: those of `budget`, then any.
        unit: that of the budgets.

    """
    fitting = selected[selected["fits"].astype(bool)]
    columns = tuple(
        column
        for column in columns
        if not (column.by and len(fitting) and fitting[column.by].isna().all())
    )
    rows = []
    for row in tables.records(selected):
        least = f"{at_least(row['smallest_memory_mb'] * unit.per_mb)} {unit.name}"
        missing = f"none fits; the smallest needs {least}"
        cells = [column.cell(row) for column in (columns if row["fits"] else budget(unit))]
        rows.append(tuple(cells if row["fits"] else [*cells, missing]))
    return Table(caption=caption, columns=columns, rows=tuple(rows))


def on_device(selected: pd.DataFrame, limit: str) -> Table:
    """Return the int8 model for each size of `flash` or `ram`, as `selection` does for memory."""
    caption = f"Best int8 model within each size of {WORDS[limit]}"
    return selection(selected, caption, _DEVICE, KB)


def all_models(
    means: pd.DataFrame, caption: str, wanted: Callable[[ModelColumn], bool] = lambda _: True
) -> Table:
    """Return all models with the columns that have a heading; those on the front stand out.

    An optional column that is empty in all rows is left out.

    Args:
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.
        caption: what the table shows.
        wanted: which of the columns.

    """
    chosen = [item for item in MODELS if item.title and wanted(item) and there(item, means)]
    front = [place for place, flag in enumerate(means["pareto"]) if flag]
    return table(caption, tuple(item.shown() for item in chosen), tables.records(means), front)


def brief(means: pd.DataFrame, caption: str, precision: str) -> Table:
    """Return all models with the brief columns; of the memories that at `precision`."""
    left_out = {f"memory_mb_{name}" for name in ("fp32", "fp16", "int8") if name != precision}
    chosen = [
        column
        for column in MODELS
        if column.brief and column.name not in left_out and there(column, means)
    ]
    rows = tables.records(models.at_precision(means, precision))
    return table(caption, tuple(item.shown() for item in chosen), rows)
