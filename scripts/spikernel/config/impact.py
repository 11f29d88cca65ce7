"""Settings of step 1, kernel_impact."""

from typing import Literal

from pydantic import model_validator

from spikernel.config.base import KernelSizes, Seeds, StrictModel
from spikernel.config.problems import fault
from spikernel.config.training import TrainingConfig

Control = Literal["plain", "iso_parameter"]
EdgeRole = Literal["conv", "zero", "skip", "avg"]


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
            raise fault(
                "kernel_sizes must hold 3, the size all others are compared with", "kernel_sizes"
            )
        if not self.controls or len(set(self.controls)) != len(self.controls):
            raise fault("controls must name at least one control and none twice", "controls")
        if "conv" not in self.reference_cell:
            raise fault("reference_cell needs at least one conv edge", "reference_cell")
        return self
