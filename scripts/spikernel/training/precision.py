"""The number format that a training computes in."""

import torch

from spikernel.config import TrainingConfig


def in_bfloat16(settings: TrainingConfig, device: torch.device) -> bool:
    """Whether convolutions and products of a training compute in bfloat16 on a device."""
    return settings.mixed_precision if device.type == "cuda" else settings.cpu_bfloat16
