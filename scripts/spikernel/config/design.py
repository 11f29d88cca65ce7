"""Settings of step 2, kernel_set_design."""

from typing import Annotated

from pydantic import AfterValidator, Field

from spikernel.config.base import KernelSizes, StrictModel


def _none_twice(sets: tuple[KernelSizes, ...]) -> tuple[KernelSizes, ...]:
    for sizes in sets:
        if sets.count(sizes) > 1:
            raise ValueError(f"must name no set twice, got {list(sizes)} {sets.count(sizes)} times")
    return sets


class DesignConfig(StrictModel):
    """Step 2: which sets of kernel sizes the search may combine."""

    sizes_per_set: tuple[Annotated[int, Field(ge=1, le=4)], ...] = (2, 3)
    """How many sizes a designed set may hold."""
    keep: int = Field(default=6, ge=1)
    """How many designed sets are kept; the paper uses six."""
    baseline: KernelSizes = (1, 3)
    """Set that is always searched as well; SNASNet's is {1, 3}."""
    fixed: Annotated[tuple[KernelSizes, ...], AfterValidator(_none_twice)] = ()
    """Sets to search instead of designed ones; the evidence is still reported for each."""
