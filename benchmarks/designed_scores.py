"""Scores that were made on one table of trained cells, judged on cells that it does not hold.

Both know the graph of a cell alone. `lean` is a rule: few weights, but a convolution larger than
1x1, and no 1x1 in front or plain edge at the end of a longer path. `fitted` is a ridge regression
of accuracy on the counts of `counts`. Beside them stand the score of the library, counting, and,
for `fitted` on the table that it was made on, each cell predicted from all others.

    python benchmarks/designed_scores.py --made-on docs/measurements/kernel-cells-begun.csv \\
        --table results/kernel-cells.csv

The last line printed is one JSON object.
"""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, pstdev
from typing import Annotated, Literal

import common  # noqa: F401  (puts the library on the path)
import numpy as np
from numpy.typing import NDArray
from rank_statistics import Scores, bootstrap, regret, tau_b
from score_values import structural
from table_sets import comparable
from trained_cells import Table, TrainedCell, read_table

from spikernel import cli
from spikernel.errors import ConfigError
from spikernel.search.paths import forward_paths
from spikernel.space.cell import Cell
from spikernel.space.operations import AVG, SKIP, kernel_size

RIDGE = 3.0
"""Weight of the penalty, for counts of standard deviation 1 and accuracies in percent."""
COSTLY_WAY = 20
"""Weights, per pair of channels, that `lean` takes a costly way for."""
PLAIN = (SKIP, AVG)


def _size(operation: str) -> int:
    return kernel_size(operation) or 0


def lean(cell: Cell) -> float:
    """Return minus the weights and costly ways of a cell, far less where all kernels are 1x1.

    A way is costly where it has two edges or more and begins with a 1x1 or ends with a plain edge.
    """
    cell = cell.cleaned()
    ways = forward_paths(cell)
    costly = sum(len(way) > 1 and (_size(way[0]) == 1 or way[-1] in PLAIN) for way in ways)
    sizes = cell.kernel_sizes()
    if max(sizes, default=0) < 2:
        return -1e6
    return -float(sum(size**2 for size in sizes) + COSTLY_WAY * costly)


def counts(cell: Cell) -> list[float]:
    """Return what `fitted` knows of a cell, all of it numbers of edges and of ways through it."""
    cell = cell.cleaned()
    ways = forward_paths(cell)
    edges = cell.connections()
    large = [sum(_size(edge) > 1 for edge in way) for way in ways]
    convolutions = [sum(_size(edge) > 0 for edge in way) for way in ways]
    fields = [1 + sum(_reach(edge) for edge in way) for way in ways]
    return [
        *(float(sum(_size(kind) == size for *_, kind in edges)) for size in (1, 3, 5, 7)),
        *(float(sum(kind == plain for *_, kind in edges)) for plain in PLAIN),
        float(sum(kind in PLAIN for source, target, kind in edges if source and target == 3)),
        float(sum(kind in PLAIN for source, _, kind in edges if not source)),
        float(sum(_size(kind) ** 2 for *_, kind in edges)),
        float(len(ways)),
        float(max(large) > 0), float(max(large)), float(min(large)), fmean(large),
        float(sum(not number for number in large)),
        fmean(convolutions), float(sum(not number for number in convolutions)),
        float(max(fields)), fmean(fields), pstdev(fields),
    ]  # fmt: skip


def _reach(operation: str) -> int:
    """Return by how many pixels an operation widens the receptive field."""
    return 2 if operation == AVG else max(_size(operation) - 1, 0)


def fit(cells: Sequence[Cell], accuracy: Scores, penalty: float) -> Callable[[Cell], float]:
    """Return a ridge regression of accuracy on the counts of cells."""
    known = np.array([counts(cell) for cell in cells])
    middle, spread = known.mean(0), known.std(0)
    spread[spread == 0] = 1
    x = (known - middle) / spread
    weights: NDArray[np.float64] = np.linalg.solve(
        x.T @ x + penalty * np.eye(x.shape[1]), x.T @ (accuracy - accuracy.mean())
    )
    return lambda cell: float(((np.array(counts(cell)) - middle) / spread) @ weights)


def left_out(cells: Sequence[Cell], accuracy: Scores, penalty: float) -> Scores:
    """Return what the regression on all other cells says of each."""
    found = []
    for place, cell in enumerate(cells):
        others = [*cells[:place], *cells[place + 1 :]]
        known = np.delete(accuracy, place)
        # Each fit says how far a cell is from its own mean.
        found.append(known.mean() + fit(others, known, penalty)(cell))
    return np.array(found)


def values(
    rows: Sequence[TrainedCell], table: Table, fitted: Callable[[Cell], float]
) -> dict[str, Scores]:
    """Return the scores of cells by name."""
    known = {name: found for name, (found, _) in structural(rows, table)}
    return {
        "lean": np.array([lean(row.cell) for row in rows]),
        "fitted": np.array([fitted(row.cell) for row in rows]),
        **known,
    }


def main(
    made_on: Annotated[Path, "table that the scores were made on"],
    table: Annotated[Path, "table with further cells, the same ones or not"],
    control: Annotated[Literal["same_width", "same_parameters"], "which nets"] = "same_width",
    penalty: Annotated[float, "of the regression"] = RIDGE,
    seed: Annotated[int, "of the intervals"] = 0,
) -> None:
    """Print tau and regret of each score on both tables and, as the last line, the same as JSON."""
    made = comparable(read_table(made_on, control).rows, seeds=1)
    if len(made) < 2:
        raise ConfigError(f"{made_on} has no two dense cells: nothing can be made")
    cells, accuracy = [row.cell for row in made], np.array([row.accuracy for row in made])
    fitted = fit(cells, accuracy, penalty)
    known = {row.cell.archid for row in made}
    judged = read_table(table, control)
    parts = {
        "made on": made,
        "further": [
            row for row in comparable(judged.rows, seeds=1) if row.cell.archid not in known
        ],
    }
    record: dict[str, dict[str, dict[str, float | int | None]]] = {}
    for part, rows in parts.items():
        if len(rows) < 2:
            print(f"{part}: {len(rows)} cells, nothing to judge by")
            continue
        scores = values(rows, judged, fitted)
        if part == "made on":
            scores["fitted"] = left_out(cells, accuracy, penalty)
        own = np.array([row.accuracy for row in rows])
        record[part] = {name: _judged(found, own, seed) for name, found in scores.items()}
        print(f"{part}: {len(rows)} cells")
        for name, found in record[part].items():
            tau, low, high = (found[key] for key in ("tau", "low", "high"))
            print(f"  {name:<28}tau {tau} [{low}, {high}]  regret {found['regret']}")
    print(json.dumps(record))


def _judged(scores: Scores, accuracy: Scores, seed: int) -> dict[str, float | int | None]:
    low, high = bootstrap(scores, accuracy, seed)
    found = {"tau": tau_b(scores, accuracy), "low": low, "high": high}
    found["regret"] = regret(scores, accuracy)
    rounded = {
        name: None if math.isnan(value) else round(value, 2) for name, value in found.items()
    }
    return {**rounded, "cells": len(accuracy)}


if __name__ == "__main__":
    cli.run(main)
