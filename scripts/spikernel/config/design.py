"""Settings of step 2, kernel_set_design."""

from typing import Annotated

from pydantic import Field

from spikernel.config.base import KernelSizes, StrictModel


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
