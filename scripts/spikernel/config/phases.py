"""Settings of the phases of a training."""

from typing import Annotated, Literal

from pydantic import Field

from spikernel.config.base import PartOf, StrictModel


class PhaseConfig(StrictModel):
    """One phase of a training. What is not given is as in the section around it.

    Weights go from phase to phase; the optimiser and the schedule of the learning rate start anew.
    The net that is evaluated after every epoch and kept is the one that `network` describes, on
    images of full size.
    """

    epochs: int = Field(ge=1)
    """Passes over the training split."""
    time_steps: int | None = Field(default=None, ge=1, le=64)
    """T in this phase; default: that of `network`."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Peak learning rate; those of norms and head, where they are given, change in proportion."""
    neuron: Annotated[str, PartOf("neuron")] | None = None
    """Neurons in this phase; default: those of `network`. They must have the same parameters."""
    image_size: int | None = Field(default=None, ge=1)
    """Side in pixels to which the images are shrunk; default: not at all."""
    gradient: Literal["time", "rate"] = "time"
    """`time`: backpropagation through all time steps. `rate`: once, through the mean firing rates
    over T steps of binary spikes (Yu et al., NeurIPS 2024), for about half the work at T = 4."""
    freeze: tuple[str, ...] = ()
    """Leading modules of the net that are no longer trained, for instance [stem, cell1]."""
