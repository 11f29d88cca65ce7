"""Operations on the edges of a cell, by name.

`zero` (no connection), `skip` (identity), `avg` (average pooling 3x3, stride 1, padding 1), and
three convolutions of an odd size, each with neurons, the convolution with stride 1, padding
(size - 1) / 2 and no bias, and batch normalisation:

* `k<size>`, dense: every channel to every channel, size x size;
* `d<size>`, depthwise separable: 1x1 from every channel to every channel, then size x size within
  each channel (this order: Haase and Amthor, CVPR 2020);
* `f<size>`, factorised: 1 x size, then size x 1, each from every channel to every channel (Szegedy
  et al., CVPR 2016, there with a nonlinearity between the two).

SNASNet's own set is zero, skip, k1, k3, avg (Kim et al., ECCV 2022).

The neurons have the threshold of the net, or their own: `k3t0.5` is a dense 3x3 convolution behind
neurons with threshold 0.5. SpikeNAS-Bench's set is zero, skip, k3t0.5, k3t1, k3t1.5 (Sun et al.,
IEEE TAI 2025).

Between the factors of `d` and `f` there is no neuron, so each is a dense convolution of that size
whose weights have a restricted form, and could be merged into one. The first factor reads spikes
(accumulates, AC), the second real values (multiply-accumulates, MAC). Per pixel and time step, with
C channels that fire at rate r:

    k: r k^2 C^2 AC      d: r C^2 AC + k^2 C MAC      f: r k C^2 AC + k C^2 MAC
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

from spikernel.config import ConvolutionType
from spikernel.errors import ConfigError

ZERO = "zero"
SKIP = "skip"
AVG = "avg"

_LETTERS: dict[ConvolutionType, str] = {"dense": "k", "depthwise": "d", "factorised": "f"}
_TYPES = {letter: name for name, letter in _LETTERS.items()}
_CONV = re.compile(rf"^([{''.join(_TYPES)}])([1-9][0-9]*)(?:t([0-9]+(?:\.[0-9]+)?))?$")

Types = ConvolutionType | Mapping[int, ConvolutionType]
"""Type of all convolutions, or of those of a size."""


@dataclass(frozen=True)
class Convolution:
    """Type and kernel size of a convolution edge, and the threshold of the neurons before it."""

    type: ConvolutionType
    size: int
    threshold: float | None = None
    """None: that of the net."""

    @property
    def kernel(self) -> str:
        """Name of the operation without a threshold: what its weights depend on."""
        return f"{_LETTERS[self.type]}{self.size}"

    def weights(self, channels: int) -> int:
        """Return how many weights it has from `channels` channels to as many."""
        if self.type == "depthwise":
            return channels**2 + channels * self.size**2
        if self.type == "factorised":
            return 2 * channels**2 * self.size
        if self.type == "dense":
            return channels**2 * self.size**2
        assert_never(self.type)


def conv(size: int, kind: Types = "dense", threshold: float | None = None) -> str:
    """Return the name of the convolution operation of an odd kernel size.

    Size 1 is `k1` whatever the type: the others compute nothing that it does not.

    Args:
        size: of the kernel.
        kind: of the convolution; or types by size, dense where a size is not named.
        threshold: of the neurons before it; None: that of the net.

    Raises:
        ConfigError: the size is even or not positive, or the threshold is not positive.

    """
    if size < 1 or size % 2 == 0:
        raise ConfigError(f"a kernel size must be odd and positive, got {size}")
    named = kind if isinstance(kind, str) else kind.get(size, "dense")
    kernel = Convolution("dense" if size == 1 else named, size).kernel
    if threshold is None:
        return kernel
    if not (0 < threshold < math.inf and float(text := f"{threshold:.6f}".rstrip("0")) > 0):
        raise ConfigError(f"a threshold must be positive, got {threshold}")
    return f"{kernel}t{text.rstrip('.')}"


@lru_cache(maxsize=256)  # asked six times for every cell that is made
def convolution(operation: str) -> Convolution | None:
    """Return the convolution that an operation names, None for any other operation.

    Raises:
        ConfigError: there is no operation of that name.

    """
    if operation in (ZERO, SKIP, AVG):
        return None
    match = _CONV.match(operation)
    if match:
        threshold = float(match[3]) if match[3] else None
        found = Convolution(_TYPES[match[1]], int(match[2]), threshold)
        # There are no even sizes, no d1 or f1, and a threshold is written in one way.
        valid = found.size % 2 == 1 and threshold != 0
        if valid and conv(found.size, found.type, threshold) == operation:
            return found
    raise ConfigError(
        f"unknown edge operation '{operation}': known are zero, skip, avg, convolutions k1, "
        "k3, k5, ..., depthwise d3, d5, ..., factorised f3, f5, ..., each with its own threshold "
        "as in k3t0.5, or that of the net"
    )


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
    convolutions: Types = "dense",
    thresholds: Sequence[float] = (),
) -> tuple[str, ...]:
    """Return the operations a search chooses from: `others`, then the convolutions by size.

    Args:
        kernel_sizes: odd sizes.
        others: operations without weights.
        convolutions: their type, or types by size, dense where a size is not named.
        thresholds: one convolution of each size for each of them; none: the net's alone.

    """
    own: list[float | None] = [*sorted(thresholds)] or [None]
    names = (
        conv(size, convolutions, threshold) for size in sorted(kernel_sizes) for threshold in own
    )
    return (*others, *names)
