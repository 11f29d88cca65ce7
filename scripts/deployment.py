"""Measure what a device gets from a trained model: exact memory, accuracy with int8 weights."""

from spikernel import cli
from spikernel.study.deployment import run

if __name__ == "__main__":
    cli.run(run)
