"""Count the cells of a kernel set, or write a cell in every notation, as JSON."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import NetworkConfig, SearchConfig
from spikernel.space.enumeration import count_cells
from spikernel.space.notation import describe_cell, read_cell
from spikernel.space.operations import operation_set
from spikernel.study.search_job import Settings, choose_subject


def main(
    cell: Annotated[str | None, "a cell in any notation, to describe instead of counting"] = None,
    kernel_sets: Annotated[Path | None, "kernel_sets.json of kernel_set_design"] = None,
    kernel_set: Annotated[str | None, "name of the set in that file"] = None,
    kernel_sizes: Annotated[list[int] | None, "the set itself, instead of file and name"] = None,
    network: Annotated[NetworkConfig, "macro-structure, with types of convolution"] = (
        NetworkConfig()
    ),
    search: Annotated[SearchConfig, "kind of cells, operations and thresholds"] = SearchConfig(),
) -> None:
    """Print the counts of a space, or the notations of a cell."""
    if cell is not None:
        print(json.dumps(describe_cell(read_cell(cell))))
        return
    subject = choose_subject(kernel_sets, Settings(kernel_set, kernel_sizes, network, search))
    operations = operation_set(
        subject.kernel_sizes, search.operations, network.convolutions, search.thresholds
    )
    print(json.dumps(asdict(count_cells(operations, search.cells))))


if __name__ == "__main__":
    cli.run(main)
