"""The static figures, each as SVG, PDF and PNG beside a CSV file with the numbers drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
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


def write(folder: Path, numbers: Numbers, precision: str) -> list[Path]:
    """Write the figures for which there are numbers and return the paths of the files.

    Args:
        folder: where they go.
        numbers: what to draw.
        precision: number format whose memory is drawn.

    """
    written = []
    looks = numbers.looks
    for name, cost in costs.of_figures(precision).items():
        table = tradeoff_figure.points(numbers.means, numbers.published, cost)
        figure = tradeoff_figure.draw(table, cost, looks)
        written += _write(folder, name, figure, as_drawn(table, cost))
    drawings: dict[str, tuple[pd.DataFrame, Callable[[pd.DataFrame], Figure]]] = {
        "kernel_impact": (numbers.impact[list(impact_figure.COLUMNS)], impact_figure.draw),
        "training_curves": (numbers.curves, lambda table: curves_figure.draw(table, looks)),
        "firing_rates": (numbers.rates, layers_figure.draw),
        "search_cost": (numbers.searched, search_figure.draw),
        "score_vs_accuracy": (numbers.scored, lambda table: score_figure.draw(table, looks)),
    }
    for name, (table, draw) in drawings.items():
        if len(table):
            written += _write(folder, name, draw(table), table)
    return written


def as_drawn(table: pd.DataFrame, cost: Cost) -> pd.DataFrame:
    """Return the points under the name of their cost, as the CSV file holds them."""
    return table.rename(columns={"x": cost.name, "x_is_upper_bound": f"{cost.name}_is_upper_bound"})


def _write(folder: Path, name: str, figure: Figure, numbers: pd.DataFrame) -> list[Path]:
    booleans = [str(column) for column in numbers if numbers[column].isin([True, False]).all()]
    path = folder / f"{name}.csv"
    artifacts.write_text(path, tables.to_csv(numbers, booleans=booleans))
    return [*style.save(figure, folder, name), path]
