"""The static figures as the page shows them: inline, in the page's colours, with their files."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from spikernel.report.charts import (
    costs,
    curves_figure,
    impact_figure,
    score_figure,
    search_figure,
    style,
    tradeoff_figure,
)

FORMATS = ("svg", "pdf", "png", "csv")
"""Formats in which every figure lies beside the page."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An inline figure with its caption."""

    svg: Markup
    caption: str
    files: str
    """Path of its files relative to the page, without the suffix."""


def tradeoff(
    means: pd.DataFrame, published: pd.DataFrame, precision: str, looks: style.Looks, folder: str
) -> list[Picture]:
    """Return accuracy against memory, for readers whose browser runs no script."""
    name, cost = "accuracy_vs_memory", costs.memory(precision)
    points = tradeoff_figure.points(means, published, cost)
    title = f"test accuracy against {cost.title[0].lower()}{cost.title[1:]}"
    return _each(points, name, title, lambda part: tradeoff_figure.draw(part, cost, looks), folder)


def impact(table: pd.DataFrame, folder: str) -> list[Picture]:
    """Return validation accuracy against kernel size."""
    title = "validation accuracy against kernel size"
    return _each(table, "kernel_impact", title, impact_figure.draw, folder)


def curves(table: pd.DataFrame, looks: style.Looks, folder: str) -> list[Picture]:
    """Return the training curves of the models whose kernel set has a colour and a marker."""
    known = table[table["kernel_set"].isin(list(looks))]
    title = "validation accuracy over the epochs of training"
    return _each(
        known, "training_curves", title, lambda part: curves_figure.draw(part, looks), folder
    )


def search(table: pd.DataFrame, folder: str) -> list[Picture]:
    """Return the cost of each search."""
    title = f"compute time of each search, and of {search_figure.REFERENCE_SAMPLES:,} samples"
    return _each(table, "search_cost", title, search_figure.draw, folder)


def score(table: pd.DataFrame, looks: style.Looks, folder: str) -> list[Picture]:
    """Return the training-free score against the accuracy after training."""
    title = "training-free score against validation accuracy after training"
    return _each(
        table, "score_vs_accuracy", title, lambda part: score_figure.draw(part, looks), folder
    )


def _each(
    table: pd.DataFrame,
    name: str,
    title: str,
    draw: Callable[[pd.DataFrame], Figure],
    folder: str,
) -> list[Picture]:
    """Draw one picture per data set."""
    pictures = []
    for place, (dataset, part) in enumerate(table.groupby("dataset")):
        whole = f"{dataset}: {title}"
        svg = style.inline_svg(draw(part), f"{name}-{place}", whole)
        pictures.append(Picture(svg=Markup(svg), caption=f"{whole}.", files=f"{folder}/{name}"))
    return pictures
