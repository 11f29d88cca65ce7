"""Optimiser and learning rate schedule of a recipe."""

import math

import torch
from torch import nn

from spikernel.config import TrainingConfig


def make_optimiser(net: nn.Module, settings: TrainingConfig) -> torch.optim.Optimizer:
    """Return the optimiser; without `decay_norm`, vectors (norms, biases) do not decay.

    Fused: one kernel updates many weights, and steps are counted on their device, so that nothing
    has to be read from a GPU or sent to it.
    """
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    vectors = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": settings.weight_decay * settings.decay_norm},
    ]
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(
            groups, lr=settings.learning_rate, betas=(settings.momentum, 0.999), fused=True
        )
    return torch.optim.SGD(
        groups,
        lr=settings.learning_rate,
        momentum=settings.momentum,
        nesterov=settings.nesterov and settings.momentum > 0,
        fused=True,
    )


def set_learning_rate(
    optimiser: torch.optim.Optimizer, settings: TrainingConfig, step: int, steps_per_epoch: int
) -> None:
    """Let an optimiser make its next step with the learning rate that belongs to it."""
    rate = learning_rate(settings, step, steps_per_epoch)
    for group in optimiser.param_groups:
        group["lr"] = rate


def learning_rate(settings: TrainingConfig, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step, counted from 0 over the phase.

    Linear warm-up, then half a cosine from the peak towards `final_lr_fraction` of it, which
    it would reach one interval after the last; PyTorch's CosineAnnealingLR does the same.
    """
    unit = steps_per_epoch if settings.schedule_interval == "epoch" else 1
    position = step // unit * unit  # per epoch: constant within an epoch
    steps = settings.epochs * steps_per_epoch
    warmup = settings.warmup_fraction * steps
    if position < warmup:
        return settings.learning_rate * (position + unit) / (warmup + unit)
    progress = (position - warmup) / (steps - warmup)
    cosine = (1 + math.cos(math.pi * progress)) / 2
    low = settings.final_lr_fraction
    return settings.learning_rate * (low + (1 - low) * cosine)
