"""The data of the page's interactive chart. All decisions are made here; the page looks them up.

The page holds every point of every cost, the limits of the axes, and for each number format
the models in the order in which they are chosen, with what each needs.
"""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from spikernel import tables
from spikernel.config import ReportConfig, model_name
from spikernel.report.charts import costs, explorer_chart, style, tradeoff_figure
from spikernel.report.tables import comparisons, formats, models, selection

_Y = "test_accuracy_percent_mean"
_FAR = 1e6
"""Factor by which the line of the front goes on, beyond the right end of every axis."""
_MOST_NAMES = 12
"""Up to so many models of a data set, all have their names at their points; else the front has."""
_MOST_JOINED = 3
"""So many names stand at one point."""
_NEAR = 0.01
"""Points are one to the eye whose costs differ by this share, and accuracies by this share of the
axis, or less."""


def payload(
    means: pd.DataFrame,
    published: pd.DataFrame,
    compared: pd.DataFrame,
    looks: style.Looks,
    settings: ReportConfig,
) -> dict[str, Any]:
    """Return everything that the page's script needs, ready for JSON.

    Args:
        means: one row per model, from `spikernel.report.tables.models.over_seeds`.
        published: published results, may be empty.
        compared: from `spikernel.report.tables.comparisons`, may be empty.
        looks: colour and marker of every kernel set.
        settings: memory budgets and number format to begin with.

    """
    budgets = costs.budgeted(means)
    shown = costs.of_page(settings.precision, budgets)
    drawn = {
        name: tradeoff_figure.points(means, published, cost).assign(cost=name)
        for name, cost in shown.items()
    }
    memory = {name: formats.memory_mb(means, name) * formats.unit(name).per_mb for name in budgets}
    rows = [row for table in drawn.values() for row in _rows(table, memory)]
    orders = {name: selection.preferred(means, name) for name in budgets}
    return {
        "spec": explorer_chart.spec(rows, looks),
        "precision": settings.precision,
        "costs": {name: cost.title for name, cost in shown.items()},
        "accuracies": {
            name: "Int8 test accuracy in %"
            if models.accuracies_of(means, cost.precision) == "int8"
            else explorer_chart.PARAMETERS["y_title"]
            for name, cost in shown.items()
        },
        "units": {name: formats.unit(name).name for name in budgets},
        "limits": {name: formats.WORDS.get(name, name) for name in budgets},
        "mb": {name: 1 / formats.unit(name).per_mb for name in budgets},
        "judged": {
            name: ("int8 " if models.accuracies_of(means, name) == "int8" else "") + "validation"
            for name in budgets
        },
        "datasets": {
            str(dataset): {
                "models": [int(place) for place in part.index],
                "chance": _chance(part),
                "budgets_mb": sorted(settings.memory_budgets_mb),
                "preferred": {name: order[str(dataset)] for name, order in orders.items()},
                "memory": {
                    name: {str(place): float(memory[name][place]) for place in part.index}
                    for name in budgets
                },
                "alike": {
                    name: _alike(part, compared, models.accuracies_of(means, name))
                    for name in budgets
                },
                "axes": {
                    name: _axes(table[table["dataset"] == dataset]) for name, table in drawn.items()
                },
            }
            for dataset, part in means.groupby("dataset")
        },
    }


def _chance(part: pd.DataFrame) -> float | None:
    found = part["chance_percent"].max()
    return None if pd.isna(found) else float(found)


def _alike(part: pd.DataFrame, compared: pd.DataFrame, precision: str) -> dict[str, list[int]]:
    """Return for the row of each model the rows of those that are not told apart from it."""
    places = {
        (row["dataset"], comparisons.model_of(row)): int(place)
        for place, row in zip(part.index, tables.records(part), strict=True)
    }
    found = comparisons.alike(compared, precision)
    return {
        str(place): [places[model[0], rival] for rival in found[model]]
        for model, place in places.items()
        if model in found
    }


def _rows(table: pd.DataFrame, memory: dict[str, "pd.Series[float]"]) -> list[dict[str, Any]]:
    """Return the rows of `spikernel.report.charts.explorer_chart.spec` for one cost."""
    measured = table[table["kind"] == "measured"].reset_index(drop=True)
    crowded = measured.groupby("dataset")["x"].transform("size") > _MOST_NAMES
    best = measured.groupby("dataset")["rank"].transform("max") == 1
    first = _firsts(measured)
    tags = pd.Series(
        [
            row["label"] + ("" if best[place] else f" #{row['rank']}") + _times(row)
            for place, row in enumerate(tables.records(measured))
        ]
    )
    joined = tags.groupby(first).agg(list).map(_joined)
    named = measured["on_front"].astype(bool) | ~crowded
    rows = [
        {
            **_row(row),
            **{f"memory_{name}": float(values[place]) for name, values in memory.items()},
            "model": place,
            "on_front": bool(row["on_front"]),
            "named": bool(named[place] and first[place] == place),
            "covered": bool(named[first[place]] and first[place] != place),
            "tag": joined[first[place]],
        }
        for place, row in enumerate(tables.records(measured))
    ]
    front = measured[measured["on_front"]].sort_values("x")
    for _, steps in front.groupby("dataset"):
        ends = tables.records(steps)
        ends.append({**ends[-1], "x": ends[-1]["x"] * _FAR})
        rows += [{**_row(row), "kind": "front"} for row in ends]
    return rows + [_row(row) for row in tables.records(table[table["kind"] == "published"])]


def _firsts(measured: pd.DataFrame) -> "pd.Series[int]":
    """Return for each point the first that is drawn at its place, one on the front if there is."""
    found = {}
    front_first = measured.sort_values("on_front", ascending=False, kind="stable")
    for _, part in front_first.groupby("dataset"):
        *_, low, high = _ends(part)
        firsts: list[tuple[int, float, float]] = []
        for place, x, y in zip(part.index, part["x"], part[_Y], strict=True):
            near = (
                first
                for first, other_x, other_y in firsts
                if math.isclose(x, other_x, rel_tol=_NEAR)
                and abs(y - other_y) <= _NEAR * (high - low)
            )
            found[place] = next(near, place)
            if found[place] == place:
                firsts.append((place, x, y))
    return pd.Series(found)


def _joined(tags: Sequence[str]) -> str:
    more = f" +{len(tags) - _MOST_JOINED}" if len(tags) > _MOST_JOINED else ""
    return ", ".join(tags[:_MOST_JOINED]) + more


def _times(row: dict[str, Any]) -> str:
    return "" if row["width"] == 1 else f" ×{row['width']:g}"


def _row(row: dict[str, Any]) -> dict[str, Any]:
    value, sd = row[_Y], row["test_accuracy_percent_sd"]
    model = "" if pd.isna(row["rank"]) else f" {model_name(row['rank'], row['width'])}"
    name = row["label"] + model
    spread = {} if pd.isna(sd) else {"low": value - sd, "high": value + sd}
    ends = {"least": row["test_accuracy_percent_low"], "most": row["test_accuracy_percent_high"]}
    return {
        **{key: row[key] for key in ("dataset", "cost", "kind", "label", "x")},
        **{"y": value, "name": name, "model": -1, "bound": bool(row["x_is_upper_bound"])},
        **spread,
        **{key: end for key, end in ends.items() if not pd.isna(end)},
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
    values = table[_Y].astype(float)
    bottom, top = float((values - sd).min()), float((values + sd).max())
    room = max(0.3, 0.08 * (top - bottom))
    low = low if low > 0 else math.ulp(1.0)
    return [low / margin, high * margin, max(0.0, bottom - room), top + room]
