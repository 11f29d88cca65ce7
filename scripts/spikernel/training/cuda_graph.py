"""A training step as one CUDA graph, which the host queues at once instead of kernel by kernel.

A step of a net of this project is some 600 kernels, and queueing them takes longer than they run:
docs/training.md has the figures.
"""

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from spikernel.network.blocks import SequenceDropout
from spikernel.training.mixing import MixedBatch
from spikernel.training.muon import Muon
from spikernel.training.phases import Phase

log = logging.getLogger(__name__)
WARM_STEPS = 11
"""Steps before the capture. They make what lives as long as the training, such as momenta, and let
cuDNN choose its convolutions, neither of which may happen within a capture."""

Learn = Callable[[MixedBatch], tuple[Tensor, Tensor]]
"""Trains on a batch, and returns the loss and the number of correct predictions."""


def can_be_graph(
    phase: Phase, optimiser: torch.optim.Optimizer, objective: object, device: torch.device
) -> bool:
    """Whether the steps of a phase can be a graph.

    Random masks would be the same in every replay, and so would what a part counts in Python; of
    the optimisers, Muon takes learning rates from the device's memory, where a graph reads them
    anew.
    """
    modules = list(phase.net.modules())
    masked = any(dropout.probability > 0 for dropout in phase.net.dropouts())
    drawn = any(hasattr(m, "generator") and not isinstance(m, SequenceDropout) for m in modules)
    pure = all(getattr(part, "graphable", True) for part in (objective, *modules))
    fits = pure and not (masked or drawn or phase.by_rates)
    return device.type == "cuda" and isinstance(optimiser, Muon) and fits


class GraphedStep:
    """Trains on batches of one size: the first ones kernel by kernel, then as a graph.

    Batches of another size, such as the last of an epoch, are always trained kernel by kernel. So
    are all where the capture fails, which is logged.

    Args:
        learn: what a step does, on the device alone.
        optimiser: of it.
        batch_size: images of a batch that is a graph.

    """

    def __init__(self, learn: Learn, optimiser: torch.optim.Optimizer, batch_size: int) -> None:
        self._learn, self._optimiser, self._size = learn, optimiser, batch_size
        self._stream = torch.cuda.Stream()
        self._warm = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, batch: MixedBatch) -> tuple[Tensor, Tensor]:
        """Train on a batch; see `Learn`. What it returns is overwritten by the next call."""
        if len(batch.images) != self._size or self._warm < 0:
            return self._learn(batch)
        if self._warm < WARM_STEPS:
            self._warm += 1
            return self._aside(batch)
        if self._graph is None and not self._capture(batch):
            return self._learn(batch)
        assert self._graph is not None
        for place, value in zip(self._inputs(self._batch), self._inputs(batch), strict=True):
            place.copy_(value)
        self._share.fill_(batch.share)
        for place, group in zip(self._rates, self._optimiser.param_groups, strict=True):
            place.fill_(group["lr"])
        self._graph.replay()
        return self._found

    @staticmethod
    def _inputs(batch: MixedBatch) -> tuple[Tensor, ...]:
        return batch.images, batch.labels, batch.partner_labels

    def _aside(self, batch: MixedBatch) -> tuple[Tensor, Tensor]:
        """Train on the stream of the capture, which PyTorch wants to know the gradients' memory."""
        main = torch.cuda.current_stream()
        self._stream.wait_stream(main)
        with torch.cuda.stream(self._stream):
            found = self._learn(batch)
        main.wait_stream(self._stream)
        return found

    def _capture(self, batch: MixedBatch) -> bool:
        """Record a step, without doing it; return whether that could be done."""
        device, groups = batch.images.device, self._optimiser.param_groups
        self._share = torch.ones((), device=device)
        images, labels, partner_labels = (value.clone() for value in self._inputs(batch))
        self._batch = MixedBatch(images, labels, partner_labels, self._share)
        given = [group["lr"] for group in groups]
        self._rates = [torch.zeros((), device=device) for _ in groups]
        for group, rate in zip(groups, self._rates, strict=True):
            group["lr"] = rate
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=self._stream):
                self._found = self._learn(self._batch)
            self._graph = graph
        except RuntimeError as error:
            log.warning("a training step could not be captured as a CUDA graph: %s", error)
            self._warm = -1
        finally:
            for group, value in zip(groups, given, strict=True):
                group["lr"] = value
        return self._graph is not None
