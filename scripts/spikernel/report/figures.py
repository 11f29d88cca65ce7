"""The static figures, each as SVG, PDF and PNG beside a CSV file with the numbers drawn."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from spikernel import artifacts, tables
from spikernel.report import impact_figure, style, tradeoff_figure
from spikernel.report.tradeoff_figure import Cost


def kernel_set_looks(means: pd.DataFrame) -> style.Looks:
    """Return the colour and marker of every kernel set, the same in all figures."""
    return style.looks(sorted(means["kernel_set"].unique()))


def write(
    folder: Path, means: pd.DataFrame, published: pd.DataFrame, impact: pd.DataFrame, precision: str
) -> list[Path]:
    """Write all figures and return the paths of the files.

    Args:
        folder: where they go.
        means: one row per model, from `spikernel.report.models.over_seeds`.
        published: published results to show, may be empty.
        impact: rows of `spikernel.report.impact_figure.read`; without any, no such figure.
        precision: number format whose memory is drawn.

    """
    looks = kernel_set_looks(means)
    written = []
    for name, cost in costs(precision).items():
        table = tradeoff_figure.points(means, published, cost)
        figure = tradeoff_figure.draw(table, cost, looks)
        written += _write(folder, name, figure, as_drawn(table, cost))
    if len(impact):
        figure = impact_figure.draw(impact)
        written += _write(folder, "kernel_impact", figure, impact[list(impact_figure.COLUMNS)])
    return written


def costs(precision: str) -> dict[str, Cost]:
    """Return the name of each trade-off figure and what its x-axis shows."""
    return {
        "accuracy_vs_memory": tradeoff_figure.memory(precision),
        "accuracy_vs_parameters": tradeoff_figure.PARAMETERS,
    }


def as_drawn(table: pd.DataFrame, cost: Cost) -> pd.DataFrame:
    """Return the points under the name of their cost, as the CSV file holds them."""
    return table.rename(columns={"x": cost.name, "x_is_upper_bound": f"{cost.name}_is_upper_bound"})


def _write(folder: Path, name: str, figure: Figure, numbers: pd.DataFrame) -> list[Path]:
    booleans = [str(column) for column in numbers if numbers[column].isin([True, False]).all()]
    path = folder / f"{name}.csv"
    artifacts.write_text(path, tables.to_csv(numbers, booleans=booleans))
    return [*style.save(figure, folder, name), path]
