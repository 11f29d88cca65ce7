"""Validation accuracy of the final models over their training."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from spikernel import tables
from spikernel.report.charts import panels, style
from spikernel.report.tables.runs import Run

COLUMNS = ("dataset", "kernel_set", "rank", "seed", "epoch", "val_accuracy_percent")
"""Columns of the training curves."""


def read(paths: Sequence[Path]) -> pd.DataFrame:
    """Read the history.csv files of all models.

    Which model a history belongs to follows from its place,
    `<dataset>/train_final/<kernel_set>/rank-<r>/seed-<s>/history.csv`.

    Raises:
        TableError: a file lies elsewhere, lacks a column, or holds a number that is not finite.

    """
    parts = []
    for path in sorted(paths):
        table = tables.read_csv(path, numbers=("epoch", "val_accuracy_percent"))
        run = Run.of_file(path)
        place = {name: getattr(run, name) for name in ("dataset", "kernel_set", "rank", "seed")}
        parts.append(table.assign(**place)[list(COLUMNS)])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def draw(table: pd.DataFrame, looks: style.Looks) -> Figure:
    """Draw one panel per data set and one line per model and seed."""
    with style.theme():
        figure, grid = panels.grid(table["dataset"].unique().tolist(), height=3.4)
        for dataset, axes in grid.items():
            part = table[table["dataset"] == dataset]
            run = part["rank"].astype(str) + "/" + part["seed"].astype(str)
            sns.lineplot(
                part.assign(run=run), x="epoch", y="val_accuracy_percent", hue="kernel_set",
                style="kernel_set", units="run", estimator=None, errorbar=None, legend=False,
                ax=axes, linewidth=1.2, dashes=False, markersize=5.5,
                palette={name: colour for name, (colour, _) in looks.items()},
                markers={name: marker for name, (_, marker) in looks.items()},
            )  # fmt: skip
            for line in axes.lines:
                line.set_markevery(max(1, part["epoch"].nunique() // 8))
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            axes.set(xlabel="Epoch", ylabel="Validation accuracy in %")
        handles = [
            Line2D([], [], color=looks[name][0], marker=looks[name][1], label=name, linewidth=1.2)
            for name in sorted(table["kernel_set"].unique())
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure
