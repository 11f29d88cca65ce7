"""Settings of the steps that do not train: kernel_impact to tradeoff_report, and export."""

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from spikernel.config.base import KernelSizes, Seed, StrictModel
from spikernel.config.training import TrainingConfig

Control = Literal["plain", "iso_parameter"]
EdgeRole = Literal["conv", "zero", "skip", "avg"]


def _distinct(values: tuple[int, ...]) -> tuple[int, ...]:
    if not values or len(set(values)) != len(values):
        raise ValueError(f"must list at least one value and none twice, got {list(values)}")
    return values


def _named_once(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError(f"must name nothing twice, got {list(values)}")
    return values


def _thresholds(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(set(values)) != len(values) or not all(0 < value < math.inf for value in values):
        raise ValueError(f"must list positive thresholds, none twice, got {list(values)}")
    return values


Seeds = Annotated[tuple[Seed, ...], AfterValidator(_distinct)]


class Budget(StrictModel):
    """Upper bounds that a searched architecture must meet; none by default."""

    max_params: int | None = Field(default=None, ge=1)
    """Trainable parameters."""
    max_memory_mb: float | None = Field(default=None, gt=0)
    """Memory of the weights in MB (10^6 bytes) at `precision`."""
    precision: Literal["fp32", "fp16", "int8"] = "fp32"
    """Number format of the weights for `max_memory_mb`."""


class ImpactConfig(StrictModel):
    """Step 1: accuracy of a reference net whose convolutions all have one kernel size."""

    kernel_sizes: KernelSizes = (1, 3, 5, 7)
    """Kernel sizes under test; it must hold 3, which both controls share."""
    controls: tuple[Control, ...] = ("plain", "iso_parameter")
    """`plain`: same width, so parameters grow with the kernel. `iso_parameter`: width scaled so
    that the parameters match the net with 3x3 kernels."""
    seeds: Seeds = (0, 1, 2)
    """Seeds of each net's weights and batches."""
    reference_cell: tuple[EdgeRole, EdgeRole, EdgeRole, EdgeRole, EdgeRole, EdgeRole] = (
        "conv", "zero", "skip", "conv", "zero", "conv",
    )  # fmt: skip
    """Operations on the edges 01, 02, 03, 12, 13, 23; `conv` has the size under test. The default
    is a chain of three convolutions beside a direct connection."""
    training: TrainingConfig = TrainingConfig()
    """How the nets are trained."""

    @model_validator(mode="after")
    def _check(self) -> "ImpactConfig":
        if 3 not in self.kernel_sizes:
            raise ValueError("kernel_sizes must hold 3, the size all others are compared with")
        if not self.controls or len(set(self.controls)) != len(self.controls):
            raise ValueError("controls must name at least one control and none twice")
        if "conv" not in self.reference_cell:
            raise ValueError("reference_cell needs at least one conv edge")
        return self


class DesignConfig(StrictModel):
    """Step 2: which sets of kernel sizes the search may combine."""

    sizes_per_set: tuple[Annotated[int, Field(ge=1, le=4)], ...] = (2, 3)
    """How many sizes a designed set may hold."""
    keep: int = Field(default=6, ge=1)
    """How many designed sets are kept; the paper uses six."""
    baseline: KernelSizes = (1, 3)
    """Set that is always searched as well; SNASNet's is {1, 3}."""
    fixed: tuple[KernelSizes, ...] = ()
    """Sets to search instead of designed ones; the evidence is still reported for each."""


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
    little for all cells together (docs/search.md). Not for `evolution`."""
    shards: int = Field(default=1, ge=1)
    """Jobs that one search is split into; the ranking is the same. Not for `evolution`."""
    population: int = Field(default=50, ge=2)
    """Cells of `evolution` that may be parents, the latest ones."""
    tournament: int = Field(default=10, ge=1)
    """Of how many random ones among them the best becomes a parent."""
    cells: Literal["forward", "feedback"] = "forward"
    """`feedback` lets an edge lead back to an earlier node at the next time step."""
    operations: tuple[Literal["zero", "skip", "avg"], ...] = ("zero", "skip", "avg")
    """Edge operations beside the convolutions of the kernel set."""
    thresholds: Annotated[tuple[float, ...], AfterValidator(_thresholds)] = ()
    """Thresholds that the neurons before each convolution may have, for instance [0.5, 1.0, 1.5];
    none: that of the network everywhere. They cost no parameters."""
    score: Literal["rising_path", "sahd_half_n", "sahd_half"] = "rising_path"
    """`rising_path`: depth of the cell's best path by kernel sizes, and the rise of the threshold
    along it, from the graph alone. `sahd_half_n` and `sahd_half`: sparsity-aware Hamming distance
    of spikes on images, as published, with alpha = 0.5 N (first) or 0.5 (later). docs/proxy.md
    compares them."""
    batch_size: int = Field(default=256, ge=2)
    """B, images per mini-batch of the score."""
    batches: int = Field(default=2, ge=1)
    """Mini-batches whose scores are averaged."""
    seed: Seed = 0
    """Seed of the samples, the shared weights and the mini-batches."""
    budget: Budget = Budget()
    """Bounds on the candidates, applied before anything is scored."""

    @model_validator(mode="after")
    def _check(self) -> "SearchConfig":
        if self.strategy == "evolution" and (self.shards > 1 or self.prefilter is not None):
            raise ValueError("evolution goes step by step: remove shards and prefilter")
        if self.score == "rising_path" and self.prefilter is not None:
            raise ValueError(
                "rising_path costs nothing: remove prefilter, or set score: sahd_half_n"
            )
        if self.cells == "feedback" and self.prefilter is not None:
            raise ValueError("the prefilter knows forward cells only: remove prefilter or feedback")
        return self


class ReportConfig(StrictModel):
    """Step 5: the trade-off between accuracy and memory."""

    memory_budgets_mb: tuple[Annotated[float, Field(gt=0)], ...] = (1.0, 4.0, 10.0, 40.0)
    """Memory budgets in MB (10^6 bytes) for each of which the best model is selected."""
    precision: Literal["fp32", "int8"] = "fp32"
    """Number format whose memory counts for the budgets, the front and the figure."""
    published_points: bool = True
    """Show published results, marked as such, beside the measured ones."""


class ExportConfig(StrictModel):
    """Step 6: the model chosen for a memory budget, as files for devices (docs/export.md)."""

    enabled: bool = True
    """Make the files together with the report."""
    memory_budget_mb: float | None = Field(default=None, gt=0)
    """Budget of `tradeoff_report/memory_budgets_mb` whose model is exported; default: the largest
    one that a model meets."""
    c_weights: Annotated[tuple[Literal["int8", "float"], ...], AfterValidator(_named_once)] = (
        "int8",
    )
    """Number formats of the weights for which C code is made."""
    images: int = Field(default=1000, ge=1)
    """Test images, from the first, on which every export is compared with the trained model."""
