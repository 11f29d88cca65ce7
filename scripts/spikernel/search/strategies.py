"""Which cells a search looks at: all of them, or random samples; always within the budget."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from spikernel.config import Budget, NetworkConfig, SearchConfig
from spikernel.errors import BudgetError, ConfigError
from spikernel.search.paths import forward_paths
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import CellCounter, memory_mb, most_channels
from spikernel.space.enumeration import (
    CellKind,
    canonical_cells,
    count_cells,
    draw_cell,
    smallest_cell,
)
from spikernel.space.macro import scaled
from spikernel.space.operations import AVG, operation_set

MAX_DRAWS_PER_SAMPLE = 1000
"""A random search whose budget rejects more draws than this per sample is stopped."""

MAX_ENUMERATED = 2_000_000
"""Distinct cells up to which `exhaustive` lists them all, which takes seconds and about 2 GB."""


@dataclass(frozen=True)
class Plan:
    """The distinct cells to score, in order, and how many samples they stand for."""

    cells: list[Cell]
    evaluated: int


@dataclass(frozen=True)
class Space:
    """The cells of one kernel set that a search may look at."""

    operations: tuple[str, ...]
    cells: CellKind
    network: NetworkConfig
    images: ImageShape
    budget: Budget

    @classmethod
    def of(
        cls,
        settings: SearchConfig,
        kernel_sizes: Sequence[int],
        network: NetworkConfig,
        images: ImageShape,
    ) -> "Space":
        """Return the space of a search.

        Raises:
            BudgetError: not even its smallest cell meets the budget.
        """
        operations = operation_set(
            kernel_sizes, settings.operations, network.convolutions, settings.thresholds
        )
        space = cls(operations, settings.cells, network, images, settings.budget)
        alone = smallest_cells(settings, kernel_sizes, network)
        for cell in alone:
            Architecture(cell, network, images)  # refuses a kernel larger than the images
        smallest = min(alone, key=space.bounded_params)
        if not space.fits(smallest):
            params, budget = space.bounded_params(smallest), settings.budget
            wide = f" at width {budget.width:g}" if budget.width != 1 else ""
            raise BudgetError(
                f"no architecture meets the budget (max_params {budget.max_params}, max_memory_mb "
                f"{budget.max_memory_mb} at {budget.precision}){wide}: the smallest has {params:,} "
                f"parameters, {memory_mb(params, budget.precision):.3f} MB; raise "
                "nas_search/budget or lower network/channels or network/hidden"
            )
        return space

    def channels(self, cell: Cell) -> int:
        """Return C of a cell's net: the network's, or the most with which it fills the budget."""
        if not self.budget.fill:
            return self.network.channels
        if cell not in self._filled:
            most = most_channels(lambda channels: self._within_at(channels, cell))
            self._filled[cell] = max(most, 1)
        return self._filled[cell]

    def architecture(self, cell: Cell) -> Architecture:
        """Return a cell's net."""
        network = self.network
        if self.budget.fill:
            network = network.at(self.channels(cell))
        return Architecture(cell, network, self.images)

    def params(self, cell: Cell) -> int:
        """Return the trainable parameters of a cell's net."""
        return self._counter(self.channels(cell)).total(cell)

    def bounded_params(self, cell: Cell) -> int:
        """Return the parameters that the budget bounds: those of the net at the budget's width."""
        return self._counter(self.channels(cell), self.budget.width).total(cell)

    def fits(self, cell: Cell) -> bool:
        """Whether a cell has a convolution, for only those have a kernel size, and is in budget."""
        return bool(cell.kernel_sizes()) and self._within_at(self.channels(cell), cell)

    def _within_at(self, channels: int, cell: Cell) -> bool:
        return within(self.budget, self._counter(channels, self.budget.width).total(cell))

    def _counter(self, channels: int, width: float = 1.0) -> CellCounter:
        key = channels, width
        if key not in self._counters:
            network = scaled(self.network.at(channels), width)
            self._counters[key] = CellCounter(network, self.images)
        return self._counters[key]

    @cached_property
    def _counters(self) -> dict[tuple[int, float], CellCounter]:
        return {}

    @cached_property
    def _filled(self) -> dict[Cell, int]:
        return {}

    def draw(self, generator: random.Random) -> Cell:
        """Draw an accepted cell as SNASNet does; it may be over budget."""
        return draw_cell(self.operations, generator, self.cells)


