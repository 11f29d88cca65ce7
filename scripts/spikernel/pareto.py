"""The Pareto front: what nothing else beats in both cost and value."""

from collections.abc import Sequence


def front(costs: Sequence[float], values: Sequence[float]) -> list[bool]:
    """Say for each point whether it is on the front of low cost and high value.

    A point is off the front when another one costs no more and is worth no less, and is
    strictly better in one of the two. Points that are equal in both stand or fall together.

    One pass over the points by rising cost: a point is beaten by a cheaper one that is worth
    at least as much, or by one of its own cost that is worth more.

    Raises:
        ValueError: the two sequences differ in length.

    """
    if len(costs) != len(values):
        raise ValueError(f"{len(costs)} costs do not pair with {len(values)} values")
    on_front = [False] * len(costs)
    best_cheaper = float("-inf")
    by_cost: dict[float, list[int]] = {}
    for index, cost in enumerate(costs):
        by_cost.setdefault(cost, []).append(index)
    for cost in sorted(by_cost):
        best_here = max(values[index] for index in by_cost[cost])
        if best_here > best_cheaper:
            for index in by_cost[cost]:
                on_front[index] = values[index] == best_here
            best_cheaper = best_here
    return on_front
