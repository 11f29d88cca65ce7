"""Scores that were made on one table of trained cells, judged on cells that it does not hold.

`lean` is a rule: few weights, but a convolution larger than 1x1, and no 1x1 in front or plain edge
at the end of a longer path. `width_and_reach` weighs channels against the receptive field. `fitted`
is the library's `predicted_accuracy`, a ridge regression of accuracy on numbers of edges and paths,
here with the weights of a fit to `--made-on`; those cells are each predicted from all others.
`--write` puts a fit to all cells of `--table` but group `first` into the library's file, as its
weights for `--control`. Beside them stand the other scores of the library, and counting.

    python benchmarks/designed_scores.py --made-on docs/measurements/kernel-cells-first.csv \\
        --table docs/measurements/kernel-cells.csv --control same_parameters

The last line printed is one JSON object.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import common  # noqa: F401  (puts the library on the path)
import numpy as np
from fitted_scores import RIDGE, fit, left_out
from rank_statistics import Scores, bootstrap, regret, tau_b
from score_values import structural
from table_sets import comparable
from trained_cells import Table, TrainedCell, read_table

from spikernel import artifacts, cli
from spikernel.errors import ConfigError
from spikernel.search.paths import forward_paths
from spikernel.search.scores.predicted_accuracy import PLAIN, Regression, counts
from spikernel.space.cell import Cell
from spikernel.space.operations import kernel_size

COSTLY_WAY = 20
"""Weights, per pair of channels, that `lean` takes a costly way for."""


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


def width_and_reach(row: TrainedCell) -> float:
    """Return log(channels) + log(receptive field of the widest path, without pooling) / 3."""
    ways = forward_paths(row.cell.cleaned())
    reach = max(1 + sum(max(_size(edge) - 1, 0) for edge in way) for way in ways)
    return math.log(row.channels or 1) + math.log(reach) / 3


def values(rows: Sequence[TrainedCell], table: Table, fitted: Regression) -> dict[str, Scores]:
    """Return the scores of cells by name."""
    known = {name: found for name, (found, _) in structural(rows, table)}
    del known["predicted_accuracy"]  # `fitted` is its form
    return {
        "lean": np.array([lean(row.cell) for row in rows]),
        "width_and_reach": np.array([width_and_reach(row) for row in rows]),
        "fitted": np.array([fitted.predict(counts(row.cell)) for row in rows]),
        **known,
    }


def main(
    made_on: Annotated[Path, "table that the scores were made on"],
    table: Annotated[Path, "table with further cells, the same ones or not"],
    control: Annotated[Literal["same_width", "same_parameters"], "which nets"] = "same_width",
    penalty: Annotated[float, "of the regression"] = RIDGE,
    seed: Annotated[int, "of the intervals"] = 0,
    write: Annotated[Path | None, "the library's JSON, for a fit to all cells of --table"] = None,
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
    if write is not None:
        # Group `first` was chosen by such a fit, and judges it.
        rows = [row for row in comparable(judged.rows, seeds=1) if row.group != "first"]
        every = fit([row.cell for row in rows], np.array([row.accuracy for row in rows]), penalty)
        artifacts.write_json(write, {**artifacts.read_json(write), control: every.model_dump()})
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
