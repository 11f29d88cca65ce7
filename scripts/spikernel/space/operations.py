"""Operations on the edges of a cell, by name.

`zero` (no connection), `skip` (identity), `avg` (average pooling 3x3, stride 1, padding 1), and
three convolutions of an odd size, each LIF neurons, the convolution with stride 1, padding
(size - 1) / 2 and no bias, and batch normalisation:

* `k<size>`, dense: every channel to every channel, size x size;
* `d<size>`, depthwise separable: 1x1 from every channel to every channel, then size x size within
  each channel (this order: Haase and Amthor, CVPR 2020);
* `f<size>`, factorised: 1 x size, then size x 1, each from every channel to every channel (Szegedy
  et al., CVPR 2016, there with a nonlinearity between the two).

SNASNet's own set is zero, skip, k1, k3, avg (Kim et al., ECCV 2022).

Between the factors of `d` and `f` there is no neuron, so each is a dense convolution of that size
whose weights have a restricted form, and could be merged into one. The first factor reads spikes
(accumulates, AC), the second real values (multiply-accumulates, MAC). Per pixel and time step, with
C channels that fire at rate r:

    k: r k^2 C^2 AC      d: r C^2 AC + k^2 C MAC      f: r k C^2 AC + k C^2 MAC
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from spikernel.config import ConvolutionType
from spikernel.errors import ConfigError

ZERO = "zero"
SKIP = "skip"
AVG = "avg"

_LETTERS: dict[ConvolutionType, str] = {"dense": "k", "depthwise": "d", "factorised": "f"}
_TYPES = {letter: name for name, letter in _LETTERS.items()}
_CONV = re.compile(rf"^([{''.join(_TYPES)}])([1-9][0-9]*)$")


@dataclass(frozen=True)
class Convolution:
    """Type and kernel size of a convolution edge."""

    type: ConvolutionType
    size: int

    def weights(self, channels: int) -> int:
        """Return how many weights it has from `channels` channels to as many."""
        if self.type == "depthwise":
            return channels**2 + channels * self.size**2
        if self.type == "factorised":
            return 2 * channels**2 * self.size
        return channels**2 * self.size**2


def conv(size: int, kind: ConvolutionType = "dense") -> str:
    """Return the name of the convolution operation of an odd kernel size.

    Size 1 is `k1` whatever the type: the others compute nothing that it does not.

    Raises:
        ConfigError: the size is even or not positive.

    """
    if size < 1 or size % 2 == 0:
        raise ConfigError(f"a kernel size must be odd and positive, got {size}")
    return f"{_LETTERS['dense' if size == 1 else kind]}{size}"


@lru_cache(maxsize=256)  # asked six times for every cell that is made
def convolution(operation: str) -> Convolution | None:
    """Return the convolution that an operation names, None for any other operation.

    Raises:
        ConfigError: there is no operation of that name.

    """
    if operation in (ZERO, SKIP, AVG):
        return None
    match = _CONV.match(operation)
    found = Convolution(_TYPES[match[1]], int(match[2])) if match else None
    # There are no even sizes, and no d1 or f1.
    if found is None or found.size % 2 == 0 or conv(found.size, found.type) != operation:
        raise ConfigError(
            f"unknown edge operation '{operation}': known are zero, skip, avg, convolutions k1, "
            "k3, k5, ..., depthwise d3, d5, ... and factorised f3, f5, ..."
        )
    return found


def kernel_size(operation: str) -> int | None:
    """Return the kernel size of a convolution operation, None for any other operation.

    Raises:
        ConfigError: there is no operation of that name.

    """
    found = convolution(operation)
    return None if found is None else found.size


def operation_set(
    kernel_sizes: Sequence[int],
    others: Sequence[str],
    convolutions: Mapping[int, ConvolutionType] | None = None,
) -> tuple[str, ...]:
    """Return the operations a search chooses from: `others`, then one convolution per size.

    Args:
        kernel_sizes: odd sizes.
        others: operations without weights.
        convolutions: type of the convolution of a size; a size that is not named is dense.

    """
    types = convolutions or {}
    return (*others, *(conv(size, types.get(size, "dense")) for size in sorted(kernel_sizes)))
