"""Export a trained model to C99, ONNX and NIR, with a model card (SpiKernel, step 6)."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import ExportConfig
from spikernel.study import export_model
from spikernel.study.inputs import Machine


def main(
    manifest: Annotated[Path, "manifest.json of prepare_data"],
    metrics: Annotated[list[Path], "metrics.json of the models, each beside its weights"],
    report: Annotated[Path, "export.json to write; all other files go into its folder"],
    selection: Annotated[Path | None, "selection.csv, which chooses among several models"] = None,
    settings: Annotated[ExportConfig, "what is exported"] = ExportConfig(),
    threads: Annotated[int, "CPU threads"] = 1,
) -> None:
    """Choose a model, write every form of it, and compare each with the model on test images."""
    machine = Machine.choose("cpu", threads)
    export_model.run(manifest, metrics, selection, settings, machine, report)


if __name__ == "__main__":
    cli.run(main)
