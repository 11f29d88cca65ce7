"""Numbers as C source text, without loss."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LINE = 96
"""Characters of a line of numbers."""


def c_float(number: float) -> str:
    """Return a float32 constant; nine digits tell every float32 from its neighbours."""
    text = format(float(np.float32(number)), ".9g")
    return f"{text}f" if any(mark in text for mark in ".e") else f"{text}.0f"


def array_text(numbers: NDArray[Any]) -> str:
    """Return the elements of an array, separated by commas, in lines."""
    if numbers.dtype == np.float32:
        words = [c_float(number) for number in numbers.tolist()]
    else:
        words = [str(number) for number in numbers.tolist()]
    lines: list[str] = []
    line: list[str] = []
    length = 0
    for word in words:
        if length + len(word) + 2 > LINE:
            lines.append(", ".join(line) + ",")
            line, length = [], 0
        line.append(word)
        length += len(word) + 2
    lines.append(", ".join(line))
    return "\n".join(f"    {text}" for text in lines)
