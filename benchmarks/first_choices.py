"""What became of the cells that the library's score ranks first in each kernel set, at equal width.

A table holds cells that were drawn, a search takes the extreme of its score among all. So the first
choices of `predicted_accuracy` in every set are cells of the table as well (group `first`). Each is
held against the other cells of its set, by the mean accuracy of the seeds that there are.

    python benchmarks/first_choices.py --table docs/measurements/kernel-cells.csv --output FILE.csv
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

from common import ROOT  # noqa: F401  (puts the library on the path)
from table_sets import comparable, possible_sets, within
from trained_cells import TrainedCell, read_table

from spikernel import cli, tables
from spikernel.config import SearchConfig
from spikernel.search.strategies import Space, plan
from spikernel.study.planned_nets import likely_cell

SEARCH = SearchConfig(strategy="exhaustive", score="predicted_accuracy")


def against(chosen: TrainedCell, others: Sequence[TrainedCell]) -> dict[str, float]:
    """Return by how much the best of the others is ahead, and how many of them are, in percent."""
    accuracies = [row.accuracy for row in others]
    return {
        "points_below_best": round(max(accuracies) - chosen.accuracy, 2),
        "better_cells_percent": round(
            100 * sum(each > chosen.accuracy for each in accuracies) / len(accuracies), 1
        ),
    }


def main(
    table: Annotated[Path, "the CSV of kernel_cells.py"],
    output: Annotated[Path, "CSV to write, a line for each set"],
) -> None:
    """Write what became of the first choices that are in the table, and print the means."""
    trained = read_table(table, "same_width")
    rows = comparable(trained.rows, seeds=1)
    found = {row.cell.canonical(): row for row in rows}
    lines: list[dict[str, Any]] = []
    for sizes in possible_sets({size for row in rows for size in row.cell.kernel_sizes()}):
        space = Space.of(SEARCH, sizes, trained.structural, trained.images)
        cell = likely_cell(plan(SEARCH, space).cells, SEARCH, space)
        if (chosen := found.get(cell)) is None:
            print(f"{sizes}: {cell.archid} is not trained")
            continue
        others = [
            row for row in rows if within(row, sizes) and row.group != "first" and row != chosen
        ]
        lines.append({
            "kernel_set": " ".join(map(str, sizes)), "archid": cell.archid,
            "seeds": len(chosen.accuracies), "test_accuracy_percent": round(chosen.accuracy, 2),
            "cells": len(others), **against(chosen, others),
        })  # fmt: skip
    tables.write_csv(output, lines)
    for key in ("points_below_best", "better_cells_percent"):
        print(f"{key}: {fmean(line[key] for line in lines):.2f}")


if __name__ == "__main__":
    cli.run(main)
