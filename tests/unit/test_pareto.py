import random

import pytest

from spikernel import pareto


def beaten(place: int, costs: list[int], values: list[int]) -> bool:
    return any(
        cost <= costs[place]
        and value >= values[place]
        and (cost < costs[place] or value > values[place])
        for cost, value in zip(costs, values, strict=True)
    )


@pytest.mark.parametrize("seed", range(30))
def test_front_agrees_with_brute_force_on_points_with_many_ties(seed: int) -> None:
    generator = random.Random(seed)
    count = generator.randint(1, 40)
    costs = [generator.randint(1, 8) for _ in range(count)]
    values = [generator.randint(1, 8) for _ in range(count)]
    expected = [not beaten(place, costs, values) for place in range(count)]
    assert pareto.front(costs, values) == expected


def test_front_of_nothing_and_of_unpaired_points() -> None:
    assert pareto.front([], []) == []
    with pytest.raises(ValueError, match="2 costs do not pair with 1 values"):
        pareto.front([1, 2], [1])
