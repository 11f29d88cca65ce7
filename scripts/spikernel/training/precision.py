"""The number format that a training computes in."""

from functools import cache
from pathlib import Path

import torch

from spikernel.config import TrainingConfig

INSTRUCTIONS = frozenset({"avx512_bf16", "amx_bf16"})
"""Of CPUs that compute in bfloat16, as Linux names them."""
CPUINFO = Path("/proc/cpuinfo")


def in_bfloat16(settings: TrainingConfig, device: torch.device) -> bool:
    """Whether convolutions and products of a training compute in bfloat16 on a device."""
    if device.type == "cuda":
        return settings.mixed_precision
    wanted = settings.cpu_bfloat16
    return has_bfloat16(device) if wanted == "auto" else wanted


@cache
def has_bfloat16(device: torch.device) -> bool:
    """Whether a device has instructions for bfloat16; of CPUs only Linux says so."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if not CPUINFO.exists():
        return False
    lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return not INSTRUCTIONS.isdisjoint(flags.split())
