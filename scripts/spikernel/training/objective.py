"""The objective that a configuration names."""

from typing import Protocol

import torch
from torch import Tensor

from spikernel import registry
from spikernel.config import TrainingConfig
from spikernel.data.manifest import Manifest
from spikernel.training.mixing import MixedBatch


class Objective(Protocol):
    """What a training minimises; see `spikernel.training.objectives`."""

    def __call__(self, logits: Tensor, batch: MixedBatch) -> Tensor:
        """Return the loss of logits [T, N, K], a scalar."""
        ...


def make_objective(settings: TrainingConfig, manifest: Manifest, device: torch.device) -> Objective:
    """Return the objective of a training on a data set and a device."""
    made: Objective = registry.load("objective", settings.objective).Objective(
        settings, manifest, device
    )
    return made
