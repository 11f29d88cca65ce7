"""Losses over the outputs of all time steps. Shapes: T time, N batch, K classes."""

from torch import Tensor
from torch.nn import functional as F

from spikernel.config import TrainingConfig
from spikernel.training.mixing import MixedBatch


def sequence_loss(logits: Tensor, labels: Tensor, settings: TrainingConfig) -> Tensor:
    """Cross-entropy of logits [T, N, K] with labels [N].

    `mean`: of the time mean of the logits (SNASNet). `tet`: the mean over time of each step's
    cross-entropy (temporal efficient training, Deng et al., ICLR 2022, without its second term).
    """
    smoothing = settings.label_smoothing
    if settings.loss == "mean":
        return F.cross_entropy(logits.mean(0), labels, label_smoothing=smoothing)
    repeated = labels.expand(len(logits), -1).flatten()
    return F.cross_entropy(logits.flatten(0, 1), repeated, label_smoothing=smoothing)


def mixed_loss(logits: Tensor, batch: MixedBatch, settings: TrainingConfig) -> Tensor:
    """Loss of a mixed batch: both labels, each by its share of the image."""
    own = sequence_loss(logits, batch.labels, settings)
    if batch.share == 1:
        return own
    other = sequence_loss(logits, batch.partner_labels, settings)
    return batch.share * own + (1 - batch.share) * other
