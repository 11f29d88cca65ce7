"""Accuracy of a net on a split."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from spikernel.data.splits import Split
from spikernel.training.augment import Augmenter

EVALUATION_BATCH = 256


def to_device(split: Split, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return a split's images (uint8 [N, C, H, W]) and labels [N], whole, on the device."""
    images = torch.from_numpy(np.array(split.images))
    return images.to(device), torch.from_numpy(np.array(split.labels)).to(device)


def normalised_batches(images: Tensor, augmenter: Augmenter) -> Iterator[Tensor]:
    """Yield normalised batches of uint8 images, without augmentation."""
    for batch in images.split(EVALUATION_BATCH):
        yield augmenter.normalise(batch)


@torch.no_grad()
def accuracy_percent(net: nn.Module, images: Tensor, labels: Tensor, augmenter: Augmenter) -> float:
    """Return the share of correct predictions (largest time mean of the logits) in percent."""
    was_training = net.training
    net.eval()
    correct = torch.zeros((), device=labels.device)
    for batch, truth in zip(
        normalised_batches(images, augmenter), labels.split(EVALUATION_BATCH), strict=True
    ):
        correct += (net(batch).mean(0).argmax(1) == truth).sum()
    net.train(was_training)
    return 100 * float(correct) / len(labels)
