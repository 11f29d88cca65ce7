"""Places for the names of points so that they do not cover each other."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

_OFFSETS: tuple[tuple[float, float, str, str], ...] = (
    (7, 0, "left", "center"),
    (-7, 0, "right", "center"),
    (0, 8, "center", "bottom"),
    (0, -8, "center", "top"),
    (6, 6, "left", "bottom"),
    (-6, 6, "right", "bottom"),
    (6, -6, "left", "top"),
    (-6, -6, "right", "top"),
    (0, 20, "center", "bottom"),
    (0, -20, "center", "top"),
)
"""Offsets from the point in points, with the alignment of the text, best first."""

_SHARES = {"left": 0.0, "center": 0.5, "right": 1.0, "bottom": 0.0, "top": 1.0}
"""Share of a text's size that lies left of, or below, the point it is aligned to."""

_POINT_RADIUS = 4.5
"""Half the side, in points, of the square around a point that text should leave free."""


def place(
    axes: Axes,
    points: Sequence[tuple[float, float, str]],
    others: Sequence[tuple[float, float]],
    colour: str,
) -> None:
    """Write the name of each point beside it, at the first place that is still free.

    The limits of the axes must be final. Where no place is free, the text takes the one
    that covers the least.

    Args:
        axes: where to write.
        points: x, y and name.
        others: further points that names should not cover.
        colour: colour of the text.

    """
    figure = axes.get_figure()
    if not isinstance(figure, Figure):
        return
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    radius = _POINT_RADIUS * figure.dpi / 72
    taken = [_around(axes, x, y, radius) for x, y in [*((x, y) for x, y, _ in points), *others]]
    inside = axes.get_window_extent(renderer)
    for x, y, name in points:
        text = axes.annotate(
            name, (x, y), xytext=(0, 0), textcoords="offset points", fontsize=8.5, color=colour
        )
        size = text.get_window_extent(renderer)
        across, along = (float(pixel) for pixel in axes.transData.transform((x, y)))
        boxes = [_box((across, along), size, offset, figure.dpi / 72) for offset in _OFFSETS]
        costs = [_cost(box, taken, inside) for box in boxes]
        best = costs.index(min(costs))
        right, up, horizontal, vertical = _OFFSETS[best]
        text.set(position=(right, up), ha=horizontal, va=vertical)
        taken.append(boxes[best])


def _box(
    anchor: tuple[float, float], size: Bbox, offset: tuple[float, float, str, str], scale: float
) -> Bbox:
    """Return the box of a text of that size at an offset, in pixels."""
    right, up, horizontal, vertical = offset
    left = anchor[0] + right * scale - size.width * _SHARES[horizontal]
    bottom = anchor[1] + up * scale - size.height * _SHARES[vertical]
    return Bbox.from_bounds(left, bottom, size.width, size.height)


def _cost(box: Bbox, taken: Sequence[Bbox], inside: Bbox) -> float:
    """Return the pixels that a text would cover; those outside the axes weigh most."""
    outside = box.width * box.height - _overlap(box, inside)
    return round(sum(_overlap(box, other) for other in taken) + 4 * outside, 3)


def _around(axes: Axes, x: float, y: float, radius: float) -> Bbox:
    centre_x, centre_y = axes.transData.transform((x, y))
    return Bbox.from_extents(
        centre_x - radius, centre_y - radius, centre_x + radius, centre_y + radius
    )


def _overlap(first: Bbox, second: Bbox) -> float:
    common = Bbox.intersection(first, second)
    return float(common.width * common.height) if common is not None else 0.0
