"""Memory for neurons over sequences: blocks of images, types, layouts.

Neurons are bound by memory, not by arithmetic. On the CPU the batch is therefore taken in blocks
that stay in a core's cache while all operations pass over them, and every operation writes into
memory that is there already. Input, spikes and their gradients may be bfloat16, which halves what
passes through memory; potentials are float32 even then, because a rounded potential near the
threshold would fire, or not, by its rounding.

Shapes: T time steps, N batch.
"""

import torch
from torch import Tensor

BLOCK_ELEMENTS = 131072
"""Neurons of a block per thread, 512 KiB in float32. The few buffers of a block stay in the cache;
smaller blocks cost more in calls than they save."""


def empty_sequence(x: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Return memory for [T, ...] in which every time step has the layout of x[0].

    `empty_like` does not keep channels-last for an input that is the same at every time step.
    """
    step = torch.empty_like(x[0])
    strides = (step.numel(), *step.stride())
    return torch.empty_strided(x.shape, strides, dtype=dtype or x.dtype, device=x.device)


def exact_type(dtype: torch.dtype) -> torch.dtype:
    """Return the type of the potentials for input of a type."""
    return torch.promote_types(dtype, torch.float32)


def as_type(dtype: torch.dtype, x: Tensor, memory: Tensor) -> Tensor:
    """Return x in a type: x itself, or a copy in memory that is there already."""
    return x if x.dtype == dtype else memory.copy_(x)


def blocks(x: Tensor) -> list[slice]:
    """Return the blocks of images that [T, N, ...] is taken in; one on a GPU."""
    images = x.shape[1]
    size = images
    if not x.is_cuda and x.numel():
        size = max(1, BLOCK_ELEMENTS * torch.get_num_threads() // x[0, 0].numel())
    return [slice(start, start + size) for start in range(0, images, size)]
