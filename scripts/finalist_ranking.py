"""Rank a search by the validation accuracy of its finalists (SpiKernel, step 3)."""

from spikernel import cli
from spikernel.study.finalist_ranking import run

if __name__ == "__main__":
    cli.run(run)
