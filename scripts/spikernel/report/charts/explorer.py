"""The data of the page's interactive chart. All decisions are made here; the page looks them up.

The page holds every point of every cost, the limits of the axes, and for each number format
the memory budgets from which on a model is chosen.
"""

import math
from typing import Any

import pandas as pd

from spikernel import tables
from spikernel.config import ReportConfig
from spikernel.report.charts import costs, explorer_chart, style, tradeoff_figure
from spikernel.report.tables import models, selection

_FAR = 1e6
"""Factor by which the line of the front goes on, beyond the right end of every axis."""


def payload(
    means: pd.DataFrame, published: pd.DataFrame, looks: style.Looks, settings: ReportConfig
) -> dict[str, Any]:
    """Return everything that the page's script needs, ready for JSON.

    Args:
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.
        published: published results, may be empty.
        looks: colour and marker of every kernel set.
        settings: memory budgets and number format to begin with.

    """
    shown = costs.of_page(settings.precision)
    titles = {name: cost.title for name, cost in shown.items()}
    if models.quantised(means):
        titles["memory_int8"] += ", accuracies of the int8 models"
    drawn = {
        name: tradeoff_figure.points(means, published, cost).assign(cost=name)
        for name, cost in shown.items()
    }
    rows = [row for table in drawn.values() for row in _rows(table, means)]
    steps = {precision: selection.staircase(means, precision) for precision in costs.BYTES}
    return {
        "spec": explorer_chart.spec(rows, looks),
        "precision": settings.precision,
        "costs": titles,
        "datasets": {
            str(dataset): {
                "models": [int(place) for place in part.index],
                "budgets_mb": sorted(settings.memory_budgets_mb),
                "steps": {precision: found[str(dataset)] for precision, found in steps.items()},
                "memory_mb": {
                    precision: [part[f"memory_mb_{precision}"].agg(end) for end in ("min", "max")]
                    for precision in costs.BYTES
                },
                "axes": {
                    name: _axes(table[table["dataset"] == dataset]) for name, table in drawn.items()
                },
            }
            for dataset, part in means.groupby("dataset")
        },
    }


def _rows(table: pd.DataFrame, means: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of `spikernel.report.charts.explorer_chart.spec` for one cost."""
    measured = table[table["kind"] == "measured"].reset_index(drop=True)
    memory = means[[f"memory_mb_{precision}" for precision in costs.BYTES]]
    rows = [
        {**_row(row), **memory.loc[place].to_dict(), "model": place}
        for place, row in enumerate(tables.records(measured))
    ]
    front = measured[measured["on_front"]].sort_values("x")
    for _, steps in front.groupby("dataset"):
        ends = tables.records(steps)
        ends.append({**ends[-1], "x": ends[-1]["x"] * _FAR})
        rows += [{**_row(row), "kind": "front"} for row in ends]
    return rows + [_row(row) for row in tables.records(table[table["kind"] == "published"])]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    value, sd = row["test_accuracy_percent_mean"], row["test_accuracy_percent_sd"]
    name = row["label"] if pd.isna(row["rank"]) else f"{row['label']} rank {row['rank']}"
    spread = {} if pd.isna(sd) else {"low": value - sd, "high": value + sd}
    return {
        **{key: row[key] for key in ("dataset", "cost", "kind", "label", "x")},
        **{"y": value, "name": name, "model": -1, "bound": bool(row["x_is_upper_bound"])},
        **spread,
    }


def _axes(table: pd.DataFrame) -> dict[str, list[float]]:
    """Return [x low, x high, y low, y high], without and with the published points."""
    measured = table[table["kind"] == "measured"]
    shown = table[table["kind"].isin(["measured", "published"])]
    return {"own": _ends(measured), "with_published": _ends(shown)}


def _ends(table: pd.DataFrame) -> list[float]:
    low, high = float(table["x"].min()), float(table["x"].max())
    margin = max(1.12, (high / low) ** 0.07) if low > 0 else 1.12
    sd = table["test_accuracy_percent_sd"].astype(float).fillna(0)
    values = table["test_accuracy_percent_mean"].astype(float)
    bottom, top = float((values - sd).min()), float((values + sd).max())
    room = max(0.3, 0.08 * (top - bottom))
    low = low if low > 0 else math.ulp(1.0)
    return [low / margin, high * margin, max(0.0, bottom - room), top + room]
