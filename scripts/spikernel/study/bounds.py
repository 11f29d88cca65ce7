"""Whether a kernel set has a cell that meets the budget, and how many it has. No torch."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from spikernel.config import DesignConfig, NetworkConfig, SearchConfig
from spikernel.errors import BudgetError, ConfigError
from spikernel.search.strategies import Space, check_listable, smallest_cells
from spikernel.space.architecture import ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import CellCounter
from spikernel.space.enumeration import canonical_cells, count_cells

MOST_CELLS = 10_000
"""Cells that are drawn, or listed, to count candidates; it takes a part of a second."""


@dataclass(frozen=True)
class Bounds:
    """What a set's cells have to fit: the budget of the search, around them this net."""

    search: SearchConfig
    network: NetworkConfig
    images: ImageShape

    def check(self, sizes: Sequence[int]) -> None:
        """Check that a set can be searched, and that a cell of it meets the budget.

        Raises:
            BudgetError: not even the smallest does.
            ConfigError: there are too many to list for an exhaustive search.

        """
        try:
            space = self._space(sizes)
        except BudgetError as error:
            raise BudgetError(f"kernel set {list(sizes)}: {error}") from None
        if self.search.strategy == "exhaustive":
            try:
                check_listable(space.operations, space.cells)
            except ConfigError as error:
                raise ConfigError(f"kernel set {list(sizes)}: {error}") from None

    def hold(self, sizes: Sequence[int]) -> bool:
        """Whether a cell of a set meets the budget."""
        try:
            self.check(sizes)
        except BudgetError:
            return False
        return True

    def designable(self, design: DesignConfig, measured: Sequence[int]) -> list[tuple[int, ...]]:
        """Return the sets of measured sizes, beside the baseline, that have a cell in budget."""
        return [
            sizes
            for count in sorted(set(design.sizes_per_set))
            for sizes in itertools.combinations(sorted(measured), count)
            if sizes != design.baseline and self.hold(sizes)
        ]

    def smallest_params(self, sizes: Sequence[int]) -> int:
        """Return the parameters of the smallest net of a set, within the budget or not."""
        counter = CellCounter(self.network, self.images)
        return min(map(counter.total, smallest_cells(self.search, sizes, self.network)))

    def candidates(self, sizes: Sequence[int], wanted: int) -> int:
        """Return how many candidates the search of a set ranks at most, counted up to `wanted`.

        Where counting takes long, they are taken to be enough. A candidate whose score is not
        finite gets no rank, which is not known before.

        Raises:
            BudgetError: no cell of the set meets the budget.

        """
        search, space = self.search, self._space(sizes)
        most = min(wanted, search.prefilter or wanted)
        if search.strategy != "exhaustive":
            most = min(most, search.iterations)
        # In the order of a random search, so that its repeated draws count as there.
        generator, samples = random.Random(search.seed), 0
        found: set[Cell] = set()
        for _ in range(MOST_CELLS):
            cell = space.draw(generator)
            if space.fits(cell):
                found.add(cell)
                samples += 1
            if len(found) == most or (search.strategy, samples) == ("random", search.iterations):
                return len(found)
        if count_cells(space.operations, space.cells).canonical > MOST_CELLS:
            return most
        return min(most, sum(map(space.fits, canonical_cells(space.operations, space.cells))))

    def _space(self, sizes: Sequence[int]) -> Space:
        return Space.of(self.search, sizes, self.network, self.images)
