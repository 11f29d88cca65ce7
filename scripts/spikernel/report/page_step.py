"""What tradeoff_report does: draw the figures and the page from the tables of the other steps."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from spikernel import artifacts, provenance, tables
from spikernel.config import ReportConfig
from spikernel.errors import TableError
from spikernel.report import (
    cards,
    compute,
    curves_figure,
    figures,
    impact_figure,
    layers_figure,
    models,
    page,
    published,
    score_figure,
    search_figure,
    selection,
)
from spikernel.report.records import KernelSets, Metrics, searches_by_set, sizes_text


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Files of the earlier steps; all lists but `searches` may be empty."""

    models: Path
    selection: Path
    metrics: list[Path]
    histories: list[Path]
    searches: list[Path]
    candidates: list[Path]
    impacts: list[Path]
    kernel_sets: list[Path]
    provenance: list[Path]
    layers: list[Path]
    exports: list[Path]

    def all(self) -> list[Path]:
        """Return every file but the provenance records, which name their own inputs."""
        lists = (self.metrics, self.histories, self.searches, self.candidates, self.impacts)
        more = (self.kernel_sets, self.layers, self.exports)
        return [self.models, self.selection, *(path for item in (*lists, *more) for path in item)]


def write_report(
    inputs: Inputs, settings: ReportConfig, output: Path, figures_folder: Path
) -> None:
    """Write the figures, the page and provenance_report.json beside the page.

    Raises:
        SpikernelError: an input is missing or cannot be trusted, or an output not written.

    """
    watch = provenance.Stopwatch()
    content = _content(inputs, settings, output, figures_folder)
    written = figures.write(figures_folder, content.numbers, settings.precision)
    artifacts.write_text(output, page.render(content))
    provenance.write(
        output.parent / "provenance_report.json",
        step="tradeoff_report",
        settings=settings.model_dump(mode="json"),
        inputs=inputs.all(),
        outputs=[output, *written],
        seconds=watch.seconds(),
    )


def _content(
    inputs: Inputs, settings: ReportConfig, output: Path, figures_folder: Path
) -> page.Content:
    table = models.read(inputs.models)
    if not len(table):
        raise TableError(f"{inputs.models} holds no model")
    means = models.over_seeds(table)
    designs = [KernelSets.read(path) for path in inputs.kernel_sets]
    found = [search for _, search in sorted(searches_by_set(inputs.searches).items())]
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
    return page.Content(
        numbers=figures.Numbers(
            means=means,
            published=published.table(sorted(means["dataset"].unique()), settings.published_points),
            impact=impact_figure.read(inputs.impacts),
            curves=curves_figure.read(inputs.histories),
            rates=rates,
            searched=search_figure.table(found, candidates),
            scored=score_figure.table(means, candidates),
        ),
        selected=selection.read(inputs.selection),
        kernel_sets=sorted(designs, key=lambda design: design.dataset),
        searches=found,
        jobs=compute.read(inputs.provenance),
        cards=cards.build(
            means,
            rates,
            cards.Sources(
                metrics=inputs.metrics, layers=inputs.layers, exports=inputs.exports, page=output
            ),
        ),
        settings=settings,
        figures=Path(os.path.relpath(figures_folder, output.parent)).as_posix(),
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
