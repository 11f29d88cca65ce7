"""Draw score against accuracy for the cells of a table, with the finalists of a search marked.

The whole table stands for the search space, and its trainings for those of the finalists. The
validation accuracy of the first seed chooses among them, as in a search; what is drawn is the test
accuracy, mean over the seeds. `finalists_regret.py` has the same in numbers, per kernel set.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import common  # noqa: F401  (puts the library on the path)
import numpy as np
from finalists_regret import ranking
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from rank_statistics import Scores
from score_values import PREDICTED, structural
from table_sets import comparable
from trained_cells import Table, read_table

from spikernel import artifacts, cli
from spikernel.config import FinalistConfig, SearchConfig
from spikernel.errors import ConfigError
from spikernel.report.charts import style
from spikernel.search.finalists import Scored, choose


@dataclass(frozen=True)
class Play:
    """A search with finalists on the cells of a table."""

    scores: Scores
    """[cells], rounded: a sum may end in other digits on another processor."""
    accuracy: Scores
    """Test accuracy in percent, mean over the seeds, [cells]."""
    first: int
    """Place of the first cell by score."""
    trained: list[int]
    """Places of the finalists."""
    chosen: int
    """Place of the finalist with the best validation accuracy."""


def main(
    table: Annotated[Path, "the CSV of kernel_cells.py"],
    output: Annotated[Path, "SVG to write"],
    score: Annotated[str, "training-free score that needs no images"] = SearchConfig().score,
    finalists: Annotated[int, "of the best by score that are trained"] = 4,
    beside: Annotated[int, "cells beside the best by score"] = FinalistConfig().beside,
    control: Annotated[Literal["same_width", "same_parameters"], "which nets"] = "same_width",
    seed: Annotated[int, "of the draw of the cells beside"] = 0,
) -> None:
    """Write the figure."""
    found = play(read_table(table, control), score, finalists, beside, seed)
    with style.theme(), artifacts.atomic(output) as temporary:
        figure = drawn(found, score)
        figure.savefig(temporary, **style.FORMATS["svg"])
    plt.close(figure)
    print(output)


def play(table: Table, score: str, finalists: int, beside: int, seed: int = 0) -> Play:
    """Choose among the dense cells as a search with finalists does.

    Raises:
        ConfigError: there is no such score, no such cell, or no validation accuracy.

    """
    rows = [row for row in comparable(table.rows, seeds=1) if row.val_accuracies]
    values = dict(structural(rows, table)) if rows else {}
    if score not in values:
        raise ConfigError(
            f"no dense cell with a validation accuracy has a score '{score}': known scores are "
            f"{', '.join(values) or 'none, because there is no such cell'}"
        )
    scores = np.round(values[score][0], 2)
    sizes = tuple(sorted({size for row in rows for size in row.cell.kernel_sizes()}))
    ranked = ranking(rows, scores, sizes, table)
    cells = [
        Scored(rows[place].cell.archid, rows[place].params, rank)
        for rank, place in enumerate(ranked, start=1)
    ]
    names = [row.cell.archid for row in rows]
    trained = [names.index(item.archid) for item in choose(cells, finalists, beside, seed)]
    best = max(trained, key=lambda place: rows[place].val_accuracies[0])
    return Play(scores, np.array([row.accuracy for row in rows]), ranked[0], trained, best)


def drawn(found: Play, score: str) -> Figure:
    """Draw what a search with finalists chooses."""
    others = [place for place in range(len(found.scores)) if place not in found.trained]
    figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    marks = [
        (others, style.MUTED, "o", 30, f"{len(others)} other cells"),
        (found.trained, style.COLOURS[0], "s", 52, f"{len(found.trained)} finalists, trained"),
        ([found.first], style.COLOURS[1], "D", 52, "first by score, without training"),
        ([found.chosen], style.COLOURS[2], "*", 170, "chosen: the best finalist by validation"),
    ]
    for places, colour, marker, size, label in marks:
        axes.scatter(
            found.scores[places], found.accuracy[places], s=size, c=colour, marker=marker,
            label=label, edgecolors=style.PAPER, linewidths=0.6, zorder=3,
        )  # fmt: skip
    middle = float(np.mean(found.accuracy))
    axes.axhline(middle, color=style.MUTED, linewidth=1, linestyle="--")
    axes.annotate(
        "a cell drawn at random", (0.01, middle), xycoords=("axes fraction", "data"), ha="left",
        va="bottom", color=style.MUTED,
    )  # fmt: skip
    name = "accuracy in % predicted from all other cells" if score == PREDICTED else score
    axes.set(xlabel=f"Score, before any training: {name}", ylabel="Test accuracy in %")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    cli.run(main)
