"""The interactive trade-off: an Altair chart, and Vega itself, so that the page needs no network.

The chart holds every point for every cost. The page's controls set the parameters below, and
filters choose the points to show. Colours are CSS variables, so the chart follows a light or
dark scheme without a new drawing.
"""

from typing import Any

import altair as alt
import vl_convert

from spikernel.report.charts import style

PARAMETERS: dict[str, Any] = {
    "dataset": "",
    "cost": "",
    "precision": "fp32",
    "budget": 0.0,
    "other": "",
    "other_budget": 0.0,
    "model": -1,
    "alike": [],
    "chance": -1.0,
    "published": False,
    "x_title": "",
    "y_title": "Test accuracy in %",
    **dict.fromkeys(("x_low", "y_low"), 1.0),
    **dict.fromkeys(("x_high", "y_high"), 2.0),
}
"""What the page sets, by name: budget in the unit of `precision`; other, a second limit of a device
if there is one, with its budget; model, the row that is looked at;
alike, the rows that are not told apart from it; chance, the accuracy of guessing in percent."""

_Y_TITLE = PARAMETERS["y_title"]
_SHOWN = "datum.dataset == dataset && datum.cost == cost"
_FITS = (
    "datum['memory_' + precision] <= budget"
    " && (other == '' || datum['memory_' + other] <= other_budget)"
)
_LEFT = "log(datum.x / x_low) < log(x_high / x_low) / 2"
_BUDGET_HERE = "cost == 'memory_' + precision && budget < x_high"


def spec(points: list[dict[str, Any]], looks: style.Looks) -> dict[str, Any]:
    """Return the chart as a Vega-Lite specification.

    Args:
        points: rows with dataset, cost, kind (`measured`, `front` for the corners of the front,
            or `published`), model (row of the model, else -1), label (kernel set or system),
            name, x, y, low and high (one standard deviation around y, absent with one seed),
            least and most (ends of the 95 % interval of y, absent where not known), bound (x is
            an upper bound), and for models memory_<format> in the unit of its budgets, on_front,
            tag (short names of all models at its place), named (its tag stands at its point) and
            covered (its tag stands at another point of its place).
        looks: colour and marker of every kernel set.

    """
    data = alt.InlineData(values=points, name="points")
    shown = alt.Chart(data).transform_filter(_SHOWN)
    measured = shown.transform_filter("datum.kind == 'measured'")
    front = shown.transform_filter("datum.kind == 'front'")
    published = shown.transform_filter("datum.kind == 'published' && published")
    x = alt.X(
        "x:Q",
        title=None,
        scale=alt.Scale(
            type="log",
            domain=[alt.ExprRef("x_low"), alt.ExprRef("x_high")],
            nice=False,
        ),
        axis=alt.Axis(format="~g", tickCount=6, labelOverlap="greedy", labelSeparation=9),
    )
    y = alt.Y(
        "y:Q",
        title=_Y_TITLE,
        scale=alt.Scale(
            zero=False,
            domain=[alt.ExprRef("y_low"), alt.ExprRef("y_high")],
            nice=False,
        ),
        axis=alt.Axis(tickCount=6, format="~g"),
    )
    layers = alt.layer(
        _over_budget(x),
        _interval(measured),
        _chance(),
        _front(front, x, y),
        _spread(measured, x, looks),
        _published(published, x, y),
        _models(measured, x, y, looks),
        _looked_at(measured, x, y),
        _alike(measured, x, y),
        _names(measured, x, y),
    )
    chart = (
        layers.add_params(*(alt.param(name=name, value=PARAMETERS[name]) for name in PARAMETERS))
        .properties(
            width=640,
            height=420,
            title=alt.Title(
                text=alt.ExprRef("x_title"), orient="bottom", anchor="middle", fontSize=13,
                fontWeight="normal", offset=8, color="var(--ink)",
            ),
            autosize=alt.AutoSizeParams(type="fit", contains="padding"),
            padding=4,
            background="transparent",
        )
        .configure(font="system-ui, 'Segoe UI', Roboto, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor="var(--ink)", titleColor="var(--ink)", gridColor="var(--grid)",
            domainColor="var(--muted)", tickColor="var(--muted)", labelFontSize=12,
            titleFontSize=13, titleFontWeight="normal", titlePadding=10,
        )
    )  # fmt: skip
    specification: dict[str, Any] = chart.to_dict()
    # An address that nothing is fetched from, and that a page without network need not hold.
    del specification["$schema"]
    return specification


