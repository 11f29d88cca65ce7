"""Devise kernel sets from the measured impact of kernel sizes (SpiKernel, step 2)."""

from spikernel import cli
from spikernel.study.kernel_set_design import run

if __name__ == "__main__":
    cli.run(run)
