"""Search the cells of one kernel set under a budget, without training (SpiKernel, step 3)."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import NetworkConfig, SearchConfig
from spikernel.study import nas_search
from spikernel.study.inputs import DeviceName, Machine
from spikernel.study.search_job import choose_subject


def main(
    manifest: Annotated[Path, "manifest.json of prepare_data"],
    candidates: Annotated[Path, "candidates.csv to write: ranked, every scored cell"],
    search: Annotated[Path, "search.json to write: what was searched, and its cost"],
    kernel_sets: Annotated[Path | None, "kernel_sets.json of kernel_set_design"] = None,
    kernel_set: Annotated[str | None, "name of the set in that file"] = None,
    kernel_sizes: Annotated[list[int] | None, "the set itself, instead of file and name"] = None,
    parts: Annotated[list[Path] | None, "files of nas_search_shard to merge"] = None,
    network: Annotated[NetworkConfig, "macro-structure"] = NetworkConfig(),
    settings: Annotated[SearchConfig, "settings of the step"] = SearchConfig(),
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto",
    threads: Annotated[int, "CPU threads"] = 1,
) -> None:
    """Rank the cells of a kernel set by their training-free score."""
    subject = choose_subject(kernel_sets, kernel_set, kernel_sizes, network)
    machine = Machine.choose(device, threads)
    nas_search.run(manifest, subject, settings, machine, parts or [], candidates, search)


if __name__ == "__main__":
    cli.run(main)
