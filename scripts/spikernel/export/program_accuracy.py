"""Accuracy of a program on a split, and agreement of two predictions."""

import torch
from torch import Tensor

from spikernel.export.interpret import Interpreter
from spikernel.export.program import Program
from spikernel.export.steps import Convolve
from spikernel.network.measured import exact_products

BATCH = 128
"""Images run at once."""
TURNED_OF_FEW = 3
"""Images whose class rounding may turn, however few there are, but of ten no more than one."""
ORDERED_OPERATIONS = 2e10
"""Up to so many operations a float model is run in the order of the C code, to the same bits."""


def logits(program: Program, images: Tensor, *, ordered: bool = False) -> Tensor:
    """Return the mean logits, [N, classes], of uint8 images [N, C, H, W], in batches."""
    interpreter = Interpreter(program, ordered=ordered)
    with exact_products():
        return torch.cat([interpreter.logits(batch) for batch in images.split(BATCH)])


def accuracy_percent(program: Program, images: Tensor, labels: Tensor) -> float:
    """Return the share of uint8 images [N, C, H, W] whose class is predicted, in percent."""
    return 100 * float((logits(program, images).argmax(1) == labels).double().mean())


def most_turned(images: int, agreement: float) -> int:
    """Return on how many images rounding may turn the class.

    Args:
        images: how many there are.
        agreement: least share of many images on which the classes are the same.

    """
    few = min(TURNED_OF_FEW, images // 10)
    return max(few, int(images * (1 - agreement)))


def dense_operations(program: Program) -> int:
    """Return the operations per image if every input were nonzero and no window were cut."""
    total = 0
    for step in program.steps:
        if isinstance(step, Convolve):
            _, height, width = step.target.shape
            repeats = 1 if step.target.constant else program.time_steps
            total += step.weights.values.size * height * width * repeats
    return total
