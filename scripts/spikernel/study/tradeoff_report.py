"""Step 5, second half: the figures and the page, from the tables of the other steps. No torch."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import pandas as pd

from spikernel import artifacts, provenance, tables
from spikernel.config import ReportConfig
from spikernel.data import cautions
from spikernel.errors import TableError
from spikernel.report.charts import (
    curves_figure,
    figures,
    impact_figure,
    layers_figure,
    score_figure,
    search_figure,
)
from spikernel.report.page import card_files, cards, headlines, image_evidence, page
from spikernel.report.tables import comparisons, compute, models, published, selection
from spikernel.report.tables.records import Deployment, KernelSets, Metrics, Search, sizes_text


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Files of the earlier steps; lists may be empty, as they are where runs are compared."""

    models: Annotated[Path, "models.csv from tradeoff_table"]
    selection: Annotated[Path, "selection.csv from tradeoff_table"]
    comparisons: Annotated[Path, "comparisons.csv from tradeoff_table"]
    metrics: Annotated[list[Path], "metrics.json of every trained model and seed"]
    histories: Annotated[list[Path], "history.csv of every trained model and seed"]
    searches: Annotated[list[Path], "search.json of every data set and kernel set"]
    candidates: Annotated[list[Path], "candidates.csv of every data set and kernel set"]
    impacts: Annotated[list[Path], "impact.csv of every data set"]
    kernel_sets: Annotated[list[Path], "kernel_sets.json of every data set"]
    provenance: Annotated[list[Path], "provenance*.json of all jobs before this one"]
    deployments: Annotated[list[Path], "deployment.json of every trained model and seed"] = field(
        default_factory=list
    )
    predictions: Annotated[list[Path], "predictions.npz beside them"] = field(default_factory=list)
    layers: Annotated[list[Path], "layers.csv of every trained model and seed"] = field(
        default_factory=list
    )
    exports: Annotated[list[Path], "export.json of every exported model"] = field(
        default_factory=list
    )
    findings: Annotated[list[Path], "findings.json of every data set"] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Files to write; provenance_report.json goes beside the page."""

    page: Annotated[Path, "HTML page to write"]
    figures: Annotated[Path, "folder for the figures, as SVG, PDF, PNG and their numbers as CSV"]


def run(
    inputs: Inputs,
    outputs: Outputs,
    settings: ReportConfig,
    experiment: Annotated[str, "name of the experiment, for the title of the page"],
) -> None:
    """Write the figures, the page and provenance_report.json beside the page.

    Raises:
        SpikernelError: an input is missing or cannot be trusted, or an output not written.

    """
    watch = provenance.Stopwatch()
    provenance.check(provenance.paths_of(inputs))
    content = _content(inputs, outputs, settings, experiment)
    written = figures.write(outputs.figures, content.charts)
    artifacts.write_text(outputs.page, page.render(content))
    provenance.write(
        outputs.page.with_name("provenance_report.json"),
        step="tradeoff_report",
        settings=settings.model_dump(mode="json"),
        # Not the provenance records, which name their own inputs.
        inputs=provenance.paths_of(replace(inputs, provenance=[])),
        outputs=[outputs.page, *written],
        seconds=watch.seconds(),
    )


def _content(
    inputs: Inputs, outputs: Outputs, settings: ReportConfig, experiment: str
) -> page.Content:
    table = models.read(inputs.models)
    if not len(table):
        raise TableError(f"{inputs.models} holds no model")
    means = models.over_seeds(table)
    designs = [KernelSets.read(path) for path in inputs.kernel_sets]
    found = [search for _, search in sorted(Search.by_key(inputs.searches).items())]
    _check_sizes(
        means,
        [
            *(
                (design.dataset, item.name, item.sizes)
                for design in designs
                for item in design.sets
            ),
            *((item.dataset, item.kernel_set, item.kernel_sizes) for item in found),
        ],
    )
    candidates = score_figure.read_candidates(inputs.candidates)
    rates = layers_figure.table([Metrics.read(path) for path in sorted(inputs.metrics)])
    numbers = figures.Numbers(
        means=means,
        published=published.table(sorted(means["dataset"].unique()), settings.published_points),
        impact=impact_figure.read(inputs.impacts),
        curves=curves_figure.read(inputs.histories),
        rates=rates,
        searched=search_figure.table(found, candidates),
        scored=score_figure.table(means, candidates),
    )
    selected, compared = selection.read(inputs.selection), comparisons.read(inputs.comparisons)
    return page.Content(
        experiment=experiment,
        compared=compared,
        images=image_evidence.build(
            headlines.chosen(selected),
            table,
            comparisons.by_key(inputs.deployments, inputs.predictions),
            Deployment.by_key(inputs.deployments),
        ),
        numbers=numbers,
        charts=figures.charts(numbers, settings.precision),
        selected=selected,
        kernel_sets=sorted(designs, key=lambda design: design.dataset),
        searches=found,
        jobs=compute.read(inputs.provenance),
        cards=cards.build(
            means,
            rates,
            compared,
            settings.precision,
            card_files.Sources(
                metrics=inputs.metrics,
                layers=inputs.layers,
                exports=inputs.exports,
                page=outputs.page,
            ),
        ),
        settings=settings,
        cautions=cautions.by_dataset(inputs.findings),
        figures=Path(os.path.relpath(outputs.figures, outputs.page.parent)).as_posix(),
    )


def _check_sizes(means: pd.DataFrame, named: Iterable[tuple[str, str, tuple[int, ...]]]) -> None:
    """Refuse inputs of different runs, where one name stands for different kernel sizes."""
    trained = {
        (row["dataset"], row["kernel_set"]): row["kernel_sizes"] for row in tables.records(means)
    }
    for dataset, name, sizes in named:
        expected = trained.get((dataset, name))
        if expected is not None and expected != sizes_text(sizes):
            raise TableError(
                f"kernel set {name} on {dataset} has sizes {sizes_text(sizes)} in its design or "
                f"search, and {expected} in models.csv: the files come from different runs"
            )
