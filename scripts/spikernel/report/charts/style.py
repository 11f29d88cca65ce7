"""How figures look, and how they are written so that the same numbers give the same bytes."""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from spikernel import artifacts
from spikernel.report.tables.table import significant

# Embedding a font in a PDF file would write hundreds of lines into the log of the step.
logging.getLogger("fontTools").setLevel(logging.WARNING)

INK = "#1f2328"
"""Text, axes and the front; on the page it follows the reader's light or dark scheme."""
MUTED = "#6e7781"
"""Published points and reference lines."""
GRID = "#d8dee4"
PAPER = "#ffffff"

COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"),
    *("#7a5195", "#8c6d31", "#a6192e", "#2f7f8f"),
)
"""Okabe and Ito's colour-blind-safe colours without black, then four easy to tell apart."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "h", "*")

SHAPES = {
    "o": "M-1,0A1,1,0,1,1,1,0A1,1,0,1,1,-1,0Z",
    "s": "M-.86,-.86H.86V.86H-.86Z",
    "^": "M0,-1L.98,.76H-.98Z",
    "D": "M0,-1.08L.95,0L0,1.08L-.95,0Z",
    "v": "M0,1L.98,-.76H-.98Z",
    "P": "M-.36,-1H.36V-.36H1V.36H.36V1H-.36V.36H-1V-.36H-.36Z",
    "X": "M-.5,-1L0,-.5L.5,-1L1,-.5L.5,0L1,.5L.5,1L0,.5L-.5,1L-1,.5L-.5,0L-1,-.5Z",
    "p": "M0,-1.05L1,-.32L.62,.85H-.62L-1,-.32Z",
    "h": "M0,-1.05L.91,-.53V.53L0,1.05L-.91,.53V-.53Z",
    "*": "M0,-1.15L.28,-.38L1.1,-.35L.45,.15L.68,.93L0,.48L-.68,.93L-.45,.15L-1.1,-.35L-.28,-.38Z",
}
"""The markers as paths in a square of side 2 around the origin, for the page."""

_CSS_COLOURS = {INK: "--ink", MUTED: "--muted", GRID: "--grid", PAPER: "--paper"}
_CSS_COLOURS |= {colour: f"--series-{place}" for place, colour in enumerate(COLOURS)}
FORMATS: dict[str, dict[str, Any]] = {
    "svg": {"metadata": {"Date": None, "Creator": None}},
    "pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
    "png": {"metadata": {"Software": None}, "dpi": 160},
}
"""Formats of a figure, and how each is written without dates."""

Looks = dict[str, tuple[str, str]]
"""Name of a series -> its colour and marker."""


def looks(names: Sequence[str]) -> Looks:
    """Give each name a colour and a marker of its own."""
    return {
        # Colours begin anew with other markers.
        name: (
            COLOURS[place % len(COLOURS)],
            MARKERS[(place + place // len(COLOURS)) % len(MARKERS)],
        )
        for place, name in enumerate(names)
    }


def css(colour: str) -> str:
    """Return one of the colours above as the page's CSS variable for it."""
    return f"var({_CSS_COLOURS[colour]})"


@contextmanager
def theme() -> Iterator[None]:
    """Draw, and save, in the project's style; nothing global is left changed.

    Saving needs it too: only then is it decided how text and ids are written.
    """
    settings: Any = {
        **{"axes.edgecolor": INK, "axes.labelcolor": INK, "axes.titlecolor": INK},
        **{"text.color": INK, "xtick.color": INK, "ytick.color": INK, "grid.color": GRID},
        **{"axes.facecolor": PAPER, "figure.facecolor": PAPER, "savefig.facecolor": PAPER},
        **{"axes.spines.top": False, "axes.spines.right": False, "grid.linewidth": 0.8},
        **{"axes.titlesize": 11.5, "axes.titleweight": "bold", "axes.titlelocation": "left"},
        **{"axes.labelsize": 10.5, "legend.fontsize": 10, "legend.frameon": False},
        **{"xtick.labelsize": 10, "ytick.labelsize": 10, "font.family": "sans-serif"},
        **{"font.sans-serif": ["DejaVu Sans"]},
        # Text stays text, and ids come from the content instead of a random number.
        **{"svg.fonttype": "none", "svg.hashsalt": "spikernel", "pdf.fonttype": 42},
    }
    with sns.axes_style("whitegrid"), matplotlib.rc_context(settings):
        yield


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as SVG, PDF and PNG, without dates, and return the three paths."""
    paths = []
    for suffix, options in FORMATS.items():
        path = folder / f"{name}.{suffix}"
        with theme(), artifacts.atomic(path) as temporary:
            figure.savefig(temporary, **options)
        paths.append(path)
    return paths


def svg(figure: Figure) -> str:
    """Return a figure as the text of an SVG file, without a date."""
    buffer = StringIO()
    with theme():
        figure.savefig(buffer, format="svg", **FORMATS["svg"])
    return buffer.getvalue()


def inline_svg(figure: Figure, name: str, label: str) -> str:
    """Return a figure as an SVG element for a page.

    Colours of the ink become CSS variables, ids get `name` as prefix because a page holds
    several figures, and whatever only a separate file needs is dropped.

    Args:
        figure: the figure.
        name: prefix of all ids, unique on the page.
        label: what the picture shows, for readers that do not see it.

    """
    text = svg(figure)
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text)
    text = re.sub(r'\b(id|clip-path|href)="(#|url\(#)?(?=[\w-])', rf'\1="\2{name}-', text)
    for colour, variable in _CSS_COLOURS.items():
        text = text.replace(colour, f"var({variable})")
    # The page's own font: the one the figure was laid out with may be missing there.
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
    text = re.sub(r"font-family: [^;\"]*; ", "", text)
    text = re.sub(
        r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', rf'<svg viewBox="\1" {_aria(label)}>', text
    )
    return re.sub(r"\n\s*", "\n", text).strip()


def _aria(label: str) -> str:
    safe = re.sub(r'[<>&"\\]', "", label)
    return f'role="img" aria-label="{safe}"'


def chance(axes: Axes, percent: float) -> None:
    """Draw the accuracy of guessing, or say that it lies outside the axes; NaN: nothing is known.

    The range of the other values must be final, and stays.
    """
    if np.isnan(percent):
        return
    low, high = axes.get_ylim()
    inside, below = low <= percent <= high, percent < low
    where = "" if inside else " lies below" if below else " lies above"
    if inside:
        axes.axhline(percent, color=MUTED, linestyle=(0, (1, 2)), linewidth=1.2, zorder=1)
    axes.set_ylim(low, high)
    axes.annotate(
        f"chance {significant(percent)} %{where}",
        (1, percent if inside else float(not below)),
        xycoords=("axes fraction", "data" if inside else "axes fraction"),
        xytext=(-3, 3 if inside or below else -3), textcoords="offset points", ha="right",
        va="bottom" if inside or below else "top", fontsize=8.5,
        color=MUTED,
    )  # fmt: skip


def log_axis(axes: Axes, low: float, high: float, room: float = 0.0) -> None:
    """Make the x-axis logarithmic with a few plainly written ticks, whatever its range.

    Args:
        axes: the axes.
        low: smallest value drawn.
        high: largest value drawn.
        room: space to leave on the right, as a share of the range, for names of points.
    """
    axes.set_xscale("log")
    margin = max(1.08, (high / low) ** 0.06)
    low, high = low / margin, high * margin * (high / low) ** room
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(_ticks(low, high)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _ticks(low: float, high: float) -> list[float]:
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)):
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) >= 3:
            return inside
    return [float(tick) for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]
