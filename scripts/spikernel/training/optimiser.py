"""Optimiser and learning rate schedule of a recipe."""

import math
from typing import Any

import torch
from torch import nn

from spikernel.config import TrainingConfig
from spikernel.training.muon import Muon


def make_optimiser(net: nn.Module, settings: TrainingConfig) -> torch.optim.Optimizer:
    """Return the optimiser of the parameters that are trained.

    Its groups are filters, vectors and linear layers. Each has its own peak learning rate, and
    vectors (norms, biases, time constants) decay with `decay_norm` only.

    Fused: one kernel updates many weights, and steps are counted on their device, so that nothing
    has to be read from a GPU or sent to it.

    Raises:
        ConfigError: the optimiser cannot take a parameter.

    """
    groups = parameter_groups(net, settings)
    if settings.optimizer == "muon":
        return Muon(groups, settings.renormalise, settings.nesterov)
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, betas=(settings.momentum, 0.999), fused=True)
    return torch.optim.SGD(
        groups,
        momentum=settings.momentum,
        nesterov=settings.nesterov and settings.momentum > 0,
        fused=True,
    )


def parameter_groups(net: nn.Module, settings: TrainingConfig) -> list[dict[str, Any]]:
    """Return the parameters that are trained as groups of an optimiser; none is empty."""
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    groups = [
        {
            "params": [parameter for parameter in trained if parameter.ndim > 2],
            "lr": settings.learning_rate,
            "weight_decay": settings.weight_decay,
        },
        {
            "params": [parameter for parameter in trained if parameter.ndim <= 1],
            "lr": settings.norm_learning_rate or settings.learning_rate,
            "weight_decay": settings.weight_decay * settings.decay_norm,
        },
        {
            "params": [parameter for parameter in trained if parameter.ndim == 2],
            "lr": settings.head_learning_rate or settings.learning_rate,
            "weight_decay": settings.weight_decay,
        },
    ]
    if settings.optimizer == "muon":
        for group, orthogonal in zip(groups, (True, False, False), strict=True):
            group["orthogonal"] = orthogonal
            group["momentum"] = settings.muon_momentum if orthogonal else settings.momentum
    return [{**group, "peak": group["lr"]} for group in groups if group["params"]]


def set_learning_rate(
    optimiser: torch.optim.Optimizer, settings: TrainingConfig, step: int, steps_per_epoch: int
) -> None:
    """Let an optimiser make its next step with the learning rates that belong to it."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(settings, group["peak"], step, steps_per_epoch)


def learning_rate(settings: TrainingConfig, peak: float, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of a step, counted from 0 over the phase.

    Linear warm-up, then half a cosine or a straight line from the peak towards
    `final_lr_fraction` of it, which it would reach one interval after the last; PyTorch's
    CosineAnnealingLR does the same.
    """
    unit = steps_per_epoch if settings.schedule_interval == "epoch" else 1
    position = step // unit * unit  # per epoch: constant within an epoch
    steps = settings.epochs * steps_per_epoch
    warmup = settings.warmup_fraction * steps
    if position < warmup:
        return peak * (position + unit) / (warmup + unit)
    progress = (position - warmup) / (steps - warmup)
    left = 1 - progress
    if settings.schedule == "cosine":
        left = (1 + math.cos(math.pi * progress)) / 2
    low = settings.final_lr_fraction
    return peak * (low + (1 - low) * left)
