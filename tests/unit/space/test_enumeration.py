import itertools
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from spikernel.errors import ConfigError
from spikernel.space.cell import Cell
from spikernel.space.enumeration import (
    CellKind,
    canonical_cells,
    count_cells,
    draw_cell,
    smallest_cell,
)
from spikernel.space.operations import operation_set
from spikernel.space.patterns import EDGES

SNASNET = operation_set((1, 3), ("zero", "skip", "avg"))


# Canonical cells of SNASNet's spaces, by hand. In a clean cell in which no edge joins nodes 1 and
# 2, a middle node has either no edge, or one in and one out: 0 -> node -> 3, or in feedback cells
# also 3 -> node -> 0. With 4 operations that makes 1 + 16 = 17 states of a node, or 1 + 32 = 33.
# With 4 operations on the edge 03, the exchange of the nodes merges 4 (17^2 - 17) / 2 = 544 pairs
# of forward cells and 4 (33^2 - 33) / 2 = 2,112 pairs of feedback cells.
@pytest.mark.parametrize(
    ("cells", "raw", "accepted", "distinct", "merged"),
    [("forward", 15_625, 12_500, 7_556, 544), ("feedback", 531_441, 236_196, 104_708, 2_112)],
)
def test_counts_of_snasnets_spaces(
    cells: CellKind, raw: int, accepted: int, distinct: int, merged: int
) -> None:
    counts = count_cells(SNASNET, cells)
    assert (counts.raw, counts.accepted) == (raw, accepted)
    assert (counts.distinct, counts.canonical) == (distinct, distinct - merged)
    assert counts.canonical == {"forward": 7_012, "feedback": 102_596}[cells]
    found = canonical_cells(SNASNET, cells)
    archids = [cell.archid for cell in found]
    assert len(found) == counts.canonical
    assert archids == sorted(set(archids))


Edges = frozenset[tuple[int, int, str]]
"""A cell as (source, target, operation) of its edges."""


def every_choice(operations: tuple[str, ...], cells: CellKind) -> Iterator[Edges]:
    def ways(low: int, high: int) -> list[tuple[int, int, str]]:
        back = [(high, low, name) for name in operations if name != "zero"]
        return [(low, high, name) for name in operations] + back * (cells == "feedback")

    for choice in itertools.product(*(ways(*pair) for pair in EDGES)):
        yield frozenset(edge for edge in choice if edge[2] != "zero")


def without_useless_nodes(edges: Edges) -> Edges:
    """Clean up by the transitive closure of the whole graph (Floyd and Warshall)."""
    reaches = {(node, node) for node in range(4)} | {(a, b) for a, b, _ in edges}
    for middle, a, b in itertools.product(range(4), repeat=3):
        if (a, middle) in reaches and (middle, b) in reaches:
            reaches.add((a, b))
    useful = {node for node in range(4) if (0, node) in reaches and (node, 3) in reaches}
    return frozenset(edge for edge in edges if {edge[0], edge[1]} <= useful)


def same_cell(edges: Edges) -> frozenset[Edges]:
    """Return all cells that differ from this one by the names of nodes 1 and 2."""
    if any({a, b} == {1, 2} for a, b, _ in edges):
        return frozenset({edges})
    renamed = {0: 0, 1: 2, 2: 1, 3: 3}
    return frozenset({edges, frozenset((renamed[a], renamed[b], name) for a, b, name in edges)})


@pytest.mark.parametrize("cells", ["forward", "feedback"])
@pytest.mark.parametrize("operations", [("zero", "skip", "k3"), ("skip", "k3"), ("zero", "k1")])
def test_enumeration_equals_brute_force(cells: CellKind, operations: tuple[str, ...]) -> None:
    raw = list(every_choice(operations, cells))
    accepted = [edges for edges in raw if any(edge[:2] == (0, 3) for edge in edges)]
    distinct = {without_useless_nodes(edges) for edges in accepted}
    canonical = {same_cell(edges) for edges in distinct}
    counts = count_cells(operations, cells)
    assert (counts.raw, counts.accepted) == (len(raw), len(accepted))
    assert (counts.distinct, counts.canonical) == (len(distinct), len(canonical))
    found = canonical_cells(operations, cells)
    assert len(found) == len(canonical)
    assert {same_cell(frozenset(cell.connections())) for cell in found} == canonical
    assert all(cell.canonical() == cell for cell in found)


