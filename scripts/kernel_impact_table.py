"""Collect the reference nets of all kernel sizes in one table (SpiKernel, step 1)."""

from spikernel import cli
from spikernel.study.kernel_impact_table import run

if __name__ == "__main__":
    cli.run(run)
