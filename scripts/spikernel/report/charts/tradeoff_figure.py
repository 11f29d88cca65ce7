"""Accuracy against a cost: the numbers to draw, and the drawing."""

import textwrap
from collections.abc import Sequence

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spikernel import tables
from spikernel.report.charts import labels, panels, style
from spikernel.report.charts.costs import Cost
from spikernel.report.tables import models
from spikernel.report.tables.table import significant
from spikernel.report.tables.table import sizes as sizes_as_set

_COLUMNS = (
    *("dataset", "kind", "label", "kernel_sizes", "rank", "width", "archid", "seeds", "x"),
    *("x_is_upper_bound", "test_accuracy_percent_mean", "test_accuracy_percent_sd", "on_front"),
    *("test_accuracy_percent_low", "test_accuracy_percent_high", "chance_percent"),
)
_Y = "test_accuracy_percent_mean"
_LOW, _HIGH = "test_accuracy_percent_low", "test_accuracy_percent_high"
_TITLE_LETTERS = 42
"""Number of letters that fit below a panel."""


def points(means: pd.DataFrame, others: pd.DataFrame, cost: Cost) -> pd.DataFrame:
    """Return exactly what the figure draws, one row per point or reference line.

    `kind` is `measured`, `published` or `reference` (the paper's bound on parameters, drawn
    where it is within the range of the other points). The front is that of the measured
    models of a data set in this cost. Published results without a parameter count are left
    out; a published memory is the parameter count times the bytes per weight.

    Args:
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.
        others: published results, from `spikernel.report.tables.published.table`.
        cost: what the x-axis shows.

    """
    own = models.at_precision(means, cost.precision)
    measured = own.rename(columns={"kernel_set": "label"}).assign(
        kind="measured", x=own[cost.measured] / cost.divisor, x_is_upper_bound=False
    )
    known = others[others["params_m"].notna() & (cost.per_million is not None)]
    shown = known.rename(columns={"system": "label", "test_accuracy_percent": _Y}).assign(
        kind="published",
        x=known["params_m"] * (cost.per_million or 0),
        x_is_upper_bound=known["params_is_upper_bound"].astype(bool),
        on_front=False,
    )
    parts = [
        measured.assign(on_front=models.on_front(measured, "x", _Y)),
        *([shown] if len(shown) else []),
    ]
    table = pd.concat(parts, ignore_index=True).reindex(columns=list(_COLUMNS))
    bounds = _bounds(table, cost.bound)
    if bounds:
        table = pd.concat([table, pd.DataFrame(bounds)], ignore_index=True)
    table = table.astype({"rank": "Int64", "seeds": "Int64"})
    return table[list(_COLUMNS)]


def _bounds(table: pd.DataFrame, bound: float | None) -> list[dict[str, object]]:
    return [
        {
            **{"dataset": dataset, "kind": "reference", "x": bound, "label": "10 M parameters"},
            **{"x_is_upper_bound": False, "on_front": False},
        }
        for dataset, group in table.groupby("dataset")
        if bound is not None and group["x"].min() <= bound <= group["x"].max()
    ]


def draw(table: pd.DataFrame, cost: Cost, looks: style.Looks) -> Figure:
    """Draw one panel per data set of `table`, which comes from `points`."""
    with style.theme():
        figure, grid = panels.grid(table["dataset"].unique().tolist())
        for dataset, axes in grid.items():
            _panel(axes, table[table["dataset"] == dataset], cost, looks)
        figure.legend(
            handles=_legend(table, looks),
            loc="outside lower center",
            ncols=3 if len(grid) > 1 else 2,
        )
        figure.draw_without_rendering()
        for dataset, axes in grid.items():
            _label_published(axes, table[table["dataset"] == dataset])
    return figure