def test_space_of_two_operations_by_hand() -> None:
    # Edge 03 is skip in every accepted cell. Of the other five edges, the distinct cells are:
    # the direct edge alone; one middle node (01 and 13; 02 and 23 is the same by exchange); both,
    # unjoined; and joined by 12, with 01 and 23 and any of 02 and 13: four more.
    assert [cell.archid for cell in canonical_cells(("zero", "skip"))] == [
        "skip-skip-skip-skip-skip-skip",
        "skip-skip-skip-skip-zero-skip",
        "skip-skip-skip-zero-skip-skip",
        "skip-zero-skip-skip-skip-skip",
        "skip-zero-skip-skip-zero-skip",
        "skip-zero-skip-zero-skip-zero",
        "zero-zero-skip-zero-zero-zero",
    ]


def test_draws_are_canonical_seeded_and_cover_the_space() -> None:
    operations = ("zero", "skip", "k3")
    first = [draw_cell(operations, random.Random(1)) for _ in range(2)]
    assert first[0] == first[1]
    generator = random.Random(0)
    drawn = Counter(draw_cell(operations, generator) for _ in range(4000))
    assert set(drawn) <= set(canonical_cells(operations))
    # The bare direct edge stands for every raw cell whose other edges lead nowhere; it is by
    # far the most frequent draw.
    most = {cell.archid for cell, _ in drawn.most_common(2)}
    assert most == {"zero-zero-skip-zero-zero-zero", "zero-zero-k3-zero-zero-zero"}


def test_forward_draws_keep_their_sequence() -> None:
    # Journals of finished searches stay valid: the same seed draws the same cells as ever.
    generator = random.Random(0)
    assert [draw_cell(SNASNET, generator).archid for _ in range(3)] == [
        "k1-avg-k1-avg-k3-skip",
        "k3-skip-avg-skip-zero-k3",
        "avg-zero-k3-zero-avg-zero",
    ]


def test_feedback_draws_follow_snasnets_distribution() -> None:
    operations = ("zero", "skip", "k3")
    generator, draws = random.Random(0), 20_000
    drawn = Counter(draw_cell(operations, generator, "feedback") for _ in range(draws))
    assert set(drawn) <= set(canonical_cells(operations, "feedback"))
    expected: Counter[frozenset[Edges]] = Counter()
    for edges in every_choice(operations, "feedback"):
        if any(edge[:2] == (0, 3) for edge in edges):
            # Weight 2 for each zero: it stands for both sides of its coin.
            expected[same_cell(without_useless_nodes(edges))] += 2 ** (6 - len(edges))
    share = {key: weight / expected.total() for key, weight in expected.items()}
    seen = {same_cell(frozenset(cell.connections())): count for cell, count in drawn.items()}
    for key, probability in share.items():
        spread = (draws * probability * (1 - probability)) ** 0.5
        assert abs(seen.get(key, 0) - draws * probability) < 5 * spread + 3


def test_unknown_cells_are_refused() -> None:
    for call in (canonical_cells, count_cells):
        with pytest.raises(ConfigError, match="unknown cells 'backward': known are forward, fe"):
            call(SNASNET, "backward")  # type: ignore[operator]


def test_smallest_cell_has_one_smallest_convolution() -> None:
    assert smallest_cell(SNASNET) == Cell.from_archid("zero-zero-k1-zero-zero-zero")
    assert smallest_cell(("skip", "k5", "k3")).kernel_sizes() == [3]
    assert smallest_cell(("k3", "k5")).kernel_sizes() == [3] * 6
    with pytest.raises(ConfigError, match="at least one convolution"):
        smallest_cell(("zero", "skip"))
    with pytest.raises(ConfigError, match="other than zero"):
        draw_cell(("zero",), random.Random(0))
