"""What tradeoff_table does: read, compute, write the numbers, and leave the provenance.

Apart from the drawing, so that an edit of a figure recomputes no number.
"""

from pathlib import Path

from spikernel import artifacts, provenance
from spikernel.config import ReportConfig
from spikernel.report import headline, main_tables, models, selection, summary


def write_tables(
    *,
    metrics: list[Path],
    searches: list[Path],
    settings: ReportConfig,
    models_path: Path,
    selection_path: Path,
    summary_path: Path,
    tables_folder: Path,
) -> None:
    """Write models.csv, selection.csv, summary.md, headline.json, tables/ and their provenance.

    Raises:
        SpikernelError: an input is missing or cannot be trusted, or an output not written.

    """
    watch = provenance.Stopwatch()
    table = models.build(metrics, searches, settings.precision)
    means = models.over_seeds(table)
    selected = selection.select(means, settings.memory_budgets_mb, settings.precision)
    artifacts.write_text(models_path, models.to_csv(table))
    artifacts.write_text(selection_path, selection.to_csv(selected))
    artifacts.write_text(summary_path, summary.render(means, selected, settings.precision))
    headline_path = models_path.parent / "headline.json"
    artifacts.write_json(headline_path, headline.build(means, selected))
    written = []
    for main in (
        main_tables.selection(selected, settings.precision),
        main_tables.all_models(means, settings.precision),
    ):
        written += [tables_folder / f"{main.name}.{kind}" for kind in ("md", "tex")]
        artifacts.write_text(written[-2], main.as_markdown())
        artifacts.write_text(written[-1], main.as_latex())
    provenance.write(
        models_path.parent / "provenance_table.json",
        step="tradeoff_table",
        settings=settings.model_dump(mode="json"),
        inputs=[*metrics, *searches],
        outputs=[models_path, selection_path, summary_path, headline_path, *written],
        seconds=watch.seconds(),
    )
