import pytest

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.errors import BudgetError, ConfigError
from spikernel.search.strategies import Plan, Space, plan, within
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import parameter_count
from spikernel.space.enumeration import canonical_cells

IMAGES = ImageShape(1, 8, 10)
NETWORK = NetworkConfig(channels=4, head="gap", votes=1)


def settings(**changes: object) -> SearchConfig:
    return SearchConfig.model_validate(changes)


def planned(kernel_sizes: tuple[int, ...] = (1, 3), **changes: object) -> Plan:
    search = settings(**changes)
    return plan(search, Space.of(search, kernel_sizes, NETWORK, IMAGES))


def params(cell: Cell) -> int:
    return parameter_count(Architecture(cell, NETWORK, IMAGES)).total


def test_exhaustive_is_every_distinct_cell_with_a_convolution() -> None:
    chosen = planned(strategy="exhaustive")
    expected = [
        cell for cell in canonical_cells(("zero", "skip", "avg", "k1", "k3")) if cell.kernel_sizes()
    ]
    assert chosen.cells == expected
    assert chosen.evaluated == len(expected)


def test_budget_is_applied_before_anything_is_scored() -> None:
    limit = params(Cell.from_archid("zero-zero-k3-zero-zero-zero"))
    chosen = planned(strategy="exhaustive", budget={"max_params": limit})
    assert chosen.cells == [
        cell for cell in planned(strategy="exhaustive").cells if params(cell) <= limit
    ]
    assert {tuple(cell.kernel_sizes()) for cell in chosen.cells} >= {(3,), (1,), (1, 1)}
    assert all(cell.kernel_sizes() != [3, 3] for cell in chosen.cells)


def test_random_plan_belongs_to_its_seed() -> None:
    first = planned(iterations=50, seed=1)
    assert first == planned(iterations=50, seed=1)
    assert first.cells != planned(iterations=50, seed=2).cells
    assert first.evaluated == 50
    assert len(first.cells) == len(set(first.cells)) <= 50


def test_impossible_budget_says_the_smallest() -> None:
    smallest = params(Cell.from_archid("zero-zero-k1-zero-zero-zero"))
    with pytest.raises(BudgetError, match=f"the smallest has {smallest:,} parameters"):
        planned(budget={"max_params": smallest - 1})
    planned(budget={"max_params": smallest}, iterations=1)


def test_memory_budget_depends_on_the_number_format() -> None:
    fp32 = settings(budget={"max_memory_mb": 1.0}).budget
    int8 = settings(budget={"max_memory_mb": 1.0, "precision": "int8"}).budget
    assert within(fp32, 250_000)
    assert not within(fp32, 250_001)
    assert within(int8, 1_000_000)
    assert not within(int8, 1_000_001)


def test_spaces_too_large_to_list_are_left_to_evolution() -> None:
    search = settings(strategy="exhaustive", cells="feedback")
    space = Space.of(search, (1, 3, 5, 7, 9), NETWORK, ImageShape(1, 16, 10))
    with pytest.raises(ConfigError, match="use strategy: evolution"):
        plan(search, space)
