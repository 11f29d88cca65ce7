import pytest

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.errors import BudgetError
from spikernel.search.strategies import plan, within
from spikernel.space import Architecture, Cell, ImageShape, canonical_cells, parameter_count

IMAGES = ImageShape(1, 8, 10)
NETWORK = NetworkConfig(channels=4, head="gap", votes=1)


def settings(**changes: object) -> SearchConfig:
    return SearchConfig.model_validate(changes)


def params(cell: Cell) -> int:
    return parameter_count(Architecture(cell, NETWORK, IMAGES)).total


def test_exhaustive_is_every_distinct_cell_with_a_convolution() -> None:
    chosen = plan(settings(strategy="exhaustive"), (1, 3), NETWORK, IMAGES)
    expected = [
        cell for cell in canonical_cells(("zero", "skip", "avg", "k1", "k3")) if cell.kernel_sizes()
    ]
    assert chosen.cells == expected
    assert chosen.evaluated == len(expected)


def test_budget_is_applied_before_anything_is_scored() -> None:
    limit = params(Cell.from_archid("zero-zero-k3-zero-zero-zero"))
    chosen = plan(
        settings(strategy="exhaustive", budget={"max_params": limit}), (1, 3), NETWORK, IMAGES
    )
    assert chosen.cells == [
        cell
        for cell in plan(settings(strategy="exhaustive"), (1, 3), NETWORK, IMAGES).cells
        if params(cell) <= limit
    ]
    assert {tuple(cell.kernel_sizes()) for cell in chosen.cells} >= {(3,), (1,), (1, 1)}
    assert all(cell.kernel_sizes() != [3, 3] for cell in chosen.cells)


def test_random_plan_belongs_to_its_seed() -> None:
    first = plan(settings(iterations=50, seed=1), (1, 3), NETWORK, IMAGES)
    assert first == plan(settings(iterations=50, seed=1), (1, 3), NETWORK, IMAGES)
    assert first.cells != plan(settings(iterations=50, seed=2), (1, 3), NETWORK, IMAGES).cells
    assert first.evaluated == 50
    assert len(first.cells) == len(set(first.cells)) <= 50


def test_impossible_budget_says_the_smallest() -> None:
    smallest = params(Cell.from_archid("zero-zero-k1-zero-zero-zero"))
    with pytest.raises(BudgetError, match=f"the smallest has {smallest:,} parameters"):
        plan(settings(budget={"max_params": smallest - 1}), (1, 3), NETWORK, IMAGES)
    plan(settings(budget={"max_params": smallest}, iterations=1), (1, 3), NETWORK, IMAGES)


def test_memory_budget_depends_on_the_number_format() -> None:
    fp32 = settings(budget={"max_memory_mb": 1.0}).budget
    int8 = settings(budget={"max_memory_mb": 1.0, "precision": "int8"}).budget
    assert within(fp32, 250_000)
    assert not within(fp32, 250_001)
    assert within(int8, 1_000_000)
    assert not within(int8, 1_000_001)
