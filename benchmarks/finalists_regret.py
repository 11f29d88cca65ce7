"""Play a search with finalists on a table of trained cells, and say how good its choice is.

For every kernel set the cells of the table that are over it stand for the search space. They are
ranked by a score, the finalists are taken as the search takes them (`search/finalists.py`: the best
by score, and some of the others by strata), one seed's accuracy in the table stands for their
training, and the best of them is the choice. The other seed judges it. Where cells have one seed
(`--seeds 1`), the validation accuracy chooses and the test accuracy of the same training judges.
Beside the finalists stand a random pick, the score alone, and all cells trained, which no number of
finalists can pass but by luck.

* `regret`: what the set's best cell has more than the chosen one, in points of accuracy, both in
  the seed that judges.
* `beaten by`: the percentage of the set's cells that are better than the chosen one. The goal is
  at most 5, mean over sets and seeds; `sets` is the share of the sets that reach it.

Both are means over the sets, over either seed as the one that chooses, and over several draws of
the finalists beside the best. There is no interval: sets share most of their cells.

A search trains finalists with two seeds by default. Of two seeds in the table one has to judge, so
the choice here rests on half of that. `both seeds` beside it is the other bound: the mean of both
chooses, with the one that judges in it.

What it cannot say: a set has some forty cells here and thousands in a search, so as many finalists
are a larger part of the set, and the score has less to lose. All finalists are trained as long as
the table trained them, which is one rung; where two rungs of other lengths are as good, they cost
less. The seed that judges is noisy itself: even the best cell by its true accuracy is beaten.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated, Literal

import numpy as np
from proxy_validation import RANDOM
from rank_statistics import Scores, beaten_by, regret
from score_values import structural
from table_sets import Sizes, comparable, judged, possible_sets, shown, within
from trained_cells import Table, TrainedCell, read_table, split_half

from spikernel import cli
from spikernel.config import FinalistConfig, SearchConfig
from spikernel.errors import ConfigError
from spikernel.search.finalists import Scored, choose
from spikernel.search.strategies import Space, rank_order

ALL_TRAINED = "(all trained)"
BOTH = ", both seeds"
GOAL_PERCENT = 5.0


@dataclass(frozen=True)
class Outcome:
    """What a way to choose reaches on one set, mean over seeds and draws."""

    trainings: float
    """Cells that are trained before the choice is made."""
    regret: float
    beaten_by: float


def main(
    table: Annotated[Path, "the CSV of trained cells"],
    finalists: Annotated[list[int], "numbers of the best by score that are trained"] = [4, 8, 12],  # noqa: B006
    beside: Annotated[int, "cells beside the best by score"] = FinalistConfig().beside,
    control: Annotated[Literal["same_width", "same_parameters"], "which nets"] = "same_width",
    half: Annotated[Literal["check", "design", "all"], "which half of the table"] = "all",
    draws: Annotated[int, "draws of the cells beside the best"] = 20,
    seeds: Annotated[int, "2 or 1: that a cell must have to be compared"] = 2,
) -> None:
    """Print one line for each way to choose and, as the last line, the same as JSON."""
    if seeds not in (1, 2):
        raise ConfigError(f"--seeds must be 1 or 2, got {seeds}")
    trained = read_table(table, control)
    rows = comparable(split_half(trained.rows, half), seeds)
    if seeds == 1:
        rows = [row for row in rows if row.val_accuracies]
    scores = {name: values for name, (values, _) in structural(rows, trained)} if rows else {}
    found: dict[str, dict[Sizes, Outcome]] = {}
    for sizes in possible_sets(size for row in rows for size in row.cell.kernel_sizes()):
        inside = [place for place, row in enumerate(rows) if within(row, sizes)]
        members = [rows[place] for place in inside]
        own = {name: values[inside] for name, values in scores.items()}
        reached = ways(members, own, sizes, trained, finalists, beside, draws, seeds)
        for name, outcome in reached.items():
            found.setdefault(name, {})[sizes] = outcome
    if not found:
        raise ConfigError(f"{table}: no two kernel sizes have dense cells of {seeds} seeds")
    print(f"{'choice by':<44}{'trainings':>10}{'regret':>8}{'beaten by':>11}{'sets':>7}  worst set")
    for name, outcomes in found.items():
        print(line(name, outcomes))
    record = {
        name: {shown(sizes): vars(outcome) for sizes, outcome in outcomes.items()}
        for name, outcomes in found.items()
    }
    print(
        json.dumps(
            {"table": table.name, "control": control, "half": half, "seeds": seeds, **record}
        )
    )


def line(name: str, outcomes: Mapping[Sizes, Outcome]) -> str:
    """Return the means over the sets as text."""
    trainings, lost, beaten = (
        fmean(getattr(outcome, figure) for outcome in outcomes.values())
        for figure in ("trainings", "regret", "beaten_by")
    )
    reached = fmean(outcome.beaten_by <= GOAL_PERCENT for outcome in outcomes.values())
    worst = max(outcomes, key=lambda sizes: outcomes[sizes].beaten_by)
    return (
        f"{name:<44}{trainings:>10.1f}{lost:>8.2f}{beaten:>11.1f}{100 * reached:>6.0f}%  "
        f"{shown(worst)} {outcomes[worst].beaten_by:.1f}"
    )


def ways(
    rows: Sequence[TrainedCell],
    scores: Mapping[str, Scores],
    sizes: Sizes,
    table: Table,
    finalists: Sequence[int],
    beside: int,
    draws: int,
    seeds: int,
) -> dict[str, Outcome]:
    """Return what each way to choose reaches on the cells of one set, by name."""
    count, both = len(rows), judged(rows, seeds)
    bounds = {"": both} if seeds == 1 else {"": both, BOTH: with_judge(both)}
    found = {RANDOM: outcome(0, [(np.zeros(count), judge) for _, judge in both])}
    for score, values in scores.items():
        ranked = ranking(rows, values, sizes, table)
        by_score = -np.argsort(ranked).astype(float)
        found[score] = outcome(0, [(by_score, judge) for _, judge in both])
        cells = [
            Scored(rows[place].cell.archid, rows[place].params, rank)
            for rank, place in enumerate(ranked, start=1)
        ]
        for best in finalists:
            taken = [choose(cells, best, beside, seed) for seed in range(draws)]
            for bound, pairs in bounds.items():
                choices = [
                    (trained_only(rows, members, chooser), judge)
                    for members in taken
                    for chooser, judge in pairs
                ]
                name = f"{score}, {best} finalists and {beside}{bound}"
                found[name] = outcome(len(taken[0]), choices)
    for bound, pairs in bounds.items():
        found[f"{ALL_TRAINED}{bound}"] = outcome(count, pairs)
    return found


def with_judge(pairs: Sequence[tuple[Scores, Scores]]) -> list[tuple[Scores, Scores]]:
    """Return pairs (chooses, judges) in which the mean of both chooses."""
    return [((chooser + judge) / 2, judge) for chooser, judge in pairs]


def ranking(rows: Sequence[TrainedCell], values: Scores, sizes: Sizes, table: Table) -> list[int]:
    """Return the places of cells, the best score first, equal ones as a search ranks them."""
    space = Space.of(SearchConfig(), sizes, table.structural, table.images)
    return sorted(
        range(len(rows)),
        key=lambda place: rank_order(float(values[place]), rows[place].cell, space),
    )


def trained_only(
    rows: Sequence[TrainedCell], members: Sequence[Scored], accuracy: Scores
) -> Scores:
    """Return the accuracies of the cells that are trained, and of the others less than any."""
    names = {item.archid for item in members}
    return np.where([row.cell.archid in names for row in rows], accuracy, -np.inf)


def outcome(trainings: int, choices: Sequence[tuple[Scores, Scores]]) -> Outcome:
    """Return the means over choices, each as (what the largest is chosen of, the judge)."""
    return Outcome(
        trainings,
        fmean(regret(values, judge) for values, judge in choices),
        fmean(beaten_by(values, judge) for values, judge in choices),
    )


if __name__ == "__main__":
    cli.run(main)
