"""Settings of step 4, train_final, and what its models are called."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag

from spikernel.config.base import Seeds, StrictModel, distinct
from spikernel.config.training import TrainingConfig

Width = Annotated[float, Field(ge=0.01, le=100)]
Widths = Annotated[tuple[Width, ...], AfterValidator(distinct)]
BASE: tuple[float, ...] = (1.0,)


class FinalConfig(StrictModel):
    """Step 4: training of the best candidates of every search."""

    ranks: int = Field(default=1, ge=1)
    """How many of the best candidates of each kernel set are trained."""
    # Only the branch that was meant is tried, so that an error message is about that one.
    widths: Annotated[
        Annotated[Widths, Tag("of all")] | Annotated[dict[str, Widths], Tag("by set")],
        Discriminator(lambda given: "by set" if isinstance(given, dict) else "of all"),
    ] = BASE
    """Widths at which each of them is trained, as multiples of `network/channels`: several, for
    instance [0.5, 1, 2], give a curve of accuracy against memory. Or by kernel set, for instance
    {design-1: [0.5, 1, 2]}, where a set that is not named has width 1. Kernel impact, search and
    finalists stay at width 1, so ranks order cells, not widths."""
    seeds: Seeds = (0,)
    """Seeds of each model's weights and batches."""
    training: TrainingConfig = TrainingConfig()
    """How the models are trained."""

    def widths_of(self, kernel_set: str) -> tuple[float, ...]:
        """Return the widths at which the cells of a kernel set are trained."""
        if isinstance(self.widths, tuple):
            return self.widths
        return self.widths.get(kernel_set, BASE)


def width_suffix(width: float) -> str:
    """Return what a width adds to `rank-1` in paths: `_width-0.5`, and nothing for width 1."""
    return "" if width == 1 else f"_width-{width:g}"


def model_name(rank: int, width: float) -> str:
    """Return a model of a kernel set in words: `rank 1`, or `rank 1 width 0.5`."""
    return f"rank {rank}" if width == 1 else f"rank {rank} width {width:g}"


def width_of(metrics: Mapping[str, Any]) -> float:
    """Return the width that `metrics.json` names; older ones are of nets of width 1."""
    return float(metrics.get("width", 1))
