"""Validation accuracy of the final models over their training."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from spikernel import tables
from spikernel.errors import TableError
from spikernel.report import panels, style

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
        parts.append(table.assign(**_model(path))[list(COLUMNS)])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def _model(path: Path) -> dict[str, str | int]:
    try:
        dataset, step, kernel_set, rank, seed = path.parts[-6:-1]
        if step != "train_final":
            raise ValueError(step)
        return {
            **{"dataset": dataset, "kernel_set": kernel_set},
            **{"rank": int(rank.removeprefix("rank-")), "seed": int(seed.removeprefix("seed-"))},
        }
    except ValueError:
        raise TableError(
            f"{path} does not lie at <dataset>/train_final/<kernel_set>/rank-<r>/seed-<s>/"
        ) from None


def draw(table: pd.DataFrame, looks: style.Looks) -> Figure:
    """Draw one panel per data set and one line per model and seed."""
    with style.theme():
        figure, grid = panels.grid(table["dataset"].unique().tolist(), height=3.4)
        for dataset, axes in grid.items():
            part = table[table["dataset"] == dataset]
            run = part["rank"].astype(str) + "/" + part["seed"].astype(str)
            sns.lineplot(
                part.assign(run=run), x="epoch", y="val_accuracy_percent", hue="kernel_set",
                units="run", estimator=None, errorbar=None, legend=False, ax=axes, linewidth=1.3,
                palette={name: colour for name, (colour, _) in looks.items()},
                marker="." if part["epoch"].nunique() <= 12 else None,
            )  # fmt: skip
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            axes.set(xlabel="Epoch", ylabel="Validation accuracy in %")
        handles = [
            Line2D([], [], color=looks[name][0], label=name)
            for name in sorted(table["kernel_set"].unique())
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure
