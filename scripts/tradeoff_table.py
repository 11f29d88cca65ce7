"""Put all trained models into one table and select the best for each memory budget."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import ReportConfig
from spikernel.study.tradeoff_table import Inputs, Outputs, run


def main(
    metrics: Annotated[list[Path], "metrics.json of every trained model and seed"],
    searches: Annotated[list[Path], "search.json of every data set and kernel set"],
    deployments: Annotated[list[Path], "deployment.json of every trained model and seed"],
    settings: Annotated[ReportConfig, "memory budgets and number format"],
    models: Annotated[Path, "CSV file to write: one row per model and seed"],
    selection: Annotated[Path, "CSV file to write: the model for each memory budget"],
    summary: Annotated[Path, "Markdown file to write: both tables for a terminal"],
    tables: Annotated[Path, "folder for both tables as Markdown and LaTeX"],
) -> None:
    """Write models.csv, selection.csv, summary.md, headline.json, tables/, their provenance."""
    run(
        Inputs(metrics=metrics, searches=searches, deployments=deployments),
        Outputs(models=models, selection=selection, summary=summary, tables=tables),
        settings,
    )


if __name__ == "__main__":
    cli.run(main)
