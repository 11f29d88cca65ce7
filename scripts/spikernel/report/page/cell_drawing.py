"""A cell as a drawing: four nodes in a row, one curve per edge, its operation written on it.

The drawing is an SVG element without ids, so that a page may hold copies of it, and with the
page's CSS variables for colours, so that it follows a light or dark scheme. No
meaning depends on colour: a convolution is a solid line, thicker for a larger kernel; average
pooling is dotted; an edge to the next time step is dashed.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from spikernel.space.cell import Cell
from spikernel.space.operations import AVG, SKIP, convolution, kernel_size

_WIDTH, _HEIGHT, _RADIUS = 352, 168, 14
_X = (26.0, 126.0, 226.0, 326.0)
"""Places of the nodes from left to right."""
_Y = 98.0
_APEX = {(0, 3): 15.0, (0, 2): 52.0, (1, 3): 146.0}
"""Height of the middle of a bent edge; edges between neighbours are straight."""
_LETTERS = 5
"""Longest text that leaves a straight edge visible; a longer one stands above it."""
_NAMES = ("in", "1", "2", "out")

Point = tuple[float, float]


@dataclass(frozen=True)
class _Curve:
    """A quadratic Bezier curve."""

    start: Point
    control: Point
    end: Point

    def at(self, t: float) -> Point:
        """Return the point at t, from 0 (start) to 1 (end)."""
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        return (
            a * self.start[0] + b * self.control[0] + c * self.end[0],
            a * self.start[1] + b * self.control[1] + c * self.end[1],
        )

    def until(self, t: float) -> "_Curve":
        """Return the part from the start to t (de Casteljau)."""
        control = (
            (1 - t) * self.start[0] + t * self.control[0],
            (1 - t) * self.start[1] + t * self.control[1],
        )
        return _Curve(self.start, control, self.at(t))

    def touching(self, distance: float) -> float:
        """Return the t at which the curve comes that near to its end."""
        low, high = 0.5, 1.0
        for _ in range(30):
            middle = (low + high) / 2
            near = math.dist(self.at(middle), self.end) < distance
            low, high = (low, middle) if near else (middle, high)
        return low


def draw(cell: Cell) -> Markup:
    """Return the drawing of a cell, labelled with its edges for readers that do not see it."""
    edges = cell.connections()
    used = {node for source, target, _ in edges for node in (source, target)}
    parts = [_edge(source, target, name) for source, target, name in edges]
    parts += [_label(source, target, name) for source, target, name in edges]
    parts += [_node(node, node in used) for node in range(len(_X))]
    label = f"Cell {cell.archid}: " + ", ".join(
        f"{_NAMES[source]} to {_NAMES[target]} {operation_text(name)}"
        + (" at the next time step" if source > target else "")
        for source, target, name in edges
    )
    return Markup(
        f'<svg class="cell" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def as_file(cell: Cell) -> str:
    """Return the drawing of a cell as a file of its own, in the light colours of the page."""
    css = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    colours = css[: css.index("}") + 1]  # those of the light scheme; they come first
    rules = re.findall(r"^svg\.cell [^{].*$", css, re.MULTILINE)
    # What shows a picture may be dark, and has other letters: it brings its own.
    own = "svg.cell { background: var(--paper); font-family: sans-serif; }"
    head, _, rest = str(draw(cell)).partition(">")
    head = head.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" ', 1)
    return f"{head}><style>{chr(10).join([colours, own, *rules])}</style>{rest}\n"


def operation_text(name: str) -> str:
    """Return an operation as it is written on its edge.

    A dense convolution is written as its size, another type with its letter before the size. A
    threshold of its own comes last.
    """
    found = convolution(name)
    if found is None:
        return name
    letter = "" if found.type == "dense" else f"{name[0]} "
    own = "" if found.threshold is None else f" θ{found.threshold:g}"
    return f"{letter}{found.size}×{found.size}{own}"


def _curve(source: int, target: int) -> _Curve:
    low, high = min(source, target), max(source, target)
    start, end = (_X[source], _Y), (_X[target], _Y)
    # The curve's middle lies half way between its chord and its control point.
    height = 2 * _APEX.get((low, high), _Y) - _Y
    return _Curve(start, ((start[0] + end[0]) / 2, height), end)


def _edge(source: int, target: int, name: str) -> str:
    size = kernel_size(name)
    kind = "conv" if size is not None else {SKIP: "skip", AVG: "avg"}.get(name, "other")
    width = 1.6 if size is None else min(9.0, 1.4 + 0.7 * size)
    whole = _curve(source, target)
    reach = 5 + width
    line = whole.until(whole.touching(_RADIUS + reach))
    tip = whole.at(whole.touching(_RADIUS + 1))
    angle = math.atan2(tip[1] - line.end[1], tip[0] - line.end[0])
    across = (2.5 + width) * math.sin(angle), (2.5 + width) * math.cos(angle)
    x, y = line.end
    corners = [tip, (x - across[0], y + across[1]), (x + across[0], y - across[1])]
    classes = f"edge {kind}" + (" feedback" if source > target else "")
    return (
        f'<g class="{classes}"><path d="M{_at(line.start)}Q{_at(line.control)} {_at(line.end)}" '
        f'stroke-width="{width:.1f}"/><polygon points="{" ".join(map(_at, corners))}"/></g>'
    )


def _label(source: int, target: int, name: str) -> str:
    x, y = _curve(source, target).at(0.5)
    text = operation_text(name)
    if abs(source - target) == 1 and len(text) > _LETTERS:
        y -= 16
    width = 7.0 * len(text) + 8
    return (
        f'<rect class="pill" x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" '
        f'height="18" rx="5"/><text x="{x:.1f}" y="{y + 4.2:.1f}">{escape(text)}</text>'
    )


def _node(node: int, used: bool) -> str:
    unused = "" if used else " unused"
    return (
        f'<g class="node{unused}"><circle cx="{_X[node]:g}" cy="{_Y:g}" r="{_RADIUS}"/>'
        f'<text x="{_X[node]:g}" y="{_Y + 4.2:g}">{_NAMES[node]}</text></g>'
    )


def _at(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
