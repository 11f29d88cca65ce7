"""Cross-entropy of the time mean of the outputs, as in SNASNet."""

import torch
from torch import Tensor
from torch.nn import functional as F

from spikernel.config import TrainingConfig
from spikernel.data.manifest import Manifest
from spikernel.training.mixing import MixedBatch


class Objective:
    """Cross-entropy of the mean of logits [T, N, K] over T."""

    def __init__(
        self, settings: TrainingConfig, _manifest: Manifest, _device: torch.device
    ) -> None:
        self._smoothing = settings.label_smoothing

    def __call__(self, logits: Tensor, batch: MixedBatch) -> Tensor:
        """Return the loss of a batch."""
        return batch.weigh(
            lambda labels: F.cross_entropy(logits.mean(0), labels, label_smoothing=self._smoothing)
        )
