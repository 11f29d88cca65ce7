"""Train one reference net whose convolutions all have one kernel size (SpiKernel, step 1)."""

from spikernel import cli
from spikernel.study.kernel_impact import run

if __name__ == "__main__":
    cli.run(run)
