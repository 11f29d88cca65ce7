"""Settings of step 5, tradeoff_report."""

from typing import Annotated, Literal

from pydantic import Field

from spikernel.config.base import StrictModel


class ReportConfig(StrictModel):
    """Step 5: the trade-off between accuracy and memory."""

    memory_budgets_mb: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(1.0, 4.0, 10.0, 40.0), min_length=1
    )
    """Memory budgets in MB (10^6 bytes) for each of which the best model is selected."""
    flash_budgets_kb: tuple[Annotated[float, Field(gt=0)], ...] = (
        *(32.0, 64.0, 128.0, 256.0, 512.0),
        *(1024.0, 2048.0),
    )
    """Sizes of flash in kB (1,000 bytes), for the constants of the int8 model, for each of which
    the best int8 model is selected; the code of a model comes on top."""
    ram_budgets_kb: tuple[Annotated[float, Field(gt=0)], ...] = (
        *(16.0, 32.0, 64.0, 128.0, 256.0),
        *(512.0, 1024.0),
    )
    """Sizes of RAM in kB (1,000 bytes), for the static memory of the int8 C code, for each of which
    the best int8 model is selected; the stack and the image come on top."""
    precision: Literal["fp32", "int8"] = "fp32"
    """Number format whose memory counts for the budgets, the front and the figure."""
    published_points: bool = True
    """Show published results, marked as such, beside the measured ones."""
