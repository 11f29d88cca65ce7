"""What a budget limits: memory of the weights in a number format, or flash of the int8 model."""

from dataclasses import dataclass

import pandas as pd

FLASH = "flash"
"""The constants of the exported int8 model to the byte: weights, scales and biases, no code."""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """The unit in which budgets are written."""

    name: str
    per_mb: float
    """How many of it make a MB of 10^6 bytes."""


MB = Unit(name="MB", per_mb=1.0)
KB = Unit(name="kB", per_mb=1000.0)


def unit(precision: str) -> Unit:
    """Return the unit of the budgets for a number format."""
    return KB if precision == FLASH else MB


def memory_mb(table: pd.DataFrame, precision: str) -> "pd.Series[float]":
    """Return the memory that a budget limits, in MB.

    Args:
        table: rows of models.csv, or their means over seeds.
        precision: `fp32`, `fp16`, `int8` or `flash`.

    """
    if precision != FLASH:
        return table[f"memory_mb_{precision}"]
    return table["int8_bytes" if "int8_bytes" in table else "int8_bytes_mean"] / 1e6


def has_flash(means: pd.DataFrame) -> bool:
    """Whether the flash of all models is known."""
    return bool(means["int8_bytes_mean"].notna().all())
