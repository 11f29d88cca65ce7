"""Train finalists of a search briefly, one part of a rung (SpiKernel, step 3)."""

from spikernel import cli
from spikernel.study.finalist_rung import run

if __name__ == "__main__":
    cli.run(run)
