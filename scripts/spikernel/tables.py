"""The CSV tables that steps exchange, checked on the way in: errors name file and column."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spikernel import artifacts
from spikernel.errors import TableError


def read_csv(
    path: Path,
    *,
    text: Sequence[str] = (),
    numbers: Sequence[str] = (),
    optional_numbers: Sequence[str] = (),
    booleans: Sequence[str] = (),
    may_lack: Sequence[str] = (),
) -> pd.DataFrame:
    """Read a CSV file and check its columns.

    Args:
        path: the file.
        text: columns of text, where an empty cell is an empty string.
        numbers: columns that must hold a finite number in every row.
        optional_numbers: columns that may be empty; an empty cell becomes NaN.
        booleans: columns of `true` and `false`.
        may_lack: columns among them that become empty where the file does not have them.

    Raises:
        TableError: the file cannot be read, a column is missing, or a cell does not fit.

    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise TableError(f"{path} is missing: run the step that makes it first") from None
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableError(f"{path} is not a readable CSV file: {error}") from None
    table = table.assign(**{name: "" for name in may_lack if name not in table.columns})
    for column in (*text, *numbers, *optional_numbers, *booleans):
        if column not in table.columns:
            raise TableError(f"{path}: column '{column}' is missing")
    for column in (*numbers, *optional_numbers):
        table[column] = _numbers(table[column], path, empty_allowed=column in optional_numbers)
    for column in booleans:
        table[column] = _booleans(table[column], path)
    return table


def _numbers(column: "pd.Series[str]", path: Path, empty_allowed: bool) -> "pd.Series[float]":
    numbers = pd.to_numeric(column, errors="coerce")
    empty = column.str.strip().str.lower().isin(["", "nan"])
    wrong = ~np.isfinite(numbers) & ~(empty & empty_allowed)
    if wrong.any():
        found = column[wrong].iloc[0]
        raise TableError(f"{path}: column '{column.name}' holds {found!r}, not a finite number")
    return numbers


def _booleans(column: "pd.Series[str]", path: Path) -> "pd.Series[bool]":
    lowered = column.str.strip().str.lower()
    wrong = ~lowered.isin(["true", "false"])
    if wrong.any():
        found = column[wrong].iloc[0]
        raise TableError(f"{path}: column '{column.name}' holds {found!r}, not true or false")
    return lowered == "true"


def to_csv(table: pd.DataFrame, booleans: Sequence[str] = ()) -> str:
    """Return a table as CSV text; NaN becomes an empty cell, truth values `true`/`false`."""
    shown = table.copy()
    for column in booleans:
        shown[column] = shown[column].map({True: "true", False: "false"})
    text: str = shown.to_csv(index=False, lineterminator="\n")
    return text


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows that share their keys as a CSV file, atomically."""
    artifacts.write_text(path, to_csv(pd.DataFrame(list(rows))))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as mappings from column to value."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
