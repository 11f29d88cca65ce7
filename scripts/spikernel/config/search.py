"""Settings of step 3, nas_search."""

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from spikernel.config.base import PartOf, Seed, StrictModel, named_once
from spikernel.config.finalists import FinalistConfig
from spikernel.config.problems import fault


def _thresholds(values: tuple[float, ...]) -> tuple[float, ...]:
    written = {f"{value:.6f}" for value in values}  # as the names of operations hold them
    if len(written) != len(values) or not all(5e-7 <= value < math.inf for value in values):
        raise ValueError(
            f"must list positive thresholds, none twice in six decimals, got {list(values)}"
        )
    return values


class Budget(StrictModel):
    """Upper bounds that a searched architecture must meet; none by default."""

    max_params: int | None = Field(default=None, ge=1)
    """Trainable parameters."""
    max_memory_mb: float | None = Field(default=None, gt=0)
    """Memory of the weights in MB (10^6 bytes) at `precision`."""
    precision: Literal["fp32", "fp16", "int8"] = "fp32"
    """Number format of the weights for `max_memory_mb`."""
    width: float = Field(default=1.0, ge=1, le=100)
    """Multiple of `network/channels` at which the bounds hold: the largest of `train_final/widths`,
    so that the final nets meet them, too."""
    fill: bool = False
    """Give every cell the most channels with which its net meets the bounds, in place of
    `network/channels`: cells compete at equal memory, and what one saves goes into width. The
    score is then `predicted_accuracy`, which is made for that, where none is named."""

    @model_validator(mode="after")
    def _check(self) -> "Budget":
        if self.fill and self.max_params is None and self.max_memory_mb is None:
            raise fault("there is nothing to fill: set max_params or max_memory_mb", "fill")
        return self


class SearchConfig(StrictModel):
    """Step 3: search over the cells of one kernel set, without training."""

    strategy: Literal["random", "exhaustive", "evolution"] = "random"
    """`random`: `iterations` samples as in the papers. `exhaustive`: every distinct cell.
    `evolution`: `iterations` cells, bred from the best of the recent ones; for sets whose cells
    are too many to score."""
    iterations: int = Field(default=1000, ge=1)
    """Samples of `random` (SpiKernel 1000, SNASNet 5000), or distinct cells of `evolution`."""
    prefilter: int | None = Field(default=None, ge=1)
    """Score exactly only this many cells: those whose first cell alone scores best, which costs
    little for all cells together (docs/search.md). Not for `evolution`, nor for scores that run no
    net."""
    shards: int = Field(default=1, ge=1)
    """Jobs that one search is split into; the ranking is the same. Not for `evolution`."""
    population: int = Field(default=50, ge=2)
    """Cells of `evolution` that may be parents, the latest ones."""
    tournament: int = Field(default=10, ge=1)
    """Of how many random ones among them the best becomes a parent."""
    cells: Literal["forward", "feedback"] = "forward"
    """`feedback` lets an edge lead back to an earlier node at the next time step."""
    operations: Annotated[
        tuple[Literal["zero", "skip", "avg"], ...], AfterValidator(named_once)
    ] = ("zero", "skip", "avg")
    """Edge operations beside the convolutions of the kernel set."""
    thresholds: Annotated[tuple[float, ...], AfterValidator(_thresholds)] = ()
    """Thresholds that the neurons before each convolution may have, for instance [0.5, 1.0, 1.5];
    none: that of the network everywhere. They cost no parameters."""
    score: Annotated[str, PartOf("score")] = "rising_path"
    """`rising_path`: depth of the cell's best path by kernel sizes, and the rise of the threshold
    along it, from the graph alone; `longest_convolution_path` and `convolutions_after_clean_up`
    only count. `predicted_accuracy`: by what trained cells reached at equal width or, with
    `budget/fill`, whose default it is, at equal memory. `sahd_half_n` and `sahd_half`:
    sparsity-aware Hamming distance of spikes on images, as published, with alpha = 0.5 N (first) or
    0.5 (later). docs/proxy.md and docs/kernel-cells.md compare them."""
    batch_size: int = Field(default=256, ge=2)
    """B, images per mini-batch of the score."""
    batches: int = Field(default=2, ge=1)
    """Mini-batches whose scores are averaged."""
    seed: Seed = 0
    """Seed of the samples, the shared weights and the mini-batches."""
    budget: Budget = Budget()
    """Bounds on the candidates, applied before anything is scored."""
    finalists: int | None = Field(default=None, ge=1)
    """Train this many of the best by score, and some others, briefly, and rank them by validation
    accuracy (docs/search.md); default: the score alone decides."""
    finalist_training: FinalistConfig | None = None
    """How the finalists are trained; default: as the defaults of its keys say."""

    @model_validator(mode="after")
    def _check(self) -> "SearchConfig":
        if self.budget.fill and "score" not in self.model_fields_set:
            # The model is frozen from here on.
            object.__setattr__(self, "score", "predicted_accuracy")
        if self.finalist_training is not None and self.finalists is None:
            raise fault(
                "says how finalists are trained, but there are none: set nas_search/finalists",
                "finalist_training",
            )
        if self.strategy == "evolution" and (self.shards > 1 or self.prefilter is not None):
            raise fault("evolution goes step by step: remove shards and prefilter", "strategy")
        if self.prefilter is None:
            return self
        if self.cells == "feedback":
            raise fault(
                "the prefilter knows forward cells only: remove prefilter or feedback", "prefilter"
            )
        if self.strategy == "random" and self.prefilter > self.iterations:
            raise fault(
                f"prefilter is {self.prefilter}, but only {self.iterations} cells are drawn, so it "
                "would leave none out: lower it, or raise iterations",
                "prefilter",
            )
        return self
