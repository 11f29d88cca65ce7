import random
from dataclasses import replace
from pathlib import Path

import pytest

from spikernel.config import Budget, NetworkConfig, SearchConfig
from spikernel.errors import BudgetError, ConfigError
from spikernel.search.engine import Engine
from spikernel.search.evolution import evolve, mutate
from spikernel.search.journal import Evaluation, Journal
from spikernel.search.strategies import Space
from spikernel.space.architecture import ImageShape
from spikernel.space.cell import Cell
from spikernel.space.enumeration import canonical_cells
from spikernel.space.operations import kernel_size

IMAGES = ImageShape(1, 8, 10)
NETWORK = NetworkConfig(channels=4, head="gap", votes=1)


def preference(cell: Cell) -> float:
    """Prefer k5 everywhere; one best cell among more than 20,000."""
    return sum(kernel_size(name) == 5 for name in cell.operations) - 0.1 * cell.archid.count("a")


def run(path: Path, seed: int = 0, iterations: int = 300, **budget: int) -> list[Evaluation]:
    settings = SearchConfig.model_validate(
        {
            "strategy": "evolution", "budget": budget, "iterations": iterations, "seed": seed,
            "population": 30, "tournament": 8,
        }
    )  # fmt: skip
    space = Space.of(settings, (1, 3, 5), NETWORK, IMAGES)
    with Journal(path, {}) as journal:
        return evolve(space, settings, Engine(preference, journal, iterations).evaluate)


def test_evolution_beats_as_many_random_samples(tmp_path: Path) -> None:
    found = run(tmp_path / "j")
    assert len(found) == len({item.archid for item in found}) == 300
    assert max(item.score for item in found) == 6  # all six edges k5
    generator = random.Random(0)
    space = Space.of(SearchConfig(), (1, 3, 5), NETWORK, IMAGES)
    samples = max(preference(space.draw(generator)) for _ in range(300))
    assert samples < 6


def test_seed_and_journal_fix_the_course(tmp_path: Path) -> None:
    whole = [item.archid for item in run(tmp_path / "whole")]
    assert whole == [item.archid for item in run(tmp_path / "again")]
    assert whole != [item.archid for item in run(tmp_path / "other", seed=1)]
    run(tmp_path / "killed", iterations=40)
    resumed = run(tmp_path / "killed")
    assert [item.archid for item in resumed] == whole


def test_every_evaluated_cell_meets_the_budget(tmp_path: Path) -> None:
    space = Space.of(SearchConfig(), (1, 3, 5), NETWORK, IMAGES)
    limit = space.params(Cell.from_archid("zero-zero-k5-zero-zero-zero"))
    found = run(tmp_path / "j", iterations=60, max_params=limit)
    assert found
    assert all(space.params(Cell.from_archid(item.archid)) <= limit for item in found)


@pytest.mark.parametrize("seed", range(4))
def test_a_tight_budget_does_not_end_the_search(tmp_path: Path, seed: int) -> None:
    """Cells beyond the budget, six in seven of those drawn here, are not the end of the space."""
    space = Space.of(SearchConfig(), (1, 3, 5), NETWORK, IMAGES)
    limit = space.params(Cell.from_archid("zero-zero-k3-zero-zero-zero"))
    within = [cell for cell in canonical_cells(space.operations) if space.params(cell) <= limit]
    assert len([cell for cell in within if cell.kernel_sizes()]) > 100
    assert len(run(tmp_path / "j", seed, iterations=60, max_params=limit)) == 60


def test_no_cell_within_the_budget_is_named(tmp_path: Path) -> None:
    space = Space.of(SearchConfig(), (5,), NETWORK, IMAGES)
    none = replace(space, budget=Budget(max_params=1))
    settings = SearchConfig(strategy="evolution", iterations=2)
    with (
        Journal(tmp_path / "j", {}) as journal,
        pytest.raises(BudgetError, match="only 0 of 2000 random cells meet the budget"),
    ):
        evolve(none, settings, Engine(preference, journal, 2).evaluate)


def test_a_used_up_space_ends_the_search(tmp_path: Path) -> None:
    settings = SearchConfig.model_validate(
        {"strategy": "evolution", "operations": ["zero"], "iterations": 50, "population": 3}
    )
    space = Space.of(settings, (3,), NETWORK, IMAGES)
    with Journal(tmp_path / "j", {}) as journal:
        found = evolve(space, settings, Engine(preference, journal, 50).evaluate)
    assert len(found) <= len(canonical_cells(("zero", "k3"))) == 7


def test_a_mutation_changes_one_edge() -> None:
    cell = Cell.from_archid("k3-k1-k3-k1-k1-k5")
    generator = random.Random(0)
    for _ in range(50):
        child = mutate(cell, ("zero", "skip", "k1", "k3", "k5"), generator, feedback=False)
        assert child != cell
        assert not child.has_feedback
        same = sum(a == b for a, b in zip(child.operations, cell.operations, strict=True))
        assert same >= 3 or child.canonical() == child


def test_an_edge_without_another_operation_turns_round_or_stays() -> None:
    cell = Cell.from_archid("k3-k3-k3-k3-k3-k3")
    generator = random.Random(0)
    assert mutate(cell, ("k3",), generator, feedback=False) == cell.canonical()
    assert any(mutate(cell, ("k3",), generator, feedback=True).has_feedback for _ in range(20))


def test_evolution_refuses_what_it_cannot_do() -> None:
    for wrong in ({"shards": 2}, {"prefilter": 5}):
        with pytest.raises(ConfigError, match="remove shards and prefilter"):
            SearchConfig.parse({"strategy": "evolution", **wrong}, "s")


def test_feedback_edges_turn_round_where_they_are_allowed() -> None:
    cell = Cell.from_archid("k3-k1-k3-k1-k1-k5")
    generator = random.Random(0)
    children = {mutate(cell, ("zero", "k1", "k3"), generator, feedback=True) for _ in range(80)}
    assert any(child.has_feedback for child in children)
