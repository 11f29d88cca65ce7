"""A figure with one panel per data set."""

import math
import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

WIDTH = 4.6
"""Width of a panel in inches."""
HEIGHT = 4.0
"""Height of a panel in inches."""
_TITLE_LETTERS = 26
"""Number of letters that fit above the narrowest panel."""


def grid(
    datasets: Sequence[str], height: float = HEIGHT, width: float = WIDTH, columns: int = 3
) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure and the axes of each data set (or other part), titled with its name.

    The figure belongs to no window and no global state, so nothing has to be closed.
    """
    columns = min(columns if width <= WIDTH else 1, len(datasets))
    rows = math.ceil(len(datasets) / columns)
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = {}
    for place, dataset in enumerate(datasets, start=1):
        axes[dataset] = figure.add_subplot(rows, columns, place)
        axes[dataset].set_title(textwrap.fill(dataset, _TITLE_LETTERS))
    return figure, axes
