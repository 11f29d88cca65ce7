"""Prepare a data set: find or download it, check it, split it and store it as arrays."""

from spikernel import cli
from spikernel.study.prepare_data import run

if __name__ == "__main__":
    cli.run(run)
