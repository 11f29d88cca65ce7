"""Operations on the edges of a cell, by name.

`zero` (no connection), `skip` (identity), `avg` (average pooling 3x3, stride 1, padding 1)
and `k<size>` (LIF neurons, convolution size x size with stride 1 and padding (size - 1) / 2
without bias, batch normalisation). SNASNet's own set is zero, skip, k1, k3, avg
(Kim et al., ECCV 2022).
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from spikernel.errors import ConfigError

ZERO = "zero"
SKIP = "skip"
AVG = "avg"
_CONV = re.compile(r"^k([1-9][0-9]*)$")


def conv(size: int) -> str:
    """Return the name of the convolution operation of an odd kernel size.

    Raises:
        ConfigError: the size is even or not positive.

    """
    if size < 1 or size % 2 == 0:
        raise ConfigError(f"a kernel size must be odd and positive, got {size}")
    return f"k{size}"


@lru_cache(maxsize=256)  # asked six times for every cell that is made
def kernel_size(operation: str) -> int | None:
    """Return the kernel size of a convolution operation, None for any other operation.

    Raises:
        ConfigError: there is no operation of that name.

    """
    if operation in (ZERO, SKIP, AVG):
        return None
    match = _CONV.match(operation)
    if match is None or int(match[1]) % 2 == 0:
        raise ConfigError(
            f"unknown edge operation '{operation}': known are zero, skip, avg and k1, k3, k5, ..."
        )
    return int(match[1])


def operation_set(kernel_sizes: Sequence[int], others: Sequence[str]) -> tuple[str, ...]:
    """Return the operations a search chooses from: `others`, then one convolution per size."""
    return (*others, *(conv(size) for size in sorted(kernel_sizes)))
