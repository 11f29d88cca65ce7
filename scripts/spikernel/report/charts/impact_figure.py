"""Accuracy against kernel size under the two controls."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikernel import tables
from spikernel.errors import TableError
from spikernel.report.charts import panels, style

CONTROLS = {"plain": "same width", "iso_parameter": "same parameters"}
"""Controls in the order in which they are shown, and what each keeps fixed."""

COLUMNS = (
    *("dataset", "control", "kernel_size", "seeds"),
    *("val_accuracy_percent_mean", "val_accuracy_percent_sd"),
)
"""Columns of the numbers that the figure draws."""

_NUMBERS = (
    *("kernel_size", "channels", "params", "memory_mb_fp32", "seeds", "val_accuracy_percent_mean"),
    *("firing_rate_mean", "effective_acs_mean", "effective_macs_mean", "energy_pj_mean"),
    "train_seconds_mean",
)
_LOOKS = {"plain": ("#0072b2", "o"), "iso_parameter": ("#d55e00", "s")}
_Y = "val_accuracy_percent_mean"


def read(paths: Sequence[Path]) -> pd.DataFrame:
    """Read the impact tables of all data sets, sorted by data set, control and size.

    Raises:
        TableError: a column is missing, a number is not finite, a control is unknown, or a
            row is given twice.

    """
    parts = []
    for path in sorted(paths):
        table = tables.read_csv(
            path,
            text=("dataset", "control"),
            numbers=_NUMBERS,
            optional_numbers=("val_accuracy_percent_sd",),
        )
        unknown = set(table["control"]) - set(CONTROLS)
        if unknown:
            raise TableError(f"{path}: unknown control '{min(unknown)}'")
        parts.append(table)
    if not parts:
        return pd.DataFrame(columns=list(dict.fromkeys((*COLUMNS, *_NUMBERS))))
    whole = pd.concat(parts, ignore_index=True)
    order = ["dataset", "control", "kernel_size"]
    twice = whole[whole.duplicated(order)]
    if len(twice):
        row = twice.iloc[0]
        raise TableError(
            f"kernel impact of size {row['kernel_size']:g} ({row['control']}) on "
            f"{row['dataset']} is given twice"
        )
    places = {name: place for place, name in enumerate(CONTROLS)}
    whole = whole.sort_values(
        order, key=lambda column: column.map(places) if column.name == "control" else column
    )
    return whole.astype({"kernel_size": int, "seeds": int}).reset_index(drop=True)


def draw(table: pd.DataFrame) -> Figure:
    """Draw one panel per data set, a line per control and bars over seeds."""
    with style.theme():
        figure, grid = panels.grid(table["dataset"].unique().tolist(), height=3.6)
        for dataset, axes in grid.items():
            _panel(axes, table[table["dataset"] == dataset])
        shown: dict[str, Artist] = {}
        for axes in grid.values():
            shown |= dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
        texts = [f"{name} ({CONTROLS[name]})" for name in shown]
        figure.legend(
            list(shown.values()), texts,
            loc="outside lower center", ncols=2 if len(grid) > 1 else 1,
        )  # fmt: skip
        for axes in grid.values():
            legend = axes.get_legend()
            if legend is not None:
                legend.remove()
    return figure


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    controls = [name for name in CONTROLS if name in set(table["control"])]
    sns.lineplot(
        table, x="kernel_size", y=_Y, hue="control", style="control", ax=axes, estimator=None,
        errorbar=None, hue_order=controls, style_order=controls, markersize=8,
        palette={name: colour for name, (colour, _) in _LOOKS.items()},
        markers={name: marker for name, (_, marker) in _LOOKS.items()},
        dashes={"plain": "", "iso_parameter": (4, 2)}, zorder=3,
    )  # fmt: skip
    for row in tables.records(table[table["val_accuracy_percent_sd"].notna()]):
        axes.errorbar(
            row["kernel_size"], row[_Y], yerr=row["val_accuracy_percent_sd"],
            color=_LOOKS[row["control"]][0], capsize=4, linewidth=1.2, zorder=2,
        )  # fmt: skip
    sizes = sorted(table["kernel_size"].unique())
    axes.set_xticks(sizes, [f"{size}×{size}" for size in sizes])
    axes.set(xlabel="Kernel size of all convolutions", ylabel="Validation accuracy in %")
    axes.margins(x=0.08, y=0.12)
