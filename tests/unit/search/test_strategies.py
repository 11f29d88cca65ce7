import pytest
from pydantic import ValidationError

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.errors import BudgetError, ConfigError
from spikernel.search.rules import check_search
from spikernel.search.strategies import Plan, Space, plan, rank_order, within
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import parameter_count
from spikernel.space.enumeration import canonical_cells
from spikernel.space.macro import scaled

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


@pytest.mark.parametrize("width", [1.0, 2.0])
def test_a_filled_budget_leaves_no_room_for_a_channel_more(width: float) -> None:
    budget = {"max_params": 5000, "fill": True, "width": width}
    space = Space.of(settings(budget=budget), (1, 3), NETWORK, IMAGES)

    def count(cell: Cell, channels: int) -> int:
        network = scaled(NETWORK.at(channels), width)
        return parameter_count(Architecture(cell, network, IMAGES)).total

    for cell in canonical_cells(("zero", "skip", "k1", "k3"))[::40]:
        channels = space.channels(cell)
        assert space.fits(cell) == bool(cell.kernel_sizes())
        assert space.bounded_params(cell) == count(cell, channels) <= 5000
        assert count(cell, channels + 1) > 5000
        assert space.architecture(cell).network.channels == channels
        assert space.params(cell) == parameter_count(space.architecture(cell)).total


def test_of_equal_scores_the_wider_net_is_first_where_the_budget_is_filled() -> None:
    small, large = (Cell.from_archid(f"zero-zero-k{k}-zero-zero-zero") for k in (1, 3))
    budgets = ({"max_params": 5000}, {"max_params": 5000, "fill": True})
    for space in (Space.of(settings(budget=own), (1, 3), NETWORK, IMAGES) for own in budgets):
        assert rank_order(1.0, small, space) < rank_order(1.0, large, space)
    filled = Space.of(settings(budget=budgets[1]), (1, 3), NETWORK, IMAGES)
    assert filled.channels(small) > filled.channels(large)
    assert not filled.fits(Cell.from_archid("zero-zero-skip-zero-zero-zero"))


def test_what_cannot_be_filled_says_so() -> None:
    with pytest.raises(ValidationError, match="there is nothing to fill: set max_params"):
        settings(budget={"fill": True})
    with pytest.raises(BudgetError, match=r"no architecture meets the budget \(max_params 3"):
        planned(budget={"max_params": 3, "fill": True})
    wrong = settings(score="sahd_half", budget={"max_params": 5000, "fill": True})
    with pytest.raises(ConfigError, match="compares nets of one width only: take pred"):
        check_search(wrong, NETWORK)
    fitted = settings(budget={"max_params": 5000, "fill": True})
    assert fitted.score == "predicted_accuracy"  # where none is named
    assert settings(budget={"max_params": 5000}).score == "rising_path"
    assert settings(score="rising_path", budget=fitted.budget.model_dump()).score == "rising_path"
    check_search(fitted, NETWORK)
    with pytest.raises(ConfigError, match="knows dense convolutions only"):
        check_search(fitted, NETWORK.model_copy(update={"convolutions": "depthwise"}))


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
