"""Whether the jobs of this machine share a GPU, so that they wait for each other. No torch."""

import os
from collections.abc import Mapping
from pathlib import Path

CARDS = Path("/proc/driver/nvidia/gpus")
"""Has a folder for each card that NVIDIA's driver found."""


def gpu_jobs(device: str, cards: Path = CARDS, environment: Mapping[str, str] = os.environ) -> int:
    """Return of how many GPUs a job that trains or scores needs one to itself: 1 or 0.

    Snakemake counts them: as many jobs run at once as `--resources gpu_jobs=` allows.

    Args:
        device: as configured.
        cards: where the driver lists them.
        environment: in which cards may be hidden.

    """
    if device != "auto":
        return int(device == "cuda")
    hidden = environment.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return int(not hidden and cards.is_dir() and any(cards.iterdir()))
