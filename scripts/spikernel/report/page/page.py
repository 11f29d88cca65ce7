"""The report as one page in one file: it opens from disk, needs no network, and prints."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from spikernel import __version__, tables
from spikernel.config import ReportConfig
from spikernel.report.charts import (
    costs,
    explorer,
    explorer_chart,
    figures,
    score_figure,
    search_figure,
    style,
)
from spikernel.report.charts.figures import Chart, Numbers
from spikernel.report.page import page_evidence, page_tables
from spikernel.report.page.cards import Card
from spikernel.report.tables import headline, models
from spikernel.report.tables.records import Job, KernelSets, Search
from spikernel.report.tables.table import accuracy, count, significant
from spikernel.report.tables.table import sizes as sizes_as_set

_MODEL = ("kernel_set", "rank", "archid")
_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Content:
    """Everything that the page shows."""

    numbers: Numbers
    charts: dict[str, Chart]
    """The figures of these numbers, by name."""
    selected: pd.DataFrame
    """Rows of selection.csv."""
    kernel_sets: list[KernelSets]
    searches: list[Search]
    jobs: list[Job]
    cards: list[Card]
    settings: ReportConfig
    figures: str
    """Folder of the static figures, relative to the page."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The main result on one data set."""

    dataset: str
    accuracy: str
    text: str
    archid: str
    comparison: str


def render(content: Content) -> str:
    """Return the page as HTML. All names are escaped; only our own scripts and figures are not."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.j2").render(
        version=__version__,
        css=_file("page.css"),
        script=_file("page.js"),
        vega=Markup(explorer_chart.runtime()),
        figures=content.figures,
        file_formats=figures.FORMATS,
        reference_samples=count(search_figure.REFERENCE_SAMPLES),
        **_overview(content),
        **_explorer(content),
        **_pictures(content),
        **_tables(content),
    )


def _overview(content: Content) -> dict[str, Any]:
    means = content.numbers.means
    return {
        "headlines": _headlines(content),
        "datasets": sorted(means["dataset"].unique()),
        "model_count": len(means),
        "run_count": int(means["seeds"].sum()),
        "precision": content.settings.precision,
        "quantised": models.quantised(means),
        "looks": {
            name: (style.css(colour), style.SHAPES[marker])
            for name, (colour, marker) in content.numbers.looks.items()
        },
        "cards": content.cards,
    }


def _explorer(content: Content) -> dict[str, Any]:
    numbers = content.numbers
    payload = explorer.payload(numbers.means, numbers.published, numbers.looks, content.settings)
    sizes = numbers.means.groupby("kernel_set")["kernel_sizes"].unique()
    return {
        "payload": _json(payload),
        "choices": payload["costs"],
        "budgets": sorted(content.settings.memory_budgets_mb),
        "number_formats": tuple(costs.BYTES),
        # One name may stand for other sizes on another data set: then only the name is shown.
        "legend": [
            (name, sizes_as_set(sizes[name][0]) if len(sizes[name]) == 1 else "")
            for name in numbers.looks
        ],
        "tradeoff_files": [f"{content.figures}/{name}" for name in costs.of_figures("fp32")],
    }


def _pictures(content: Content) -> dict[str, Any]:
    names = {
        "tradeoff": "accuracy_vs_memory",
        "impact_pictures": "kernel_impact",
        "search_pictures": "search_cost",
        "score_pictures": "score_vs_accuracy",
        "curves": "training_curves",
    }
    return {
        place: figures.inline(content.charts, name, content.figures)
        for place, name in names.items()
    }


def _tables(content: Content) -> dict[str, Any]:
    numbers = content.numbers
    return {
        "selection": page_tables.selection(content.selected),
        "models": page_tables.models(numbers.means),
        "impact": page_tables.impact(numbers.impact),
        "kernel_sets": page_tables.kernel_sets(content.kernel_sets),
        "searches": page_evidence.searches(content.searches, numbers.searched),
        "agreements": page_evidence.agreements(score_figure.agreements(numbers.scored)),
        "heats": page_evidence.firing_rates(numbers.rates),
        "published": page_tables.published(numbers.published),
        "compute": page_evidence.compute_used(content.jobs),
        "made": page_evidence.made_with(content.jobs),
        "hashes": page_evidence.data_hashes(content.jobs),
    }


def _file(name: str) -> Markup:
    return Markup((_HERE / name).read_text(encoding="utf-8"))


def _json(value: Any) -> Markup:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _headlines(content: Content) -> list[Headline]:
    """Return, per data set, the model of the largest budget and the least that selects it."""
    lines = []
    for dataset, rows in content.selected.groupby("dataset"):
        fitting = rows[rows["fits"]]
        if len(fitting):
            best = tables.records(fitting)[-1]
            same = fitting[(fitting[list(_MODEL)] == [best[key] for key in _MODEL]).all(axis=1)]
            best["budget_mb"] = same["budget_mb"].min()
            steps = headline.refused(content.numbers.means).get(headline.model_of(best))
            lines.append(
                _headline(str(dataset), best, content)
                if steps is None
                else _refusal(str(dataset), best, steps)
            )
            continue
        smallest = significant(rows["smallest_memory_mb"].min())
        text = f"No trained model fits a memory budget: the smallest needs {smallest} MB."
        lines.append(
            Headline(dataset=str(dataset), accuracy="–", text=text, archid="", comparison="")
        )
    return lines


def _refusal(dataset: str, row: dict[str, Any], steps: int) -> Headline:
    text = (
        f"The model within a budget of {significant(row['budget_mb'])} MB runs {steps} steps of "
        f"binary spikes; as at most {headline.MOST_STEPS} count, its accuracy is no headline. The "
        "tables below have it."
    )
    archid = f"{row['kernel_set']} · {row['archid']}"
    return Headline(dataset=dataset, accuracy="–", text=text, archid=archid, comparison="")


def _headline(dataset: str, row: dict[str, Any], content: Content) -> Headline:
    text = (
        f"test accuracy in {significant(row['memory_mb'])} MB of weights "
        f"({row['precision']}, {count(row['params'])} parameters), within a budget of "
        f"{significant(row['budget_mb'])} MB"
    )
    published = content.numbers.published
    paper = published[(published["dataset"] == dataset) & published["params_is_upper_bound"]]
    comparison = "".join(
        f"Published by the SpiKernel paper: {accuracy(other['test_accuracy_percent'])} % "
        f"with fewer than {significant(other['params_m'])} M parameters."
        for other in tables.records(paper)
    )
    reached = accuracy(row["test_accuracy_percent_mean"], row["test_accuracy_percent_sd"])
    archid = f"{row['kernel_set']} · {row['archid']}"
    return Headline(
        dataset=dataset, accuracy=f"{reached} %", text=text, archid=archid, comparison=comparison
    )
