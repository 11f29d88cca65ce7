"""Draw score against accuracy for the cells of a table, with the finalists of a search marked.

The whole table stands for the search space. The first seed chooses among the finalists, and what is
drawn is the mean of both seeds; `finalists_regret.py` has the same in numbers, per kernel set, with
the seed that chooses and the one that judges apart.
"""

from pathlib import Path
from typing import Annotated, Literal

import common  # noqa: F401  (puts the library on the path)
import numpy as np
from finalists_regret import ranking
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from score_values import structural
from table_sets import accuracies_of, comparable
from trained_cells import Table, read_table

from spikernel import artifacts, cli
from spikernel.config import FinalistConfig, SearchConfig
from spikernel.errors import ConfigError
from spikernel.report.charts import style
from spikernel.search.finalists import Scored, choose


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
    with style.theme(), artifacts.atomic(output) as temporary:
        figure = drawn(read_table(table, control), score, finalists, beside, seed)
        figure.savefig(temporary, **style.FORMATS["svg"])
    plt.close(figure)
    print(output)


def drawn(table: Table, score: str, finalists: int, beside: int, seed: int) -> Figure:
    """Draw the dense cells of two seeds.

    Raises:
        ConfigError: there is no such score, or no such cell.

    """
    rows = comparable(table.rows)
    values = dict(structural(rows, table)) if rows else {}
    if score not in values:
        raise ConfigError(
            f"no dense cell of two seeds has a score '{score}': known scores are "
            f"{', '.join(values) or 'none, because there is no such cell'}"
        )
    scores = values[score][0]
    chooses, mean = accuracies_of(rows)[0], accuracies_of(rows).mean(0)
    sizes = tuple(sorted({size for row in rows for size in row.cell.kernel_sizes()}))
    ranked = ranking(rows, scores, sizes, table)
    cells = [
        Scored(rows[place].cell.archid, rows[place].params, rank)
        for rank, place in enumerate(ranked, start=1)
    ]
    names = [row.cell.archid for row in rows]
    trained = [names.index(item.archid) for item in choose(cells, finalists, beside, seed)]
    others = [place for place in range(len(rows)) if place not in trained]
    best = max(trained, key=lambda place: chooses[place])
    figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    marks = [
        (others, style.MUTED, "o", 30, f"{len(others)} other cells"),
        (trained, style.COLOURS[0], "s", 52, f"{len(trained)} finalists, trained briefly"),
        ([ranked[0]], style.COLOURS[1], "D", 52, "first by score, without training"),
        ([best], style.COLOURS[2], "*", 170, "chosen: the best finalist"),
    ]
    for places, colour, marker, size, label in marks:
        axes.scatter(
            scores[places], mean[places], s=size, c=colour, marker=marker, label=label,
            edgecolors=style.PAPER, linewidths=0.6, zorder=3,
        )  # fmt: skip
    middle = float(np.mean(mean))
    axes.axhline(middle, color=style.MUTED, linewidth=1, linestyle="--")
    axes.annotate(
        "a cell drawn at random", (1, middle), xycoords=("axes fraction", "data"), ha="right",
        va="bottom", color=style.MUTED,
    )  # fmt: skip
    axes.set(xlabel=f"Score ({score}), known before any training", ylabel="Test accuracy in %")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    cli.run(main)
