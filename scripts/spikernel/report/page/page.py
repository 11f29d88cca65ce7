"""The report as one page in one file: it opens from disk, needs no network, and prints."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from spikernel import __version__
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
from spikernel.report.page import headlines, page_evidence, page_tables
from spikernel.report.page.cards import Card
from spikernel.report.page.image_evidence import Judged
from spikernel.report.tables import formats, headline, main_tables, models, selection
from spikernel.report.tables.records import Job, KernelSets, Search
from spikernel.report.tables.table import count
from spikernel.report.tables.table import sizes as sizes_as_set

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
    experiment: str
    """Name of the experiment."""
    compared: pd.DataFrame
    """Rows of comparisons.csv."""
    images: list[Judged]
    """The chosen models, image by image."""
    cautions: dict[str, tuple[str, ...]]
    """What misleads in the images, by data set."""


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
        hover=_file("hover.js"),
        sorting=_file("sorting.js"),
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
        "experiment": content.experiment,
        "headlines": headlines.build(
            content.selected,
            headline.refused(means),
            content.numbers.published,
            content.settings.precision,
            content.cautions,
        ),
        "datasets": sorted(means["dataset"].unique()),
        "model_count": len(means),
        "by_finalists": bool(means["finalist_epochs"].notna().any()),
        "run_count": int(means["seeds"].sum()),
        "precision": content.settings.precision,
        "quantised": models.quantised(means),
        "looks": {
            name: (style.css(colour), style.SHAPES[marker])
            for name, (colour, marker) in content.numbers.looks.items()
        },
        "cards": content.cards,
        "images": content.images,
    }


def _explorer(content: Content) -> dict[str, Any]:
    numbers, settings = content.numbers, content.settings
    payload = explorer.payload(
        numbers.means, numbers.published, content.compared, numbers.looks, settings
    )
    sizes = numbers.means.groupby("kernel_set")["kernel_sizes"].unique()
    return {
        "payload": _json(payload),
        "choices": payload["costs"],
        "budgets": [
            *(("weights", "MB", budget) for budget in sorted(settings.memory_budgets_mb)),
            *((formats.FLASH, "kB", budget) for budget in sorted(settings.flash_budgets_kb)),
            *((formats.RAM, "kB", budget) for budget in sorted(settings.ram_budgets_kb)),
        ],
        "budgeted": {
            name: f"int8, kB of {limit}" if name in formats.WORDS else name
            for name, limit in payload["limits"].items()
        },
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
        "devices": page_tables.on_devices(
            selection.for_devices(numbers.means, content.settings, content.compared)
        ),
        "models": page_tables.models(numbers.means),
        "on_ranks": main_tables.on_ranks(numbers.means),
        "impact": page_tables.impact(numbers.impact),
        "kernel_sets": page_tables.kernel_sets(content.kernel_sets, numbers.means),
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