def runtime() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as a script that defines `window.vegaEmbed`."""
    script: str = vl_convert.javascript_bundle(
        "window.vegaEmbed = vegaEmbed;", vl_version=alt.SCHEMA_VERSION.rpartition(".")[0]
    )
    return script


def _colours(looks: style.Looks) -> alt.Color:
    return alt.Color(
        "label:N",
        legend=None,
        scale=alt.Scale(domain=list(looks), range=[style.css(look[0]) for look in looks.values()]),
    )


def _over_budget(x: alt.X) -> alt.LayerChart:
    """Shade what does not fit the budget, if the x-axis is the memory that it limits."""
    edge = (
        alt.Chart(alt.InlineData(values=[{}]))
        .transform_filter(_BUDGET_HERE)
        .transform_calculate(x="max(budget, x_low)", end="x_high")
    )
    area = edge.mark_rect(color="var(--muted)", opacity=0.13).encode(x=x, x2="end:Q")
    return area + edge.mark_rule(color="var(--ink)", strokeDash=[2, 3], strokeWidth=1.5).encode(x=x)


def _interval(measured: alt.Chart) -> alt.Chart:
    """Shade the 95 % interval of the model whose card is shown, over the whole width."""
    return (
        measured.transform_filter("datum.model == model && isValid(datum.least)")
        .mark_rect(color="var(--accent)", opacity=0.1, clip=True, aria=False)
        .encode(y=alt.Y("least:Q", title=_Y_TITLE), y2="most:Q")
    )


def _chance() -> alt.Chart:
    """Draw the accuracy of guessing where it is within the axes."""
    return (
        alt.Chart(alt.InlineData(values=[{}]))
        .transform_filter("chance >= y_low && chance <= y_high")
        .transform_calculate(y="chance")
        .mark_rule(color="var(--muted)", strokeDash=[1, 3], strokeWidth=1.5)
        .encode(y=alt.Y("y:Q", title=_Y_TITLE))
    )


def _front(front: alt.Chart, x: alt.X, y: alt.Y) -> alt.Chart:
    return front.mark_line(
        interpolate="step-after", color="var(--ink)", strokeWidth=1.3, clip=True
    ).encode(x=x, y=y, order="x:Q")


def _spread(measured: alt.Chart, x: alt.X, looks: style.Looks) -> alt.Chart:
    return (
        measured.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=1.6, opacity=0.75)
        .encode(x=x, y=alt.Y("low:Q", title=_Y_TITLE), y2="high:Q", color=_colours(looks))
    )


def _models(measured: alt.Chart, x: alt.X, y: alt.Y, looks: style.Looks) -> alt.Chart:
    shapes = [style.SHAPES[marker] for _, marker in looks.values()]
    return (
        measured.transform_calculate(fits=_FITS)
        .mark_point(filled=True, size=210, stroke="var(--paper)", strokeWidth=1, cursor="pointer")
        .encode(
            x=x,
            y=y,
            color=_colours(looks),
            shape=alt.Shape(
                "label:N", legend=None, scale=alt.Scale(domain=list(looks), range=shapes)
            ),
            opacity=alt.condition("datum.fits", alt.value(1), alt.value(0.4)),
            description="name:N",
        )
    )


def _looked_at(measured: alt.Chart, x: alt.X, y: alt.Y) -> alt.Chart:
    """Draw a ring around the model whose card is shown."""
    return (
        measured.transform_filter("datum.model == model")
        .mark_point(
            size=620, shape="circle", stroke="var(--ink)", strokeWidth=2, filled=False,
            fill="transparent", tooltip=None, aria=False,
        )
        .encode(x=x, y=y)
    )  # fmt: skip


def _alike(measured: alt.Chart, x: alt.X, y: alt.Y) -> alt.Chart:
    """Draw a dotted ring around the models that are not told apart from the one looked at."""
    return (
        measured.transform_filter("indexof(alike, datum.model) >= 0")
        .mark_point(
            size=520, shape="circle", stroke="var(--ink)", strokeWidth=1.2, strokeDash=[2, 3],
            filled=False, tooltip=None, aria=False,
        )
        .encode(x=x, y=y)
    )  # fmt: skip


def _names(measured: alt.Chart, x: alt.X, y: alt.Y) -> alt.Chart:
    """Write the names of the models at a point, on the side where there is room.

    Names on the front stand above its line, all others below their points.
    """
    return (
        measured.transform_filter("datum.named || datum.model == model && !datum.covered")
        .mark_text(
            align=alt.ExprRef(f"{_LEFT} ? 'left' : 'right'"),
            dx=alt.ExprRef(f"{_LEFT} ? 10 : -10"),
            dy=alt.ExprRef("datum.on_front ? -13 : 15"),
            fontSize=11.5,
            color="var(--ink)",
            aria=False,
            tooltip=None,
        )
        .encode(x=x, y=y, text="tag:N")
    )


def _published(published: alt.Chart, x: alt.X, y: alt.Y) -> alt.Chart:
    return published.mark_point(
        filled=False, size=110, stroke="var(--muted)", strokeWidth=1.6, fill="var(--paper)"
    ).encode(
        x=x,
        y=y,
        shape=alt.condition("datum.bound", alt.value("triangle-left"), alt.value("circle")),
        description="name:N",
    )
