"""Check the design rule of kernel sets on a table of trained cells.

Every set of two or three sizes that the table has and `impact.csv` measures, the baseline among
them, is ranked by the rule of `kernel_set_design`, and by the best cell that it holds in the table
within a budget of parameters. Beside the rule stand its two parts, evidence alone and cost alone.

**The best cell of a set, fairly.** The best of more cells is better by chance alone, the table has
more cells over three sizes than over two, and not the same numbers of deep ones. So every set is
searched as often: draw a stratum (depth and number of convolutions), each as likely, then one of
its cells within the budget, `draws` times; take the best of them by one seed. Its accuracy in the
other seed is the value of the set; the mean over all draws is exact, not simulated. Both seeds
choose in turn. A set none of whose cells is within a budget has no value there.

Findings, each with the 95 % interval over resampled cells:

* `value of {1, 3}` and so on, and the place that the rule gives the set;
* `tau of ...`: Kendall's tau-b of a ranking against the values of the sets;
* `regret of ...`: what the best set has more than the first of a ranking, in points of accuracy;
  of a random set that is the mean over all sets. The best of several noisy values is too good by
  luck, so that even the right first set has some regret.

A rule that is better than chance has a tau above 0, and less regret than a random set. Without
`--max-params` the budgets are the quartiles of the parameters of all cells; under control
`same_parameters`, where all nets have nearly the same, there is no budget.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import common  # noqa: F401  (puts the library on the path)
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rank_statistics import DIGITS, RESAMPLES, Labels, Scores, regret, tau_b
from size_effects import Finding
from table_cells import stratum_of
from table_sets import Sizes, accuracies_of, comparable, possible_sets, roles, shown, within
from trained_cells import TrainedCell, read_table

from spikernel import cli, tables
from spikernel.config import DesignConfig, NetworkConfig
from spikernel.errors import ConfigError
from spikernel.study.kernel_set_design import judge, judge_sizes, rank

QUESTION = "kernel sets"
RULE = "the rule"
CONTROLS = ["same_width", "same_parameters"]
QUARTILES = (0.25, 0.5, 0.75)


def main(
    table: Annotated[Path, "the CSV of kernel_cells.py"],
    impact: Annotated[Path, "impact.csv of a run of the workflow on the same data set"],
    findings: Annotated[Path, "CSV to write"],
    controls: Annotated[list[str], "which nets of the table"] = CONTROLS,
    max_params: Annotated[list[int] | None, "budgets; default: see above"] = None,
    draws: Annotated[int, "cells that are drawn from each set"] = 12,
    seed: Annotated[int, "of the intervals"] = 0,
) -> None:
    """Write the findings, and print them."""
    measured = tables.read_csv(impact, numbers=("kernel_size", "val_accuracy_percent_mean"))
    found: list[Finding] = []
    for control in controls:
        trained = read_table(table, control)
        rows = comparable(trained.rows)
        known = set(measured["kernel_size"].astype(int))
        sets = possible_sets(known & {size for row in rows for size in row.cell.kernel_sizes()})
        if len(sets) < 2:
            raise ConfigError(
                f"{table} has no two sets of dense cells with two seeds in sizes of {impact}: "
                "train more cells, or measure more sizes"
            )
        rankings = rankings_of(sets, measured, trained.structural)
        for budget in budgets_of(rows, control, max_params):
            part = "all" if budget is None else f"params <= {budget}"
            chosen = [row for row in rows if budget is None or row.params <= budget]
            if not chosen:
                raise ConfigError(f"--max-params: no cell has {budget} parameters or fewer")
            values = resampled(Cells.of(chosen, sets), draws, seed)
            found += described(sets, rankings, values, control, part, len(chosen))
    lines = [finding.row() for finding in found]
    tables.write_csv(findings, lines)
    print(pd.DataFrame(lines).to_string(index=False, float_format="{:.2f}".format))


def rankings_of(
    sets: Sequence[Sizes], impact: pd.DataFrame, network: NetworkConfig
) -> dict[str, Scores]:
    """Return what each ranking thinks of the sets, higher is better, by name."""
    judged = judge_sizes(impact, network)
    items = [judge(sizes, judged) for sizes in sets]
    places = {item.sizes: place for place, item in enumerate(rank(items))}
    return {
        RULE: np.array([-places[sizes] for sizes in sets], dtype=float),
        "evidence alone": np.array([item.evidence_percent for item in items]),
        "cost alone": np.array([-item.cost for item in items]),
    }


def budgets_of(
    rows: Sequence[TrainedCell], control: str, given: Sequence[int] | None
) -> list[int | None]:
    """Return the budgets of parameters, the smallest first; None: no budget, which is the last."""
    if given is None and control == "same_width" and rows:
        params = [row.params for row in rows]
        given = [int(np.quantile(params, share)) for share in QUARTILES]
    return [*sorted(given or ()), None]


@dataclass(frozen=True)
class Cells:
    """The cells of a table and the sets that hold them."""

    accuracies: NDArray[np.float64]
    """[2 seeds, cells]"""
    strata: Labels
    members: NDArray[np.bool_]
    """[sets, cells]"""

    @classmethod
    def of(cls, rows: Sequence[TrainedCell], sets: Sequence[Sizes]) -> "Cells":
        """Return those of these rows."""
        strata = [stratum_of(row.cell) for row in rows]
        numbers = {stratum: number for number, stratum in enumerate(sorted(set(strata)))}
        return cls(
            accuracies_of(rows),
            np.array([numbers[stratum] for stratum in strata], dtype=np.int64),
            np.array([[within(row, sizes) for row in rows] for sizes in sets], dtype=bool),
        )

    def values(self, places: NDArray[np.int64], draws: int) -> Scores:
        """Return the value of every set, NaN of an empty one, from the cells at these places."""
        found = np.full(len(self.members), math.nan)
        for number, members in enumerate(self.members[:, places]):
            own = places[members]
            if len(own):
                both = roles(self.accuracies[:, own])
                values = [best_of(*pair, self.strata[own], draws) for pair in both]
                # Sums in another order differ in the last digits, which would break ties.
                found[number] = round(sum(values) / len(values), DIGITS)
        return found


def best_of(chooses: Scores, judges: Scores, strata: Labels, draws: int) -> float:
    """Return the expected judgement of the best of `draws` cells.

    A draw takes a stratum, each as likely, then one of its cells; a cell may be drawn again.

    Args:
        chooses: accuracies that say which cell is the best, [cells].
        judges: accuracies that say how good it is.
        strata: of the cells.
        draws: how often a cell is drawn.

    """
    _, own, counts = np.unique(strata, return_inverse=True, return_counts=True)
    chances = 1 / (len(counts) * counts[own])
    order = np.argsort(chooses, kind="stable")
    # The best of all draws is among the k worst cells when each draw is.
    among_worst = np.cumsum(chances[order]) ** draws
    return float(np.diff(among_worst, prepend=0.0) @ judges[order])


def resampled(cells: Cells, draws: int, seed: int) -> NDArray[np.float64]:
    """Return the values [1 + RESAMPLES, sets] of all cells, then those of resampled cells."""
    count = cells.accuracies.shape[1]
    generator = np.random.default_rng(seed)
    everywhere: list[NDArray[np.int64]] = [np.arange(count)]
    everywhere += [generator.integers(count, size=(count,)) for _ in range(RESAMPLES)]
    return np.array([cells.values(places, draws) for places in everywhere])


def described(
    sets: Sequence[Sizes],
    rankings: Mapping[str, Scores],
    values: NDArray[np.float64],
    control: str,
    part: str,
    units: int,
) -> Iterator[Finding]:
    """Yield the findings of one control and budget from the values of `resampled`."""
    places = {sets[number]: place for place, number in enumerate(np.argsort(-rankings[RULE]), 1)}
    names = [f"value of {shown(sizes)}, place {places[sizes]} by the rule" for sizes in sets]
    figures = [{**dict(zip(names, row, strict=True)), **_figures(rankings, row)} for row in values]
    baseline = DesignConfig().baseline
    if baseline in sets:
        place = list(sets).index(baseline)
        for row, found in zip(values, figures, strict=True):
            found[f"regret of {shown(baseline)}"] = float(np.nanmax(row) - row[place])
    for name, column in pd.DataFrame(figures).items():
        value, *others = column
        if not math.isnan(value):  # else the set has no cell, or nothing can be ranked
            low, high = np.nanpercentile(others, [2.5, 97.5])
            yield Finding(QUESTION, control, part, str(name), value, low, high, units)


def _figures(rankings: Mapping[str, Scores], values: Scores) -> dict[str, float]:
    """Return tau and regret of each ranking, and the regret of a random set."""
    there = np.isfinite(values)
    found = {}
    for name, worth in {**rankings, "a random set": np.zeros(len(values))}.items():
        found[f"tau of {name}"] = tau_b(worth[there], values[there])
        found[f"regret of {name}"] = regret(worth[there], values[there])
    del found["tau of a random set"]
    return found


if __name__ == "__main__":
    cli.run(main)
