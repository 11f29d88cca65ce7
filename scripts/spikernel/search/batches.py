"""The mini-batches that all candidates of a search are scored on."""

import numpy as np
import torch
from torch import Tensor

from spikernel.config import SearchConfig
from spikernel.data.splits import Split
from spikernel.errors import ConfigError
from spikernel.inference.normaliser import Normaliser


def draw_batches(split: Split, settings: SearchConfig, device: torch.device) -> list[Tensor]:
    """Draw the mini-batches [B, C, H, W] of a search, without repetition, normalised.

    Raises:
        ConfigError: the split has fewer images than the batches need.

    """
    wanted = settings.batch_size * settings.batches
    if wanted > len(split.labels):
        raise ConfigError(
            f"nas_search needs batch_size x batches = {wanted} training images, but there are "
            f"{len(split.labels)}: lower one of the two"
        )
    order = np.random.default_rng(settings.seed).permutation(len(split.labels))[:wanted]
    images = torch.from_numpy(np.ascontiguousarray(split.images[order])).to(device)
    normalise = Normaliser(split.manifest.mean, split.manifest.sd, device)
    return list(normalise(images).split(settings.batch_size))
