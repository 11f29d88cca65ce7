"""Show the trade-off between accuracy and memory: figures and one self-contained page."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import ReportConfig
from spikernel.report.page_step import write_report


def main(
    models: Annotated[Path, "models.csv from tradeoff_table"],
    selection: Annotated[Path, "selection.csv from tradeoff_table"],
    impacts: Annotated[list[Path], "impact.csv of every data set"],
    kernel_sets: Annotated[list[Path], "kernel_sets.json of every data set"],
    searches: Annotated[list[Path], "search.json of every data set and kernel set"],
    histories: Annotated[list[Path], "history.csv of every trained model and seed"],
    settings: Annotated[ReportConfig, "memory budgets, number format, published points"],
    output: Annotated[Path, "HTML page to write"],
    figures: Annotated[Path, "folder for the figures, as SVG, PDF, PNG and their numbers as CSV"],
) -> None:
    """Write the figures, the page and provenance_report.json beside the page."""
    write_report(
        models_path=models,
        selection_path=selection,
        impacts=impacts,
        kernel_sets=kernel_sets,
        searches=searches,
        histories=histories,
        settings=settings,
        output=output,
        figures_folder=figures,
    )


if __name__ == "__main__":
    cli.run(main)