def smallest_cells(
    settings: SearchConfig, kernel_sizes: Sequence[int], network: NetworkConfig
) -> list[Cell]:
    """Return the smallest cell of each size; which has the fewest parameters hangs on the net."""
    return [
        smallest_cell(operation_set([size], settings.operations, network.convolutions))
        for size in kernel_sizes
    ]


def check_listable(operations: Sequence[str], cells: CellKind) -> None:
    """Refuse more cells than an `exhaustive` search lists.

    Raises:
        ConfigError: there are more than `MAX_ENUMERATED`.

    """
    count = count_cells(operations, cells).canonical
    if count > MAX_ENUMERATED:
        raise ConfigError(
            f"strategy exhaustive: there are {count:,} distinct {cells} cells, more than "
            f"{MAX_ENUMERATED:,}: use strategy: evolution, or fewer kernel sizes"
        )


def too_few(found: int, draws: int) -> BudgetError:
    """Return the error of a search that found too few cells within the budget."""
    return BudgetError(
        f"only {found} of {draws} random cells meet the budget: raise nas_search/budget or use "
        "strategy: exhaustive"
    )


def plan(settings: SearchConfig, space: Space) -> Plan:
    """Choose the cells of a `random` or `exhaustive` search; depends on no score.

    Raises:
        BudgetError: almost no cell meets the budget.
        ConfigError: there are too many cells to list.
    """
    if settings.strategy == "exhaustive":
        check_listable(space.operations, space.cells)
        every = canonical_cells(space.operations, space.cells)
        cells = [cell for cell in every if space.fits(cell)]
        return Plan(cells, evaluated=len(cells))
    generator = random.Random(settings.seed)
    samples: list[Cell] = []
    for _ in range(MAX_DRAWS_PER_SAMPLE * settings.iterations):
        cell = space.draw(generator)
        if space.fits(cell):
            samples.append(cell)
            if len(samples) == settings.iterations:
                return Plan(list(dict.fromkeys(samples)), evaluated=len(samples))
    raise too_few(len(samples), MAX_DRAWS_PER_SAMPLE * settings.iterations)


def filter_order(cells: Sequence[Cell], scores: Sequence[float], space: Space) -> list[int]:
    """Return the places of cells in the order in which a prefilter keeps them.

    Cells that the first cell cannot tell apart: larger ones first, they differ in the sizes of
    the last convolutions only; then by name.
    """
    return sorted(
        range(len(cells)),
        key=lambda place: (-scores[place], -space.params(cells[place]), cells[place].archid),
    )


def rank_order(
    score: float, cell: Cell, space: Space
) -> tuple[bool, float, int, int, int, int, str]:
    """Return the sort key of a ranking: finite scores first, the highest first.

    Equal scores: more channels where the budget gives them, then fewer parameters, then more paths,
    then fewer poolings, then the name.
    """
    finite = math.isfinite(score)
    paths, poolings = len(forward_paths(cell)), cell.operations.count(AVG)
    value, wide = -score if finite else 0.0, -space.channels(cell)
    return not finite, value, wide, space.params(cell), -paths, poolings, cell.archid


def within(budget: Budget, params: int) -> bool:
    """Whether a net of `params` trainable parameters meets the budget."""
    if budget.max_params is not None and params > budget.max_params:
        return False
    if budget.max_memory_mb is None:
        return True
    return memory_mb(params, budget.precision) <= budget.max_memory_mb
