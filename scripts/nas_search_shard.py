"""Score one part of a search, so that a cluster searches in parallel (SpiKernel, step 3)."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import NetworkConfig, SearchConfig
from spikernel.study import nas_search
from spikernel.study.inputs import DeviceName, Machine
from spikernel.study.search_job import choose_subject


def main(
    manifest: Annotated[Path, "manifest.json of prepare_data"],
    shard: Annotated[int, "which part, from 0; settings/shards says how many there are"],
    output: Annotated[Path, "file to write, for --parts of nas_search.py"],
    kernel_sets: Annotated[Path | None, "kernel_sets.json of kernel_set_design"] = None,
    kernel_set: Annotated[str | None, "name of the set in that file"] = None,
    kernel_sizes: Annotated[list[int] | None, "the set itself, instead of file and name"] = None,
    network: Annotated[NetworkConfig, "macro-structure"] = NetworkConfig(),
    settings: Annotated[SearchConfig, "settings of the step"] = SearchConfig(),
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto",
    threads: Annotated[int, "CPU threads"] = 1,
) -> None:
    """Score every n-th cell of a search."""
    subject = choose_subject(kernel_sets, kernel_set, kernel_sizes, network)
    machine = Machine.choose(device, threads)
    nas_search.run_shard(manifest, subject, settings, machine, shard, output)


if __name__ == "__main__":
    cli.run(main)
