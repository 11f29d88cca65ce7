"""Sparsity-aware Hamming distance, the training-free score of SNASNet (Kim et al., ECCV 2022).

For each call of each layer of neurons on a mini-batch, image i has a binary code x_i of N bits and
a rate r_i = mean(x_i). With the Hamming distance HD_ij and the distance expected of independent
codes of those rates, norm_ij = N (r_i (1 - r_j) + (1 - r_i) r_j),

    K_ij = sum over calls of (N - alpha HD_ij / (norm_ij + 1e-3)) / number of calls
    score = log |det K|

Two versions circulate: alpha = 0.5 N (the formula as first published in code; layers weigh by
their size) and alpha = 0.5 (published code since July 2022).

Shapes: T time steps, B images, F neurons.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

EPSILON = 1e-3
Alpha = Callable[[int], float]
"""The version of the score: alpha for a layer of so many neurons."""


def ones_in_common(codes: Tensor) -> Tensor:
    """Return how many ones each two of B binary codes share, exactly: [T, B, F] to [T, B, B].

    Low precision loses nothing here: zeros and ones are exact in every format, and their sums
    are whole numbers, exact in int32 and, below 2^24 neurons, in float32.
    """
    if codes.is_cuda:
        half = codes.half()
        return torch.bmm(half, half.transpose(1, 2), out_dtype=torch.float32)
    # Three times as fast as float32 on CPUs with int8 instructions.
    return torch.stack([torch._int_mm(code, code.t()) for code in codes.to(torch.int8)])


def layer_kernel(spikes: Tensor, alpha: Alpha) -> Tensor:
    """Return the sum over time steps of the kernel matrix of a layer of neurons.

    Args:
        spikes: [T, B, ...], binary.
        alpha: of the version.

    Returns:
        [B, B] in float64.

    """
    # Channels last, as they lie in memory: the order of a code's bits does not matter.
    codes = spikes.movedim(2, -1).flatten(2)
    neurons = codes.shape[2]
    both = ones_in_common(codes).double()
    ones = torch.diagonal(both, dim1=1, dim2=2)  # ones of each code, [T, B]
    row, column = ones.unsqueeze(2), ones.unsqueeze(1)
    distance = row + column - 2 * both
    expected = (row * (neurons - column) + (neurons - row) * column) / neurons
    kernel = neurons - alpha(neurons) * distance / (expected + EPSILON)
    return kernel.sum(0)


def log_determinants(matrices: list[Tensor]) -> Tensor:
    """Return log |det| of kernel matrices of one size, a vector on their device.

    It is -inf where two images have equal codes in every layer: the factorisation of such a
    matrix, which is singular, ends by rounding in some finite number.

    On the CPU one by one, which is as fast: the batched factorisation of PyTorch 2.13 with
    oneMKL gives wrong results when it runs on several threads ("Parameter 6 was incorrect on
    entry to DLASWP").
    """
    if matrices[0].is_cuda:
        return _log_determinant(torch.stack(matrices))
    return torch.stack([_log_determinant(matrix) for matrix in matrices])


def _log_determinant(kernel: Tensor) -> Tensor:
    """Return log |det| of kernel matrices [..., B, B]."""
    # The mean of N is on the diagonal, and elsewhere exactly where two images have equal codes.
    equal = (kernel == kernel[..., :1, :1]).sum((-2, -1)) > kernel.shape[-1]
    return torch.linalg.slogdet(kernel).logabsdet.masked_fill(equal, -math.inf)


class KernelSum:
    """Kernel matrix of a net: the mean over all calls of neurons of one mini-batch."""

    def __init__(self, alpha: Alpha) -> None:
        self._alpha = alpha
        self._sum: Tensor | None = None
        self._calls = 0

    def add(self, spikes: Tensor, calls: int = 1) -> None:
        """Add a layer's spikes [T, B, ...], counted as `calls` equal layers."""
        kernel = layer_kernel(spikes, self._alpha) * calls
        self._sum = kernel if self._sum is None else self._sum + kernel
        self._calls += calls * spikes.shape[0]

    def log_determinant(self) -> Tensor:
        """Return log |det K|, a scalar on the device; -inf where K is singular.

        Raises:
            ValueError: no layer was added.

        """
        if self._sum is None:
            raise ValueError("the score needs at least one LIF layer")
        return log_determinants([self._sum / self._calls])[0]
