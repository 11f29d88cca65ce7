"""The figures: each as SVG, PDF and PNG beside a CSV file with the numbers drawn, or inline."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from spikernel import artifacts, tables
from spikernel.report.charts import (
    costs,
    curves_figure,
    impact_figure,
    layers_figure,
    score_figure,
    search_figure,
    style,
    tradeoff_figure,
)
from spikernel.report.charts.costs import Cost

FORMATS = (*style.FORMATS, "csv")
"""Formats in which every figure lies beside the page."""


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The tables that figures and page are drawn from; all but `means` may be empty."""

    means: pd.DataFrame
    """One row per model, from `spikernel.report.tables.models.over_seeds`."""
    published: pd.DataFrame
    """Published results to show."""
    impact: pd.DataFrame
    """From `spikernel.report.charts.impact_figure.read`."""
    curves: pd.DataFrame
    """From `spikernel.report.charts.curves_figure.read`."""
    rates: pd.DataFrame
    """From `spikernel.report.charts.layers_figure.table`."""
    searched: pd.DataFrame
    """From `spikernel.report.charts.search_figure.table`."""
    scored: pd.DataFrame
    """From `spikernel.report.charts.score_figure.table`."""

    @property
    def looks(self) -> style.Looks:
        """The colour and marker of every kernel set, the same in all figures."""
        return style.looks(sorted(self.means["kernel_set"].unique()))


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What one figure draws, and how."""

    title: str
    """What it shows, as the end of a sentence."""
    table: pd.DataFrame
    """The numbers, with the column `dataset`; empty where there is nothing to draw."""
    draw: Callable[[pd.DataFrame], Figure]
    cost: Cost | None = None
    """What the x-axis of a trade-off shows."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An inline figure of one data set with its caption."""

    svg: Markup
    caption: str
    files: str
    """Path of its files relative to the page, without the suffix."""


def charts(numbers: Numbers, precision: str) -> dict[str, Chart]:
    """Return every figure by the name of its files.

    Args:
        numbers: what to draw.
        precision: number format whose memory is drawn.

    """
    looks = numbers.looks
    curves = numbers.curves[numbers.curves["kernel_set"].isin(list(looks))]
    return {
        **{name: _tradeoff(numbers, cost) for name, cost in costs.of_figures(precision).items()},
        "kernel_impact": Chart(
            title="validation accuracy against kernel size",
            table=numbers.impact[list(impact_figure.COLUMNS)],
            draw=impact_figure.draw,
        ),
        "training_curves": Chart(
            title="validation accuracy over the epochs of training",
            table=curves,
            draw=lambda table: curves_figure.draw(table, looks),
        ),
        "firing_rates": Chart(
            title="firing rate of each layer", table=numbers.rates, draw=layers_figure.draw
        ),
        "search_cost": Chart(
            title=(
                f"compute time of the scores of each search, without finalists, and of "
                f"{search_figure.REFERENCE_SAMPLES:,} samples"
            ),
            table=numbers.searched,
            draw=search_figure.draw,
        ),
        "score_vs_accuracy": Chart(
            title="training-free score against validation and test accuracy after training",
            table=numbers.scored,
            draw=lambda table: score_figure.draw(table, looks),
        ),
    }


def _tradeoff(numbers: Numbers, cost: Cost) -> Chart:
    return Chart(
        title=f"test accuracy against {cost.title[0].lower()}{cost.title[1:]}",
        table=tradeoff_figure.points(numbers.means, numbers.published, cost),
        draw=lambda table: tradeoff_figure.draw(table, cost, numbers.looks),
        cost=cost,
    )


def write(folder: Path, drawn: dict[str, Chart]) -> list[Path]:
    """Write the figures for which there are numbers and return the paths of the files."""
    written = []
    for name, chart in drawn.items():
        if len(chart.table):
            table = as_drawn(chart.table, chart.cost) if chart.cost else chart.table
            booleans = [str(key) for key in table if table[key].map(_is_truth).all()]
            path = folder / f"{name}.csv"
            artifacts.write_text(path, tables.to_csv(table, booleans=booleans))
            written += [*style.save(chart.draw(chart.table), folder, name), path]
    return written


def _is_truth(value: object) -> bool:
    # 0 and 1 equal False and True, so comparing would take a seed or a rank for a truth value.
    return isinstance(value, bool | np.bool_)


def as_drawn(table: pd.DataFrame, cost: Cost) -> pd.DataFrame:
    """Return the points under the name of their cost, as the CSV file holds them."""
    return table.rename(columns={"x": cost.name, "x_is_upper_bound": f"{cost.name}_is_upper_bound"})


def inline(drawn: dict[str, Chart], name: str, folder: str) -> list[Picture]:
    """Return a figure as the page shows it: one picture per data set, in the page's colours.

    Args:
        drawn: from `charts`.
        name: which of them.
        folder: where the files of the figures lie, relative to the page.

    """
    pictures = []
    for place, (dataset, part) in enumerate(drawn[name].table.groupby("dataset")):
        whole = f"{dataset}: {drawn[name].title}"
        svg = style.inline_svg(drawn[name].draw(part), f"{name}-{place}", whole)
        pictures.append(Picture(svg=Markup(svg), caption=f"{whole}.", files=f"{folder}/{name}"))
    return pictures
