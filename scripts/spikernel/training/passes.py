"""An epoch that is in progress."""

from typing import Any

import torch
from torch import Tensor

from spikernel.provenance import Stopwatch


class Pass:
    """A pass over the training images, and how far it is.

    Attributes:
        epoch: its number, from 1.
        order: of the images, [images].
        losses: of every batch, [batches]; those to come are 0.
        correct: predictions that were right so far, a scalar.
        step: batches that are done.

    """

    def __init__(self, epoch: int, order: Tensor, batches: int) -> None:
        self.epoch = epoch
        self.order = order
        self.losses = torch.zeros(batches, device=order.device)
        self.correct = torch.zeros((), device=order.device)
        self.step = 0
        self._before = 0.0
        self._watch = Stopwatch()

    def seconds(self) -> float:
        """Return the time it took so far, parts before an interruption included."""
        return self._before + self._watch.seconds()

    def state(self) -> dict[str, Any]:
        """Return what `restored` needs."""
        return {
            "epoch": self.epoch,
            "order": self.order,
            "losses": self.losses,
            "correct": self.correct,
            "step": self.step,
            "seconds": self.seconds(),
        }

    @classmethod
    def restored(cls, state: dict[str, Any], device: torch.device) -> "Pass":
        """Return the pass that a state was taken from, on a device."""
        found = cls(state["epoch"], state["order"].to(device), len(state["losses"]))
        found.losses.copy_(state["losses"])
        found.correct.copy_(state["correct"])
        found.step, found._before = state["step"], state["seconds"]
        return found
