"""Prepare a data set: find or download it, check it, split it and store it as arrays."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import DatasetConfig
from spikernel.data.prepare import prepare


def main(
    dataset: Annotated[str, "name of the data set, and of its folder unless the settings say so"],
    settings: Annotated[DatasetConfig, "what to read and how to split it, e.g. {kind: digits}"],
    data_dir: Annotated[Path, "folder that holds the data sets, or receives the archives"],
    output: Annotated[Path, "manifest to write; the arrays and the provenance go beside it"],
) -> None:
    """Write the arrays of train, validation and test, and last the manifest."""
    prepare(dataset, settings, data_dir, output)


if __name__ == "__main__":
    cli.run(main)
