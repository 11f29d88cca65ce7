"""Which kernel sets have a cell that meets the budget of the search. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.errors import BudgetError
from spikernel.search.strategies import Space
from spikernel.space.architecture import ImageShape


@dataclass(frozen=True)
class Bounds:
    """What a set's cells have to fit: the budget of the search, around them this net."""

    search: SearchConfig
    network: NetworkConfig
    images: ImageShape

    def check(self, sizes: Sequence[int]) -> None:
        """Check that a cell of a set meets the budget.

        Raises:
            BudgetError: not even the smallest does.

        """
        try:
            Space.of(self.search, sizes, self.network, self.images)
        except BudgetError as error:
            raise BudgetError(f"kernel set {list(sizes)}: {error}") from None

    def hold(self, sizes: Sequence[int]) -> bool:
        """Whether a cell of a set meets the budget."""
        try:
            self.check(sizes)
        except BudgetError:
            return False
        return True
