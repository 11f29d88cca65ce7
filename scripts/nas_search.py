"""Search the cells of one kernel set under a budget, without training (SpiKernel, step 3)."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import NetworkConfig, SearchConfig
from spikernel.errors import ConfigError
from spikernel.space.enumeration import CellKind, count_cells
from spikernel.space.notation import describe_cell, read_cell
from spikernel.space.operations import operation_set
from spikernel.study import nas_search
from spikernel.study.inputs import DeviceName, Machine
from spikernel.study.search_job import choose_subject


def main(
    manifest: Annotated[Path | None, "manifest.json of prepare_data"] = None,
    candidates: Annotated[Path | None, "candidates.csv to write: ranked, every cell"] = None,
    search: Annotated[Path | None, "search.json to write: what was searched, its cost"] = None,
    kernel_sets: Annotated[Path | None, "kernel_sets.json of kernel_set_design"] = None,
    kernel_set: Annotated[str | None, "name of the set in that file"] = None,
    kernel_sizes: Annotated[list[int] | None, "the set itself, instead of file and name"] = None,
    parts: Annotated[list[Path] | None, "files of nas_search_shard to merge"] = None,
    network: Annotated[NetworkConfig, "macro-structure"] = NetworkConfig(),
    settings: Annotated[SearchConfig, "settings of the step"] = SearchConfig(),
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto",
    threads: Annotated[int, "CPU threads"] = 1,
    count: Annotated[bool, "print how many cells there are, as JSON, and stop"] = False,
    cells: Annotated[CellKind, "kind of cells that --count counts"] = "forward",
    cell: Annotated[
        str | None, "print a cell, given in any notation, in all notations as JSON, and stop"
    ] = None,
) -> None:
    """Rank the cells of a kernel set by their training-free score."""
    if cell is not None:
        print(json.dumps(describe_cell(read_cell(cell))))
        return
    subject = choose_subject(kernel_sets, kernel_set, kernel_sizes, network)
    if count:
        operations = operation_set(
            subject.kernel_sizes, settings.operations, network.convolutions, settings.thresholds
        )
        print(json.dumps(asdict(count_cells(operations, cells))))
        return
    if manifest is None or candidates is None or search is None:
        raise ConfigError("give --manifest, --candidates and --search, or --count, or --cell")
    machine = Machine.choose(device, threads)
    nas_search.run(manifest, subject, settings, machine, parts or [], candidates, search)


if __name__ == "__main__":
    cli.run(main)
