"""Regularised evolution (Real et al., AAAI 2019) over the cells within a budget.

A child is the best of a random tournament among the latest cells, with one edge changed; the
oldest cell leaves. For kernel sets whose cells are too many to score one by one. The course
depends on the seed and on the scores alone, so a resumed run repeats it from its journal.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Sequence

from spikernel.search.journal import Evaluation
from spikernel.space import EDGES, Cell

MAX_TRIES = 200
"""Mutations or draws in a row that give no new cell, after which the space counts as used up."""


def evolve(
    draw: Callable[[random.Random], Cell],
    operations: Sequence[str],
    fits: Callable[[Cell], bool],
    evaluate: Callable[[Cell], Evaluation],
    iterations: int,
    population: int,
    tournament: int,
    seed: int,
) -> list[Evaluation]:
    """Evaluate up to `iterations` distinct cells and return them in the order they came.

    Args:
        draw: draws a random accepted cell, canonical.
        operations: what an edge may carry.
        fits: whether a cell is within the budget.
        evaluate: scores a cell.
        iterations: how many distinct cells.
        population: cells that may be parents, the latest ones.
        tournament: parents among which the best is taken.
        seed: of every random choice.
    """
    generator = random.Random(seed)
    done: dict[Cell, Evaluation] = {}
    recent: deque[Cell] = deque(maxlen=population)

    def propose() -> Cell:
        if len(done) < population:
            return draw(generator)
        entrants = [generator.choice(recent) for _ in range(tournament)]
        return mutate(max(entrants, key=lambda cell: _fitness(done[cell])), operations, generator)

    failures = 0
    while len(done) < iterations and failures < MAX_TRIES:
        cell = propose()
        if cell in done or not cell.accepted or not fits(cell):
            failures += 1
            # Near a corner every child is known: fresh blood, as at the start.
            if failures % (MAX_TRIES // 4) == 0:
                cell = draw(generator)
            if cell in done or not cell.accepted or not fits(cell):
                continue
        failures = 0
        done[cell] = evaluate(cell)
        recent.append(cell)
    return list(done.values())


def mutate(cell: Cell, operations: Sequence[str], generator: random.Random) -> Cell:
    """Return the cell with one edge carrying another operation, in canonical form.

    In a cell with feedback, or next to one, the edge's direction may change as well.
    """
    place = generator.randrange(len(EDGES))
    others = [name for name in operations if name != cell.operations[place]]
    changed = list(cell.operations)
    changed[place] = generator.choice(others)
    return Cell(tuple(changed), cell.feedback).canonical()


def _fitness(evaluation: Evaluation) -> float:
    return evaluation.score if math.isfinite(evaluation.score) else -math.inf
