"""What tradeoff_report does: draw the figures and the page from the tables of the other steps."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from spikernel import artifacts, provenance, tables
from spikernel.config import ReportConfig
from spikernel.errors import TableError
from spikernel.report import (
    curves_figure,
    figures,
    impact_figure,
    models,
    page,
    published,
    selection,
)
from spikernel.report.records import KernelSets, searches_by_set, sizes_text


def write_report(
    *,
    models_path: Path,
    selection_path: Path,
    impacts: list[Path],
    kernel_sets: list[Path],
    searches: list[Path],
    histories: list[Path],
    settings: ReportConfig,
    output: Path,
    figures_folder: Path,
) -> None:
    """Write the figures, the page and provenance_report.json beside the page.

    Raises:
        SpikernelError: an input is missing or cannot be trusted, or an output not written.

    """
    watch = provenance.Stopwatch()
    table = models.read(models_path)
    if not len(table):
        raise TableError(f"{models_path} holds no model")
    means = models.over_seeds(table)
    designs = [KernelSets.read(path) for path in kernel_sets]
    found = searches_by_set(searches)
    _check_sizes(
        means,
        [
            *(
                (design.dataset, item.name, item.sizes)
                for design in designs
                for item in design.sets
            ),
            *((item.dataset, item.kernel_set, item.kernel_sizes) for item in found.values()),
        ],
    )
    shown = published.table(sorted(means["dataset"].unique()), settings.published_points)
    impact = impact_figure.read(impacts)
    content = page.Content(
        means=means,
        selected=selection.read(selection_path),
        impact=impact,
        kernel_sets=sorted(designs, key=lambda design: design.dataset),
        searches=[search for _, search in sorted(found.items())],
        curves=curves_figure.read(histories),
        published=shown,
        settings=settings,
    )
    written = figures.write(figures_folder, means, shown, impact, settings.precision)
    artifacts.write_text(output, page.render(content))
    provenance.write(
        output.parent / "provenance_report.json",
        step="tradeoff_report",
        settings=settings.model_dump(mode="json"),
        inputs=[models_path, selection_path, *impacts, *kernel_sets, *searches, *histories],
        outputs=[output, *written],
        seconds=watch.seconds(),
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
