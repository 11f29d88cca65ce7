"""Put all trained models into one table and select the best for each memory budget."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import ReportConfig
from spikernel.report.table_step import write_tables


def main(
    metrics: Annotated[list[Path], "metrics.json of every trained model and seed"],
    searches: Annotated[list[Path], "search.json of every data set and kernel set"],
    settings: Annotated[ReportConfig, "memory budgets and number format"],
    models: Annotated[Path, "CSV file to write: one row per model and seed"],
    selection: Annotated[Path, "CSV file to write: the model for each memory budget"],
    summary: Annotated[Path, "Markdown file to write: both tables for a terminal"],
    tables: Annotated[Path, "folder for both tables as Markdown and LaTeX"],
) -> None:
    """Write models.csv, selection.csv, summary.md, headline.json, tables/, their provenance."""
    write_tables(
        metrics=metrics,
        searches=searches,
        settings=settings,
        models_path=models,
        selection_path=selection,
        summary_path=summary,
        tables_folder=tables,
    )


if __name__ == "__main__":
    cli.run(main)
