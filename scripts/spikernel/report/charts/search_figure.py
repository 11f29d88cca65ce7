"""What each search cost, against SNASNet's plan of samples at the same speed per score."""

import math
from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spikernel import tables
from spikernel.report.charts import panels, style
from spikernel.report.tables.records import Search, sizes_text
from spikernel.report.tables.table import significant

REFERENCE_SAMPLES = 5000
"""Architectures that SNASNet's search draws and scores (Kim et al., ECCV 2022)."""

COLUMNS = (
    *("dataset", "kernel_set", "kernel_sizes", "strategy", "device", "evaluated", "distinct"),
    *("scored", "seconds", "seconds_per_score", "reference_seconds", "ratio"),
)
"""Columns of the search costs."""


def table(searches: Sequence[Search], candidates: pd.DataFrame) -> pd.DataFrame:
    """Return the cost of each search and of the reference plan, in seconds.

    `reference_seconds` is what SNASNet's 5,000 samples, each of them scored, would take at this
    search's own mean time per exact score; `ratio` is that divided by this search's seconds. So the
    ratio says what the search saves: it looks at fewer cells, scores equal cells once, and
    filters. A faster score does not change it. Both are NaN where nothing was timed.

    Args:
        searches: the searches.
        candidates: from `spikernel.report.charts.score_figure.read_candidates`.

    """
    timed = candidates[candidates["seconds"].notna()]
    rows = []
    for item in searches:
        own = (timed["dataset"] == item.dataset) & (timed["kernel_set"] == item.kernel_set)
        each = float(timed.loc[own, "seconds"].mean())
        reference = REFERENCE_SAMPLES * each
        rows.append(
            {
                **item.model_dump(include=set(COLUMNS)),
                "kernel_sizes": sizes_text(item.kernel_sizes),
                "scored": int(own.sum()),
                "seconds_per_score": each,
                "reference_seconds": reference,
                "ratio": reference / item.seconds if item.seconds else math.nan,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def draw(costs: pd.DataFrame) -> Figure:
    """Draw one panel per data set: a line from each search to its reference plan."""
    sets = int(costs.groupby("dataset")["kernel_set"].count().max())
    with style.theme():
        figure, grid = panels.grid(costs["dataset"].unique().tolist(), height=1.7 + 0.36 * sets)
        for dataset, axes in grid.items():
            _panel(axes, costs[costs["dataset"] == dataset])
        handles = [
            Line2D([], [], linestyle="", marker="o", color=style.COLOURS[0], label="this search"),
            Line2D([], [], linestyle="", marker="D", markerfacecolor=style.PAPER,
                   color=style.INK, label=f"{REFERENCE_SAMPLES:,} samples, all scored"),
        ]  # fmt: skip
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _panel(axes: Axes, part: pd.DataFrame) -> None:
    part = part.sort_values("kernel_set").reset_index(drop=True)
    known = part[part["reference_seconds"].notna()]
    style.log_axis(
        axes,
        part["seconds"].clip(lower=1e-3).min(),
        max(part["seconds"].max(), known["reference_seconds"].max() if len(known) else 0.0),
        room=0.12,
    )
    for row in tables.records(known):
        axes.plot(
            [row["seconds"], row["reference_seconds"]], [row["kernel_set"]] * 2,
            color=style.MUTED, linewidth=1.2, zorder=1,
        )  # fmt: skip
        axes.annotate(
            f"{significant(row['ratio'], 2)}×",
            (row["reference_seconds"], row["kernel_set"]),
            xytext=(8, 0), textcoords="offset points", va="center", fontsize=9, color=style.INK,
        )  # fmt: skip
    look = {"ax": axes, "legend": False, "zorder": 3, "s": 52}
    sns.scatterplot(part, x="seconds", y="kernel_set", color=style.COLOURS[0], marker="o", **look)
    sns.scatterplot(
        known, x="reference_seconds", y="kernel_set", color=style.PAPER, marker="D",
        edgecolor=style.INK, linewidth=1.2, **look,
    )  # fmt: skip
    axes.set(xlabel="Compute time in seconds", ylabel="")
    axes.margins(y=0.12)
