"""Which cells a search looks at: all of them, or random samples; always within the budget."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spikernel.config import Budget, NetworkConfig, SearchConfig
from spikernel.errors import BudgetError
from spikernel.space import (
    Architecture,
    Cell,
    ImageShape,
    canonical_cells,
    draw_cell,
    memory_mb,
    operation_set,
    parameter_count,
    smallest_cell,
)

MAX_DRAWS_PER_SAMPLE = 1000
"""A random search whose budget rejects more draws than this per sample is stopped."""


@dataclass(frozen=True)
class Plan:
    """The distinct cells to score, in order, and how many samples they stand for."""

    cells: list[Cell]
    evaluated: int


def plan(
    settings: SearchConfig, kernel_sizes: Sequence[int], network: NetworkConfig, images: ImageShape
) -> Plan:
    """Choose the cells of one search; depends on the seed alone, not on any score.

    Cells without a convolution hold no kernel size and are left out.

    Raises:
        BudgetError: no cell, or almost none, meets the budget.

    """
    operations = operation_set(kernel_sizes, settings.operations)

    def fits(cell: Cell) -> bool:
        return bool(cell.kernel_sizes()) and within(
            settings.budget, parameter_count(Architecture(cell, network, images)).total
        )

    if not fits(smallest_cell(operations)):
        _refuse(settings.budget, Architecture(smallest_cell(operations), network, images))
    if settings.strategy == "exhaustive":
        cells = [cell for cell in canonical_cells(operations) if fits(cell)]
        return Plan(cells, evaluated=len(cells))
    return _random(settings, operations, fits)


def _random(
    settings: SearchConfig, operations: Sequence[str], fits: Callable[[Cell], bool]
) -> Plan:
    generator = random.Random(settings.seed)
    samples: list[Cell] = []
    for _ in range(MAX_DRAWS_PER_SAMPLE * settings.iterations):
        cell = draw_cell(operations, generator)
        if fits(cell):
            samples.append(cell)
            if len(samples) == settings.iterations:
                return Plan(list(dict.fromkeys(samples)), evaluated=len(samples))
    raise BudgetError(
        f"only {len(samples)} of {MAX_DRAWS_PER_SAMPLE * settings.iterations} random cells meet "
        "the budget: raise nas_search/budget or use strategy: exhaustive"
    )


def within(budget: Budget, params: int) -> bool:
    """Whether a net of `params` trainable parameters meets the budget."""
    if budget.max_params is not None and params > budget.max_params:
        return False
    if budget.max_memory_mb is None:
        return True
    return memory_mb(params, budget.precision) <= budget.max_memory_mb


def _refuse(budget: Budget, smallest: Architecture) -> None:
    params = parameter_count(smallest).total
    raise BudgetError(
        f"no architecture meets the budget (max_params {budget.max_params}, max_memory_mb "
        f"{budget.max_memory_mb} at {budget.precision}): the smallest has {params:,} parameters, "
        f"{memory_mb(params, budget.precision):.3f} MB; raise nas_search/budget or lower "
        "network/channels or network/hidden"
    )
