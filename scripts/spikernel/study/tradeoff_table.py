"""Step 5, first half: one table of all models, and the best for each memory budget. No torch.

Apart from the drawing, so that an edit of a figure recomputes no number.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from spikernel import artifacts, provenance
from spikernel.config import ReportConfig
from spikernel.report.tables import (
    headline,
    latex,
    main_tables,
    markdown,
    models,
    selection,
    summary,
)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Files of the earlier steps."""

    metrics: Annotated[list[Path], "metrics.json of every trained model and seed"]
    searches: Annotated[list[Path], "search.json of every data set and kernel set"]
    deployments: Annotated[list[Path], "deployment.json of every trained model and seed"]


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Files to write; headline.json and provenance_table.json go beside the first."""

    models: Annotated[Path, "CSV file to write: one row per model and seed"]
    selection: Annotated[Path, "CSV file to write: the model for each memory budget"]
    summary: Annotated[Path, "Markdown file to write: both tables for a terminal"]
    tables: Annotated[Path, "folder for both tables as Markdown and LaTeX"]


def run(inputs: Inputs, outputs: Outputs, settings: ReportConfig) -> None:
    """Write models.csv, selection.csv, summary.md, headline.json, tables/ and their provenance.

    The page is drawn from them, so an older one beside them is removed first.

    Raises:
        SpikernelError: an input is missing or cannot be trusted, or an output not written.

    """
    watch = provenance.Stopwatch()
    provenance.check(provenance.paths_of(inputs))
    precision = settings.precision
    table = models.build(inputs.metrics, inputs.searches, inputs.deployments, precision)
    means = models.over_seeds(table)
    selected = selection.select(means, settings.memory_budgets_mb, precision)
    note = main_tables.NOTE.format(precision=precision)
    shown = {
        "selection": main_tables.selection(
            selected, f"The best model within each memory budget. {note}"
        ),
        "models": main_tables.brief(
            means,
            "All trained models; a dot marks the Pareto front of test accuracy against memory. "
            f"{note}",
            precision,
        ),
    }
    texts = {
        outputs.models: models.to_csv(table),
        outputs.selection: selection.to_csv(selected),
        outputs.summary: summary.render(shown["selection"], shown["models"], means, precision),
    }
    for name, item in shown.items():
        texts[outputs.tables / f"{name}.md"] = markdown.render(item)
        texts[outputs.tables / f"{name}.tex"] = latex.render(item, f"tab:spikernel-{name}")
    outputs.models.with_name("report.html").unlink(missing_ok=True)
    for path, text in texts.items():
        artifacts.write_text(path, text)
    headline_path = outputs.models.with_name("headline.json")
    artifacts.write_json(headline_path, headline.build(means, selected))
    provenance.write(
        outputs.models.with_name("provenance_table.json"),
        step="tradeoff_table",
        settings=settings.model_dump(mode="json"),
        inputs=provenance.paths_of(inputs),
        outputs=[*texts, headline_path],
        seconds=watch.seconds(),
    )
