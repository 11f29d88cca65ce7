"""Score one part of a search, so that a cluster searches in parallel (SpiKernel, step 3)."""

from spikernel import cli
from spikernel.study.nas_search_shard import run

if __name__ == "__main__":
    cli.run(run)
