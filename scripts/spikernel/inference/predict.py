"""Predictions of a net, and their accuracy on a split."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from spikernel.data.splits import Split
from spikernel.inference.normaliser import Normaliser
from spikernel.network.measured import evaluated
from spikernel.network.spiking_net import SpikingNet
from spikernel.network.unrolled import unrolled

EVALUATION_BATCH = 256


def to_device(split: Split, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return a split's images (uint8 [N, C, H, W]) and labels [N], whole, on the device."""
    images = torch.from_numpy(np.array(split.images))
    return images.to(device), torch.from_numpy(np.array(split.labels)).to(device)


def normalised_batches(images: Tensor, normalise: Normaliser) -> Iterator[Tensor]:
    """Yield normalised batches of uint8 images."""
    for batch in images.split(EVALUATION_BATCH):
        yield normalise(batch)


def mean_logits(net: nn.Module, batches: Iterable[Tensor]) -> Tensor:
    """Return the time means of the logits, [N, classes], of a net in evaluation mode.

    Args:
        net: normalised images [B, C, H, W] to logits [T, B, classes]; its mode is put back.
        batches: of normalised images.

    """
    with evaluated(net):
        return torch.cat([net(batch).mean(0) for batch in batches])


def accuracy_percent(
    net: nn.Module, images: Tensor, labels: Tensor, normalise: Normaliser
) -> float:
    """Return the share of correct predictions (largest time mean of the logits) in percent."""
    return _percent(mean_logits(net, normalised_batches(images, normalise)), labels)


def binary_accuracy_percent(
    net: SpikingNet, images: Tensor, labels: Tensor, normalise: Normaliser
) -> float:
    """Return the accuracy of the binary spikes that a net stands for, in percent."""
    return _percent(binary_logits(net, images, normalise), labels)


def binary_logits(net: SpikingNet, images: Tensor, normalise: Normaliser) -> Tensor:
    """Return the time means of the logits, [N, classes], of the binary spikes of a net.

    For integer neurons that is the simulation of their binary steps, layer by layer, which is one
    pass but for rounding; for others it is the pass itself.
    """
    with evaluated(net), unrolled(net) as steps:
        batches = normalised_batches(images, normalise)
        return torch.cat([net(batch, steps).mean(0) for batch in batches])


def _percent(logits: Tensor, labels: Tensor) -> float:
    return 100 * float((logits.argmax(1) == labels).sum()) / len(labels)
