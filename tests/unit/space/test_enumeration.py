import random
from collections import Counter

import pytest

from spikernel.errors import ConfigError
from spikernel.space import (
    Cell,
    canonical_cells,
    count_forward,
    draw_cell,
    operation_set,
    smallest_cell,
)

SNASNET = operation_set((1, 3), ("zero", "skip", "avg"))


def test_counts_of_snasnets_space() -> None:
    counts = count_forward(SNASNET)
    assert (counts.raw, counts.accepted) == (15_625, 12_500)
    assert (counts.distinct, counts.canonical) == (7_556, 7_012)
    assert len(canonical_cells(SNASNET)) == 7_012


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


def test_smallest_cell_has_one_smallest_convolution() -> None:
    assert smallest_cell(SNASNET) == Cell.from_archid("zero-zero-k1-zero-zero-zero")
    assert smallest_cell(("skip", "k5", "k3")).kernel_sizes() == [3]
    assert smallest_cell(("k3", "k5")).kernel_sizes() == [3] * 6
    with pytest.raises(ConfigError, match="at least one convolution"):
        smallest_cell(("zero", "skip"))
    with pytest.raises(ConfigError, match="other than zero"):
        draw_cell(("zero",), random.Random(0))
