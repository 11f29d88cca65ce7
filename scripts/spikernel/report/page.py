"""The report as one self-contained page: no script, no network, light and dark."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from spikernel import __version__, tables
from spikernel.config import ReportConfig
from spikernel.report import (
    curves_figure,
    figures,
    formats,
    impact_figure,
    page_tables,
    style,
    tradeoff_figure,
)
from spikernel.report.records import KernelSets, Search

_MODEL = ("kernel_set", "rank", "archid")


@dataclass(frozen=True, kw_only=True)
class Content:
    """Everything that the page shows."""

    means: pd.DataFrame
    """One row per model, from `spikernel.report.models.over_seeds`."""
    selected: pd.DataFrame
    """Rows of selection.csv."""
    impact: pd.DataFrame
    """Rows of `spikernel.report.impact_figure.read`, may be empty."""
    kernel_sets: list[KernelSets]
    searches: list[Search]
    curves: pd.DataFrame
    """Rows of `spikernel.report.curves_figure.read`, may be empty."""
    published: pd.DataFrame
    """Published results to show, may be empty."""
    settings: ReportConfig


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An inline figure with its caption."""

    svg: Markup
    caption: str


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The result on one data set in one glance."""

    dataset: str
    accuracy: str
    text: str
    archid: str
    comparison: str


def render(content: Content) -> str:
    """Return the page as HTML. All names are escaped; the inline figures are our own."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    precision = content.settings.precision
    return environment.get_template("page.html.j2").render(
        version=__version__,
        precision=precision,
        headlines=_headlines(content),
        datasets=sorted(content.means["dataset"].unique()),
        model_count=len(content.means),
        run_count=int(content.means["seeds"].sum()),
        selection=page_tables.selection(content.selected),
        tradeoff=_tradeoff_pictures(content),
        impact_pictures=_impact_pictures(content.impact),
        impact=page_tables.impact(content.impact),
        kernel_sets=page_tables.kernel_sets(content.kernel_sets),
        searches=page_tables.searches(content.searches),
        curves=_curve_pictures(content),
        models=page_tables.models(content.means),
        published=page_tables.published(content.published),
    )


def _headlines(content: Content) -> list[Headline]:
    """Return, per data set, the model of the largest budget, with the least that selects it."""
    lines = []
    for dataset, rows in content.selected.groupby("dataset"):
        fitting = rows[rows["fits"]]
        if len(fitting):
            best = tables.records(fitting)[-1]
            same = fitting[(fitting[list(_MODEL)] == [best[key] for key in _MODEL]).all(axis=1)]
            best["budget_mb"] = same["budget_mb"].min()
            lines.append(_headline(str(dataset), best, content))
            continue
        smallest = formats.significant(rows["smallest_memory_mb"].min())
        text = f"No trained model fits a memory budget: the smallest needs {smallest} MB."
        lines.append(
            Headline(dataset=str(dataset), accuracy="–", text=text, archid="", comparison="")
        )
    return lines


def _headline(dataset: str, row: dict[str, Any], content: Content) -> Headline:
    text = (
        f"test accuracy in {formats.significant(row['memory_mb'])} MB of weights "
        f"({row['precision']}, {formats.count(row['params'])} parameters), within a budget of "
        f"{formats.significant(row['budget_mb'])} MB"
    )
    paper = content.published[
        (content.published["dataset"] == dataset) & content.published["params_is_upper_bound"]
    ]
    comparison = "".join(
        f"Published by the SpiKernel paper: {formats.accuracy(other['test_accuracy_percent'])} % "
        f"with fewer than {formats.significant(other['params_m'])} M parameters."
        for other in tables.records(paper)
    )
    accuracy = formats.accuracy(row["test_accuracy_percent_mean"], row["test_accuracy_percent_sd"])
    archid = f"{row['kernel_set']} · {row['archid']}"
    return Headline(
        dataset=dataset, accuracy=f"{accuracy} %", text=text, archid=archid, comparison=comparison
    )


def _tradeoff_pictures(content: Content) -> list[Picture]:
    looks = figures.kernel_set_looks(content.means)
    pictures = []
    costs = figures.costs(content.settings.precision)
    tables = {
        name: tradeoff_figure.points(content.means, content.published, cost)
        for name, cost in costs.items()
    }
    for place, dataset in enumerate(sorted(content.means["dataset"].unique())):
        for name, cost in costs.items():
            table = tables[name][tables[name]["dataset"] == dataset]
            figure = tradeoff_figure.draw(table, cost, looks)
            title = f"{dataset}: test accuracy against {cost.title[0].lower()}{cost.title[1:]}"
            svg = style.inline_svg(figure, f"{name}-{place}", title)
            pictures.append(Picture(svg=Markup(svg), caption=title + "."))
    return pictures


def _impact_pictures(impact: pd.DataFrame) -> list[Picture]:
    pictures = []
    for place, (dataset, table) in enumerate(impact.groupby("dataset")):
        title = f"{dataset}: validation accuracy against kernel size"
        svg = style.inline_svg(impact_figure.draw(table), f"kernel_impact-{place}", title)
        pictures.append(Picture(svg=Markup(svg), caption=title + "."))
    return pictures


def _curve_pictures(content: Content) -> list[Picture]:
    looks = figures.kernel_set_looks(content.means)
    known = content.curves[content.curves["kernel_set"].isin(looks)]
    pictures = []
    for place, (dataset, table) in enumerate(known.groupby("dataset")):
        title = f"{dataset}: validation accuracy over the epochs of training"
        svg = style.inline_svg(curves_figure.draw(table, looks), f"curves-{place}", title)
        pictures.append(Picture(svg=Markup(svg), caption=title + "."))
    return pictures
