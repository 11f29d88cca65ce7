"""A table as text for readers, and numbers with as many digits as mean something."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """Heading of a column, with its unit, and how its cells are made."""

    title: str
    key: str
    """Value of the row that a cell shows; empty: `text` gets the whole row."""
    text: Callable[[Any], str] = str
    kind: Literal["text", "number", "code", "prose"] = "text"
    """Numbers are right-aligned, code is an architecture or a hash, prose may wrap."""
    by: str = ""
    """Value of the row that numbers are sorted by, where no `key` names it."""

    def cell(self, row: Row) -> str:
        """Return the text of a cell; a dash where the row holds no value."""
        if not self.key:
            return self.text(row)
        value = row[self.key]
        return "–" if pd.api.types.is_scalar(value) and pd.isna(value) else self.text(value)

    def order(self, row: Row) -> str:
        """Return the number that a cell is sorted by; empty where its text will do."""
        value = row.get(self.key or self.by)
        if self.kind != "number" or not isinstance(value, int | float) or pd.isna(value):
            return ""
        return f"{value:.9g}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that the page, Markdown and LaTeX show alike."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    """Cells; the last cell of a shorter row spans the columns that are left."""
    orders: tuple[tuple[str, ...], ...] = ()
    """What each cell is sorted by, if not by its text; empty where readers cannot sort."""
    marked: Collection[int] = ()
    """Places of the rows to stand out."""


def table(
    caption: str, columns: tuple[Column, ...], rows: Iterable[Row], marked: Collection[int] = ()
) -> Table:
    """Return the table of these rows."""
    rows = list(rows)
    cells = tuple(tuple(column.cell(row) for column in columns) for row in rows)
    orders = tuple(tuple(column.order(row) for column in columns) for row in rows)
    return Table(caption=caption, columns=columns, rows=cells, orders=orders, marked=marked)


def accuracy(mean: float, sd: float = math.nan) -> str:
    """Return an accuracy in percent, with the sd over seeds where there is one."""
    return f"{mean:.2f}" if math.isnan(sd) else f"{mean:.2f} ± {sd:.2f}"


def significant(value: float, digits: int = 3) -> str:
    """Return a number rounded to significant digits, without exponent or trailing zeros."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def interval(low: float, high: float) -> str:
    """Return both ends of an interval in percent."""
    return f"{low:.1f}–{high:.1f}"


def thousands(value: float) -> str:
    """Return a number in thousands; bytes become kB."""
    return significant(value / 1e3)


def millions(value: float) -> str:
    """Return a number in millions; picojoules become microjoules."""
    return significant(value / 1e6)


def at_least(value: float, digits: int = 3) -> str:
    """Return a positive number rounded up to significant digits, as what is needed must be."""
    step = 10.0 ** (math.floor(math.log10(value)) - digits + 1)
    return significant(math.ceil(round(value / step, 6)) * step, digits)


def kilobytes(size: float) -> str:
    """Return bytes in kB of 1,000 bytes."""
    return f"{significant(size / 1000)} kB"


def count(value: float) -> str:
    """Return a whole number with thousands separators."""
    return f"{round(value):,}"


def duration(seconds: float) -> str:
    """Return a time in the unit a reader would use."""
    if seconds < 120:
        return f"{significant(seconds)} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def sizes(text: str) -> str:
    """Return kernel sizes as a set: `1 3` becomes `{1, 3}`."""
    return "{" + ", ".join(text.split()) + "}"


def set_and_sizes(row: Row) -> str:
    """Return the name and the sizes of a row's kernel set."""
    return f"{row['kernel_set']} {sizes(row['kernel_sizes'])}"