def _panel(axes: Axes, table: pd.DataFrame, cost: Cost, looks: style.Looks) -> None:
    measured = table[table["kind"] == "measured"]
    room = 0.35 if "published" in set(table["kind"]) else 0.0
    style.log_axis(axes, table["x"].min(), table["x"].max(), room)
    _front(axes, measured[measured["on_front"]])
    for (name, _), cell in measured.sort_values("x").groupby(["label", "rank"]):
        # The widths of one cell; of a single one no line.
        axes.plot(
            cell["x"], cell[_Y], color=looks[str(name)][0], alpha=0.5, linewidth=1.0, zorder=2
        )
    known = measured[measured[_LOW].notna()]
    colours = [looks[name][0] for name in known["label"]]
    axes.vlines(known["x"], known[_LOW], known[_HIGH], colours, alpha=0.3, linewidth=3, zorder=2)
    with_spread = measured[measured["test_accuracy_percent_sd"].notna()]
    for row in tables.records(with_spread):
        axes.errorbar(
            row["x"], row[_Y], yerr=row["test_accuracy_percent_sd"],
            color=looks[row["label"]][0], capsize=3, linewidth=1.2, zorder=3,
        )  # fmt: skip
    sns.scatterplot(
        measured, x="x", y=_Y, hue="label", style="label", ax=axes, legend=False, s=62, zorder=4,
        palette={name: colour for name, (colour, _) in looks.items()},
        markers={name: marker for name, (_, marker) in looks.items()},
        edgecolor=style.PAPER, linewidth=0.8,
    )  # fmt: skip
    _published(axes, table[table["kind"] == "published"])
    for bound in table.loc[table["kind"] == "reference", "x"]:
        axes.axvline(bound, color=style.MUTED, linestyle=":", linewidth=1.2, zorder=1)
    axes.set(xlabel=textwrap.fill(cost.title, _TITLE_LETTERS), ylabel="Test accuracy in %")
    axes.margins(y=0.12)
    style.chance(axes, float(measured["chance_percent"].max()))


def _front(axes: Axes, front: pd.DataFrame) -> None:
    """Draw the best accuracy that each memory buys: a step up at every model of the front."""
    steps = front[["x", _Y]].sort_values("x")
    right = pd.DataFrame({"x": [axes.get_xlim()[1]], _Y: [steps[_Y].max()]})
    sns.lineplot(
        pd.concat([steps, right]), x="x", y=_Y, ax=axes, drawstyle="steps-post", color=style.INK,
        linewidth=1.2, estimator=None, errorbar=None, zorder=2,
    )  # fmt: skip


def _published(axes: Axes, table: pd.DataFrame) -> None:
    exact = table[~table["x_is_upper_bound"].astype(bool)]
    bounds = table[table["x_is_upper_bound"].astype(bool)]
    # The triangle points to where the number of parameters lies: below the bound.
    for rows, marker, size in ((exact, "o", 42), (bounds, "<", 52)):
        axes.scatter(
            rows["x"], rows[_Y], s=size, marker=marker, facecolors="none",
            edgecolors=style.MUTED, linewidths=1.3, zorder=3,
        )  # fmt: skip


def _label_published(axes: Axes, table: pd.DataFrame) -> None:
    shown = table[table["kind"] == "published"]
    measured = table[table["kind"] == "measured"]
    names = [
        f"{row['label']}, <{significant(row['x'])}"
        if row["x_is_upper_bound"]
        else str(row["label"])
        for row in tables.records(shown)
    ]
    if names:
        labels.place(
            axes,
            list(zip(shown["x"], shown[_Y], names, strict=True)),
            [*zip(measured["x"], measured[_Y], strict=True), *_along_bounds(table, shown)],
            style.MUTED,
        )


def _along_bounds(table: pd.DataFrame, shown: pd.DataFrame) -> list[tuple[float, float]]:
    """Return points on the reference line, beside the names that could cross it."""
    bounds = table.loc[table["kind"] == "reference", "x"]
    return [(bound, accuracy) for bound in bounds for accuracy in shown[_Y]]


def _legend(table: pd.DataFrame, looks: style.Looks) -> Sequence[Line2D]:
    measured = table[table["kind"] == "measured"]
    handles = [
        Line2D([], [], linestyle="", marker=looks[name][1], color=looks[name][0],
               label=_series(name, measured), markersize=7)
        for name in sorted(measured["label"].unique())
    ]  # fmt: skip
    front = f"Pareto front of {'these models' if len(measured) > 1 else 'this model'}"
    handles.append(
        Line2D([], [], color=style.INK, linewidth=1.2, drawstyle="steps-post", label=front)
    )
    if measured[_LOW].notna().any():
        handles.append(
            Line2D([], [], color=style.MUTED, alpha=0.4, linewidth=3,
                   label="95 % interval (test images)")
        )  # fmt: skip
    kinds = set(table["kind"])
    if "published" in kinds:
        handles.append(
            Line2D([], [], linestyle="", marker="o", markerfacecolor="none",
                   markeredgecolor=style.MUTED, label="published")
        )  # fmt: skip
    if "reference" in kinds:
        handles.append(Line2D([], [], color=style.MUTED, linestyle=":", label="10 M parameters"))
    return handles


def _series(name: str, measured: pd.DataFrame) -> str:
    """Return a kernel set's name, with its sizes where these are the same in all panels."""
    sizes = measured.loc[measured["label"] == name, "kernel_sizes"].unique()
    if len(sizes) == 1 and name != "k" + sizes[0].replace(" ", "-"):
        return f"{name} {sizes_as_set(sizes[0])}"
    return name
