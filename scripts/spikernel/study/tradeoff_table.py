"""Step 5, first half: one table of all models, and the best for each memory budget. No torch.

Apart from the drawing, so that an edit of a figure recomputes no number.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd

from spikernel import artifacts, provenance
from spikernel.config import ReportConfig
from spikernel.report.tables import (
    comparisons,
    headline,
    latex,
    main_tables,
    markdown,
    models,
    predictions,
    selection,
    summary,
)
from spikernel.study import agreement


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Files of the earlier steps."""

    metrics: Annotated[list[Path], "metrics.json of every trained model and seed"]
    searches: Annotated[list[Path], "search.json of every data set and kernel set"]
    deployments: Annotated[list[Path], "deployment.json of every trained model and seed"]
    predictions: Annotated[list[Path], "predictions.npz beside them"]


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Files to write; headline.json and provenance_table.json go beside the first."""

    models: Annotated[Path, "CSV file to write: one row per model and seed"]
    selection: Annotated[Path, "CSV file to write: the model for each memory budget"]
    comparisons: Annotated[Path, "CSV file to write: every pair of models on the test images"]
    summary: Annotated[Path, "Markdown file to write: both tables for a terminal"]
    tables: Annotated[Path, "folder for both tables as Markdown and LaTeX"]


def run(inputs: Inputs, outputs: Outputs, settings: ReportConfig) -> None:
    """Write the tables of models, budgets and pairs, their summary, and their provenance.

    The page is drawn from them, so an older one beside them is removed first.

    Raises:
        SpikernelError: an input is missing or cannot be trusted, files of one model are of
            different trainings, or an output is not written.

    """
    watch = provenance.Stopwatch()
    provenance.check(provenance.paths_of(inputs), of_jobs=True)
    found = comparisons.by_key(inputs.deployments, inputs.predictions)
    table = models.build(
        inputs.metrics,
        inputs.searches,
        inputs.deployments,
        predictions.chance(found),
        settings.precision,
    )
    agreement.check_accuracies(table, found)
    agreement.check_deployments(inputs.metrics, inputs.deployments)
    written = write(table, comparisons.table(table, found), outputs, settings)
    provenance.write(
        outputs.models.with_name("provenance_table.json"),
        step="tradeoff_table",
        settings=settings.model_dump(mode="json"),
        inputs=provenance.paths_of(inputs),
        outputs=written,
        seconds=watch.seconds(),
    )


def write(
    table: pd.DataFrame, compared: pd.DataFrame, outputs: Outputs, settings: ReportConfig
) -> list[Path]:
    """Write all tables of some models and return the paths of the files.

    Args:
        table: from `spikernel.report.tables.models.build`.
        compared: from `spikernel.report.tables.comparisons.table`.
        outputs: where to.
        settings: memory budgets and number format.

    """
    precision = settings.precision
    means = models.over_seeds(table)
    selected = selection.select(means, settings.memory_budgets_mb, precision)
    selected = selection.with_rivals(selected, means, compared)
    note = main_tables.note(means, precision)
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
        outputs.comparisons: comparisons.to_csv(compared),
        outputs.summary: summary.render(
            shown["selection"],
            {
                limit: main_tables.on_device(rows, limit)
                for limit, rows in selection.for_devices(means, settings, compared).items()
            },
            shown["models"],
            means,
            precision,
        ),
    }
    for name, item in shown.items():
        texts[outputs.tables / f"{name}.md"] = markdown.render(item)
        texts[outputs.tables / f"{name}.tex"] = latex.render(item, f"tab:spikernel-{name}")
    outputs.models.with_name("report.html").unlink(missing_ok=True)
    for path, text in texts.items():
        artifacts.write_text(path, text)
    headline_path = outputs.models.with_name("headline.json")
    artifacts.write_json(headline_path, headline.build(means, selected))
    return [*texts, headline_path]
