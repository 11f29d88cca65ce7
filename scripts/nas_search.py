"""Search the cells of one kernel set under a budget, without training (SpiKernel, step 3)."""

from spikernel import cli
from spikernel.study.nas_search import run

if __name__ == "__main__":
    cli.run(run)
