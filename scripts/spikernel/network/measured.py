"""How a net is run where its results are measured."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def exact_products() -> Iterator[None]:
    """Let a GPU convolve in float32, where cuDNN would round its inputs to 10 bits (TF32).

    A rounded input moves integer neurons to other levels, and a GPU would then test another net
    than the one that a CPU runs.
    """
    rounded = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = rounded


@contextmanager
def evaluated(net: nn.Module) -> Iterator[None]:
    """Let a net run in evaluation mode, exactly and without gradients; put its mode back."""
    was_training = net.training
    net.eval()
    try:
        with torch.no_grad(), exact_products():
            yield
    finally:
        net.train(was_training)
