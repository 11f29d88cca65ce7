"""Regularised evolution (Real et al., AAAI 2019) over the cells within a budget.

A child is the best of a random tournament among the latest cells, with one edge changed; the
oldest cell leaves. For kernel sets whose cells are too many to score one by one. The course
depends on the seed and on the scores alone, so a resumed run repeats it from its journal.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Sequence

from spikernel.config import SearchConfig
from spikernel.search.journal import Evaluation
from spikernel.search.strategies import MAX_DRAWS_PER_SAMPLE, Space, too_few
from spikernel.space.cell import Cell
from spikernel.space.patterns import EDGES

MAX_TRIES = 200
"""Known cells in a row, after which the space counts as used up."""


def evolve(
    space: Space, settings: SearchConfig, evaluate: Callable[[Cell], Evaluation]
) -> list[Evaluation]:
    """Evaluate up to `settings.iterations` distinct cells; return them in the order they came.

    Args:
        space: the cells, and which of them meet the budget.
        settings: iterations, population, tournament and seed.
        evaluate: scores a cell.

    Returns:
        Fewer of them where the space is used up, or almost no cell meets the budget.

    Raises:
        BudgetError: no cell that was drawn meets the budget.

    """
    generator = random.Random(settings.seed)
    done: dict[Cell, Evaluation] = {}
    recent: deque[Cell] = deque(maxlen=settings.population)

    def propose() -> Cell:
        if len(done) < settings.population:
            return space.draw(generator)
        entrants = [generator.choice(recent) for _ in range(settings.tournament)]
        parent = max(entrants, key=lambda cell: _fitness(done[cell]))
        return mutate(parent, space.operations, generator, space.cells == "feedback")

    known = 0
    tries = MAX_DRAWS_PER_SAMPLE * settings.iterations
    for _ in range(tries):
        # Near a corner every child is known: fresh blood now and then, as at the start.
        cell = space.draw(generator) if known % 50 == 49 else propose()
        if cell in done:
            known += 1
        elif cell.accepted and space.fits(cell):
            known = 0
            done[cell] = evaluate(cell)
            recent.append(cell)
        if len(done) == settings.iterations or known == MAX_TRIES:
            break
    if not done:
        raise too_few(0, tries)
    return list(done.values())


def mutate(cell: Cell, operations: Sequence[str], generator: random.Random, feedback: bool) -> Cell:
    """Return the cell with one edge changed, in canonical form.

    The edge carries another operation; where `feedback` edges are allowed, it may turn round
    instead, and does so where there is no other operation.
    """
    place = generator.randrange(len(EDGES))
    changed, directions = list(cell.operations), list(cell.feedback)
    others = [name for name in operations if name != cell.operations[place]]
    if feedback and (not others or generator.random() < 0.5):
        directions[place] = not directions[place]
    elif others:
        changed[place] = generator.choice(others)
    return Cell(tuple(changed), tuple(directions)).canonical()


def _fitness(evaluation: Evaluation) -> float:
    return evaluation.score if math.isfinite(evaluation.score) else -math.inf
