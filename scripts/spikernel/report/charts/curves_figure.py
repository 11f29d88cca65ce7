"""Validation accuracy of the final models over their training, a panel per kernel set."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from spikernel import tables
from spikernel.report.charts import panels, style
from spikernel.report.tables.runs import Run

COLUMNS = ("dataset", "kernel_set", "rank", "width", "seed", "epoch", "val_accuracy_percent")
"""Columns of the training curves."""
_Y = "val_accuracy_percent"
_BEGINNING = 0.2
"""Share of the epochs that the axes need not show whole: accuracies rise most there."""


def read(paths: Sequence[Path]) -> pd.DataFrame:
    """Read the history.csv files of all models.

    Which model a history belongs to follows from its place, see `spikernel.report.tables.runs`.

    Raises:
        TableError: a file lies elsewhere, lacks a column, or holds a number that is not finite.

    """
    parts = []
    for path in sorted(paths):
        table = tables.read_csv(path, numbers=("epoch", "val_accuracy_percent"))
        run = Run.of_file(path)
        parts.append(table.assign(**{name: getattr(run, name) for name in COLUMNS[:5]}))
    columns = list(COLUMNS)
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def draw(table: pd.DataFrame, looks: style.Looks) -> Figure:
    """Draw one panel per data set and kernel set: its models in colour, all others in grey.

    A line is the mean of a model over its seeds, the best rank the boldest; the area is between
    its seeds; where a cell was trained at several widths, its lines say which. The first epochs
    may leave the axes below.
    """
    several = table["dataset"].nunique() > 1
    with style.theme():
        pairs = table[["dataset", "kernel_set"]].drop_duplicates().sort_values(list(COLUMNS[:2]))
        places = {
            f"{row['dataset']}: {row['kernel_set']}" if several else row["kernel_set"]: (
                row["dataset"],
                row["kernel_set"],
            )
            for row in tables.records(pairs)
        }
        figure, grid = panels.grid(list(places), height=2.5, width=3.1)
        for title, axes in grid.items():
            dataset, name = places[title]
            _panel(axes, table[table["dataset"] == dataset], name, looks[name][0])
        handles = [
            Line2D([], [], color=style.INK, linewidth=2, label="mean over seeds"),
            Line2D([], [], color=style.INK, alpha=0.2, linewidth=7, label="between the seeds"),
            Line2D([], [], color=style.GRID, linewidth=1.2, label="other kernel sets"),
        ]
        # One panel is narrower than the three beside each other.
        columns = 3 if len(places) > 1 else 1
        figure.legend(handles=handles, loc="outside lower center", ncols=columns)
    return figure


def _panel(axes: Axes, part: pd.DataFrame, name: str, colour: str) -> None:
    epochs = part["epoch"].max()
    several_widths = part.loc[part["kernel_set"] == name, "width"].nunique() > 1
    for (kernel_set, rank, width), model in part.groupby(["kernel_set", "rank", "width"]):
        seeds = model.groupby("epoch")[_Y].agg(["mean", "min", "max"])
        if kernel_set == name:
            weight = 2.0 if rank == part["rank"].min() else 1.1
            axes.plot(seeds.index, seeds["mean"], color=colour, linewidth=weight, zorder=3)
            axes.fill_between(
                seeds.index, seeds["min"], seeds["max"], color=colour, alpha=0.2, linewidth=0
            )
            if several_widths:
                axes.annotate(
                    f"×{width:g}", (seeds.index[-1], seeds["mean"].iloc[-1]), fontsize=8,
                    xytext=(-2, 2), textcoords="offset points", ha="right", color=style.INK,
                )  # fmt: skip
        else:
            axes.plot(seeds.index, seeds["mean"], color=style.GRID, linewidth=1.2, zorder=2)
    shown = part.loc[part["epoch"] > _BEGINNING * epochs, _Y]
    room = max(0.3, 0.06 * (shown.max() - shown.min()))
    axes.set_ylim(max(0.0, shown.min() - room), shown.max() + room)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    place = axes.get_subplotspec()
    first = place is not None and place.is_first_col()
    axes.set(xlabel="Epoch", ylabel="Validation accuracy in %" if first else "")
