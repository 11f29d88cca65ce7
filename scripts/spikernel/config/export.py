"""Settings of step 6, export."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from spikernel.config.base import StrictModel, named_once


class ExportConfig(StrictModel):
    """Step 6: the model chosen for a memory budget, as files for devices (docs/export.md)."""

    enabled: bool = True
    """Make the files together with the report."""
    memory_budget_mb: float | None = Field(default=None, gt=0)
    """Budget of `tradeoff_report/memory_budgets_mb` whose model is exported; default: the largest
    one that a model meets."""
    c_weights: Annotated[tuple[Literal["int8", "float"], ...], AfterValidator(named_once)] = (
        "int8",
    )
    """Number formats of the weights for which C code is made."""
    c_prefix: str = Field(default="spk", pattern=r"^[a-z][a-z0-9]*$")
    """Begins every function and macro of the C code; two models in one program need two."""
    images: int = Field(default=1000, ge=1)
    """Test images on which every export is compared with the trained model: the first, or evenly
    spaced ones where these lack classes."""
