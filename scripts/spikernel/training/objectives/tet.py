"""Temporal efficient training (Deng et al., ICLR 2022), without its second term."""

import torch
from torch import Tensor
from torch.nn import functional as F

from spikernel.config import TrainingConfig
from spikernel.data.manifest import Manifest
from spikernel.training.mixing import MixedBatch

READS_STEPS = True


class Objective:
    """Mean over T of the cross-entropy of each time step of logits [T, N, K]."""

    def __init__(
        self, settings: TrainingConfig, _manifest: Manifest, _device: torch.device
    ) -> None:
        self._smoothing = settings.label_smoothing

    def __call__(self, logits: Tensor, batch: MixedBatch) -> Tensor:
        """Return the loss of a batch."""

        def loss(labels: Tensor) -> Tensor:
            repeated = labels.expand(len(logits), -1).flatten()
            return F.cross_entropy(logits.flatten(0, 1), repeated, label_smoothing=self._smoothing)

        return batch.weigh(loss)
