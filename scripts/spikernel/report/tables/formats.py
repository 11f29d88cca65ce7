"""What a budget limits: memory of the weights in a number format, flash or RAM of a device."""

from dataclasses import dataclass

import pandas as pd

FLASH, RAM = "flash", "ram"
"""The constants of the exported int8 model to the byte: weights, scales and biases, no code. The
static memory of its C code to the byte: activations, membrane potentials and sums, no stack."""
WORDS = {FLASH: "flash", RAM: "RAM"}
"""What a device has, in words."""
BYTES = {FLASH: "int8_bytes", RAM: "ram_bytes"}
"""The column of models.csv that it has to hold."""


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
    return KB if precision in WORDS else MB


def largest_bytes(limit: str) -> str:
    """Return the column for `flash` or `ram` in the table with one row per model.

    It is the largest of the seeds: whichever is exported has to fit.
    """
    return f"{BYTES[limit]}_max"


def memory_mb(table: pd.DataFrame, precision: str) -> "pd.Series[float]":
    """Return the memory that a budget limits, in MB.

    Args:
        table: rows of models.csv, or their means over seeds.
        precision: `fp32`, `fp16`, `int8`, `flash` or `ram`.

    """
    if precision not in WORDS:
        return table[f"memory_mb_{precision}"]
    column = BYTES[precision]
    return table[column if column in table else largest_bytes(precision)] / 1e6


def on_device(means: pd.DataFrame) -> tuple[str, ...]:
    """Return which of `flash` and `ram` are known of all models."""
    return tuple(limit for limit in WORDS if means[largest_bytes(limit)].notna().all())
