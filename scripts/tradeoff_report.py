"""Show the trade-off between accuracy and memory: figures and one self-contained page."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import ReportConfig
from spikernel.study.tradeoff_report import Inputs, Outputs, run


def main(
    models: Annotated[Path, "models.csv from tradeoff_table"],
    selection: Annotated[Path, "selection.csv from tradeoff_table"],
    metrics: Annotated[list[Path], "metrics.json of every trained model and seed"],
    histories: Annotated[list[Path], "history.csv of every trained model and seed"],
    searches: Annotated[list[Path], "search.json of every data set and kernel set"],
    candidates: Annotated[list[Path], "candidates.csv of every data set and kernel set"],
    impacts: Annotated[list[Path], "impact.csv of every data set"],
    kernel_sets: Annotated[list[Path], "kernel_sets.json of every data set"],
    provenance: Annotated[list[Path], "provenance*.json of all jobs before this one"],
    settings: Annotated[ReportConfig, "memory budgets, number format, published points"],
    output: Annotated[Path, "HTML page to write"],
    figures: Annotated[Path, "folder for the figures, as SVG, PDF, PNG and their numbers as CSV"],
    layers: Annotated[list[Path] | None, "layers.csv of every trained model and seed"] = None,
    exports: Annotated[list[Path] | None, "export.json of every exported model"] = None,
) -> None:
    """Write the figures, the page and provenance_report.json beside the page."""
    inputs = Inputs(
        models=models,
        selection=selection,
        metrics=metrics,
        histories=histories,
        searches=searches,
        candidates=candidates,
        impacts=impacts,
        kernel_sets=kernel_sets,
        provenance=provenance,
        layers=layers or [],
        exports=exports or [],
    )
    run(inputs, Outputs(output=output, figures=figures), settings)


if __name__ == "__main__":
    cli.run(main)
