"""The training-free score of the final models against the accuracy they reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.stats import kendalltau

from spikernel import tables
from spikernel.errors import TableError
from spikernel.report.charts import panels, style
from spikernel.report.tables.table import significant

COLUMNS = (
    *("dataset", "kernel_set", "rank", "archid", "params", "score", "seeds"),
    *("val_accuracy_percent_mean", "val_accuracy_percent_sd"),
    *("test_accuracy_percent_mean", "test_accuracy_percent_sd"),
)
"""Columns of the scores."""

SPLITS = {"validation": "val_accuracy_percent", "test": "test_accuracy_percent"}
"""What a score is set against: a split, and the beginning of the names of its columns."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far a quantity orders the trained models as their accuracy on a split does."""

    dataset: str
    quantity: str
    split: str
    cells: int
    """Distinct ones."""
    tau: float
    """Kendall's tau-b; NaN where all models are tied."""
    p_value: float


def read_candidates(paths: Sequence[Path]) -> pd.DataFrame:
    """Read candidates.csv of all searches, with data set and kernel set from their place.

    Raises:
        TableError: a file lies elsewhere, lacks a column, or holds a number that is not one.

    """
    parts = []
    for path in sorted(paths):
        if len(path.parts) < 4 or path.parts[-3] not in ("nas_search", "finalists"):
            raise TableError(f"{path} does not lie at <dataset>/nas_search/<kernel_set>/")
        table = tables.read_csv(
            path,
            text=("archid", "score"),
            numbers=("params",),
            optional_numbers=("rank", "seconds"),
        )
        # Scores that are not finite are written as such; those cells have no rank.
        score = pd.to_numeric(table["score"], errors="coerce").where(table["rank"].notna())
        parts.append(table.assign(dataset=path.parts[-4], kernel_set=path.parts[-2], score=score))
    columns = ["dataset", "kernel_set", "archid", "params", "score", "rank", "seconds"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def table(means: pd.DataFrame, candidates: pd.DataFrame) -> pd.DataFrame:
    """Return the score of every trained model and its accuracy; models without one are left out.

    The score compares cells, all at width 1: of several widths only the nearest to it is here.
    """
    distance = (means["width"] - 1).abs()
    means = means[distance == distance.groupby(means["dataset"]).transform("min")]
    keys = ["dataset", "kernel_set", "archid"]
    joined = means.merge(candidates[[*keys, "score"]], on=keys, how="inner")
    return joined[joined["score"].notna()][list(COLUMNS)].reset_index(drop=True)


def agreements(scored: pd.DataFrame) -> list[Agreement]:
    """Return Kendall's tau of score and of parameters with each accuracy, per data set.

    The parameters are the baseline that a score has to beat. A cell that several kernel sets chose
    counts once. Data sets with fewer than three cells are left out.
    """
    found = []
    for dataset, part in scored.drop_duplicates(["dataset", "archid"]).groupby("dataset"):
        for quantity, split in product(("score", "params"), SPLITS):
            if len(part) >= 3:
                result = kendalltau(part[quantity], part[f"{SPLITS[split]}_mean"])
                found.append(
                    Agreement(
                        dataset=str(dataset),
                        quantity=quantity,
                        split=split,
                        cells=len(part),
                        tau=float(result.statistic),
                        p_value=float(result.pvalue),
                    )
                )
    return found


def draw(scored: pd.DataFrame, looks: style.Looks) -> Figure:
    """Draw two panels per data set, validation and test: a point per model, bars over seeds."""
    places = {
        f"{dataset}: {split}": (dataset, split)
        for dataset, split in product(scored["dataset"].unique(), SPLITS)
    }
    with style.theme():
        figure, grid = panels.grid(list(places), height=3.5, width=4.0, columns=2)
        for title, axes in grid.items():
            dataset, split = places[title]
            _panel(axes, scored[scored["dataset"] == dataset], split, looks)
        handles = [
            Line2D([], [], linestyle="", marker=looks[name][1], color=looks[name][0], label=name)
            for name in sorted(scored["kernel_set"].unique())
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _panel(axes: Axes, part: pd.DataFrame, split: str, looks: style.Looks) -> None:
    mean, sd = f"{SPLITS[split]}_mean", f"{SPLITS[split]}_sd"
    for row in tables.records(part[part[sd].notna()]):
        axes.errorbar(
            row["score"], row[mean], yerr=row[sd],
            color=looks[row["kernel_set"]][0], capsize=3, linewidth=1.2, zorder=2,
        )  # fmt: skip
    sns.scatterplot(
        part, x="score", y=mean, hue="kernel_set", style="kernel_set", ax=axes, legend=False, s=62,
        palette={name: colour for name, (colour, _) in looks.items()},
        markers={name: marker for name, (_, marker) in looks.items()},
        edgecolor=style.PAPER, linewidth=0.8, zorder=3,
    )  # fmt: skip
    axes.xaxis.set_major_formatter(lambda value, _: significant(value, 4))
    axes.set(xlabel="Training-free score", ylabel=f"{split.capitalize()} accuracy in %")
    axes.margins(x=0.1, y=0.14)
