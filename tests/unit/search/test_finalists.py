"""Which cells become finalists, which go on, and how a search is ranked by them."""

import itertools
import math

import pytest

from spikernel.search.finalists import (
    Evidence,
    Scored,
    better_part,
    choose,
    evidence,
    ranking,
    rung_sizes,
)
from spikernel.space.enumeration import canonical_cells

# The 7 distinct cells of {zero, 3x3}, in this order by score; their sizes follow the convolutions.
CELLS = [
    Scored(cell.archid, params=100 * len(cell.kernel_sizes()), score_rank=place)
    for place, cell in enumerate(canonical_cells(("zero", "k3"), "forward"), start=1)
]
RANKS = {item.archid: item.score_rank for item in CELLS}


def accuracy(archid: str, epochs: int) -> float:
    """A made-up accuracy: deep cells learn more slowly, and end higher."""
    convolutions = archid.count("k3")
    return 10 * convolutions * (1 - math.exp(-epochs / convolutions**2)) + len(archid) / 100


def halve(names: list[str], rungs: list[int], factor: int) -> list[dict[str, float]]:
    found = []
    for epochs in rungs:
        found.append({name: accuracy(name, epochs) for name in names})
        names = better_part(found[-1], RANKS, factor)
    return found


def test_the_best_and_one_of_every_stretch_of_the_others() -> None:
    # 2 of 7 are the best; the other five, by depth, number and size, are cut after 2.
    chosen = choose(CELLS, best=2, beside=2, seed=0)
    assert chosen[:2] == CELLS[:2]
    others = sorted(CELLS[2:], key=lambda item: (depth(item.archid), item.params, item.archid))
    assert chosen[2] in others[:2]
    assert chosen[3] in others[2:]
    seeds = {tuple(choose(CELLS, 2, 2, seed)) for seed in range(50)}
    assert len(seeds) == 2 * 3  # every one of a stretch can be drawn
    assert choose(CELLS, 2, 2, 0) == chosen


def depth(archid: str) -> int:
    """Longest way from node 0 to node 3, by trying all of them."""
    edges = dict(zip([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], archid.split("-")))  # noqa: B905
    ways = [(0, *between, 3) for n in range(3) for between in itertools.combinations((1, 2), n)]
    joined = [way for way in ways if all(edges[pair] == "k3" for pair in itertools.pairwise(way))]
    return max(len(way) - 1 for way in joined)


def test_all_cells_are_finalists_where_there_are_too_few() -> None:
    assert set(choose(CELLS, best=5, beside=9, seed=1)) == set(CELLS)
    assert choose(CELLS, best=9, beside=3, seed=1) == CELLS
    assert choose([], best=2, beside=2, seed=0) == []


def test_halving_against_brute_force() -> None:
    names, rungs = [item.archid for item in CELLS], [1, 4, 16]
    found = halve(names, rungs, factor=2)
    assert [len(rung) for rung in found] == rung_sizes(7, 3, 2) == [7, 3, 1]
    # By brute force: of all sets of 3 (then 1) the one whose worst accuracy is best.
    last = set(names)
    for place, size in ((0, 3), (1, 1)):
        groups = itertools.combinations(last, size)
        worst = {group: min(accuracy(name, rungs[place]) for name in group) for group in groups}
        last = set(max(worst, key=worst.__getitem__))
        assert set(found[place + 1]) == last
    order = ranking(RANKS, evidence(found))
    # Of all orders of the cells the one whose places are filled best from the first on.
    assert tuple(order) == min(
        itertools.permutations(names),
        key=lambda ranked: [worth(name, rungs, found) for name in ranked],
    )


def worth(name: str, rungs: list[int], found: list[dict[str, float]]) -> tuple[float, ...]:
    last = max(place for place, rung in enumerate(found) if name in rung)
    return -last, -accuracy(name, rungs[last]), RANKS[name]


def test_one_rung_ranks_as_its_accuracies_do() -> None:
    names = [item.archid for item in CELLS]
    order = ranking(RANKS, evidence(halve(names, [16], factor=2)))
    assert order == sorted(names, key=lambda name: -accuracy(name, 16))


def test_cells_that_are_no_finalists_follow_by_score() -> None:
    ranks = {"a": 1, "b": 2, "c": 3, "d": 4}
    found = evidence([{"c": 50.0, "d": 60.0}, {"d": 55.0}])
    assert found == {"c": Evidence(1, 50.0), "d": Evidence(2, 55.0)}
    # d has the lower accuracy of its first rung no more: the longer training counts.
    assert ranking(ranks, found) == ["d", "c", "a", "b"]


def test_equal_accuracies_go_by_score() -> None:
    rung = {"c": 50.0, "a": 50.0, "b": 50.0, "d": 49.0}
    assert better_part(rung, {"a": 1, "b": 2, "c": 3, "d": 4}, 2) == ["a", "b"]


def test_a_training_that_diverged_does_not_go_on() -> None:
    ranks = {"a": 1, "b": 2, "c": 3}
    assert better_part({"a": math.nan, "b": 30.0, "c": math.nan}, ranks, 2) == ["b"]
    assert better_part({"a": math.nan}, ranks, 2) == []
    # What diverged on a later rung is ranked by the one before.
    found = evidence([{"a": 40.0, "b": 30.0}, {"a": math.nan}])
    assert ranking(ranks, found) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("finalists", "rungs", "factor", "sizes"),
    [(16, 2, 4, [16, 4]), (7, 4, 2, [7, 3, 1, 1]), (1, 2, 4, [1, 1])],
)
def test_rung_sizes(finalists: int, rungs: int, factor: int, sizes: list[int]) -> None:
    assert rung_sizes(finalists, rungs, factor) == sizes
