"""Firing rate of every layer of neurons of the final models."""

import re
from collections.abc import Iterable, Sequence

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from spikernel.config import model_name
from spikernel.report.charts import panels, style
from spikernel.report.tables.records import Metrics

COLUMNS = (
    *("dataset", "kernel_set", "rank", "width", "layer", "seeds"),
    *("firing_rate_mean", "firing_rate_sd"),
)
"""Columns of the firing rates; layers are in the order in which they fire."""

_SHADES = sns.light_palette("#0b62a8", as_cmap=True)
_NODES = {"0": "in", "1": "node 1", "2": "node 2", "3": "out"}


def table(metrics: Sequence[Metrics]) -> pd.DataFrame:
    """Return the firing rates of all models, means over seeds; empty where none were stored."""
    rows = [
        {
            **{"dataset": item.dataset, "kernel_set": item.kernel_set, "rank": item.rank},
            **{"width": item.width, "layer": layer, "rate": rate},
        }
        for item in metrics
        for layer, rate in item.layer_firing_rates.items()
    ]
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    order = {
        name: place
        for place, name in enumerate(_merged(item.layer_firing_rates for item in metrics))
    }
    keys = list(COLUMNS[:5])
    found = (
        pd.DataFrame(rows)
        .groupby(keys, as_index=False)["rate"]
        .agg(["count", "mean", "std"])
        .rename(columns={"count": "seeds", "mean": "firing_rate_mean", "std": "firing_rate_sd"})
    )
    return found.sort_values(
        keys, key=lambda column: column.map(order) if column.name == "layer" else column
    )[list(COLUMNS)].reset_index(drop=True)


def _merged(nets: Iterable[Iterable[str]]) -> list[str]:
    """Merge the layers of several nets: each new one goes after the one it follows in its net."""
    order: list[str] = []
    for layers in nets:
        before = -1
        for layer in layers:
            if layer not in order:
                order.insert(before + 1, layer)
            before = order.index(layer)
    return order


def title(layer: str) -> str:
    """Return the name of a layer of neurons as a reader sees it."""
    cell = re.fullmatch(r"cell(\d+)\.neurons\.(\d)(?:t([\d_]+))?", layer)
    if cell:
        own = f" θ{cell[3].replace('_', '.')}" if cell[3] else ""
        return f"cell {cell[1]} {_NODES.get(cell[2], cell[2])}{own}"
    return re.sub(r"[._]", " ", re.sub(r"\.neuron$", "", layer)).replace(" neuron", "")


def grid(rates: pd.DataFrame) -> pd.DataFrame:
    """Return the rates of one data set: rows are models, columns layers; NaN: no such layer."""
    keys = ["kernel_set", "rank", "width"]
    layers = _merged(part["layer"].tolist() for _, part in rates.groupby(keys))
    models = zip(*(rates[key] for key in keys), strict=True)
    model = [f"{kernel_set} {model_name(*place)}" for kernel_set, *place in models]
    wide = rates.assign(model=model).pivot(
        index="model", columns="layer", values="firing_rate_mean"
    )
    return wide[layers]


def draw(rates: pd.DataFrame) -> Figure:
    """Draw one panel per data set: models from top to bottom, layers from left to right."""
    shapes = rates.groupby("dataset").apply(lambda part: len(grid(part)))
    with style.theme():
        height = 1.9 + 0.32 * int(shapes.max())
        figure, axes = panels.grid(rates["dataset"].unique().tolist(), height=height, width=6.4)
        for dataset, panel in axes.items():
            wide = 100 * grid(rates[rates["dataset"] == dataset])
            sns.heatmap(
                wide.rename(columns=title), ax=panel, cmap=_SHADES, annot=True, fmt=".0f",
                annot_kws={"fontsize": 9}, linewidths=1.5, linecolor=style.PAPER, vmin=0,
                cbar_kws={"label": "Firing rate in %", "pad": 0.02},
            )  # fmt: skip
            panel.set(xlabel="", ylabel="")
            panel.tick_params(axis="x", rotation=40, length=0)
            panel.tick_params(axis="y", rotation=0, length=0)
            for label in panel.get_xticklabels():
                label.set(ha="right", rotation_mode="anchor")
    return figure
