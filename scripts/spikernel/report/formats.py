"""Numbers as a reader sees them: units in the heading, digits that mean something."""

import math


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
