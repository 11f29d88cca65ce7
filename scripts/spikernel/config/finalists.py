"""Settings of the brief trainings of step 3, nas_search."""

import itertools
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from spikernel.config.base import Seed, Seeds, StrictModel
from spikernel.config.problems import fault
from spikernel.config.training import TrainingConfig

_UNFIT = {"epochs", "phases", "tensorboard", "initial_weights"}
"""Settings of a training that suit one cell alone, or other epochs than those of the rungs."""


def _rising(epochs: tuple[int, ...]) -> tuple[int, ...]:
    if not epochs or epochs[0] < 1 or any(a >= b for a, b in itertools.pairwise(epochs)):
        raise ValueError(f"must list rising numbers of epochs, got {list(epochs)}")
    return epochs


class FinalistConfig(StrictModel):
    """Successive halving: all finalists are trained briefly, then the better ones for longer."""

    beside: int = Field(default=4, ge=0)
    """Cells beside the best by score, drawn from all depths, numbers of convolutions and numbers of
    parameters: what the score is wrong about may be among them."""
    draw_seed: Seed = 0
    """Seed of that draw."""
    rungs: Annotated[tuple[int, ...], AfterValidator(_rising)] = (2, 8)
    """Epochs of each rung. Every rung trains anew, with a schedule of its own length."""
    reduction_factor: int = Field(default=4, ge=2)
    """One in so many finalists of a rung goes on to the next, at least one."""
    seeds: Seeds = (0, 1)
    """Seeds of weights and batches, the same for all finalists; their mean accuracy counts."""
    shards: int = Field(default=1, ge=1)
    """Jobs that the trainings of each rung are spread over; the ranking is the same."""
    training: TrainingConfig = TrainingConfig(recipe="engine")
    """How they are trained, for as many epochs as `rungs` says; default: recipe `engine`, which has
    to be named beside any other key."""

    @model_validator(mode="after")
    def _check(self) -> "FinalistConfig":
        for name in sorted(self.training.model_fields_set & _UNFIT):
            raise fault(
                "is not for finalists, which have different cells and the epochs of rungs: "
                "remove it",
                *("training", name),
            )
        return self
