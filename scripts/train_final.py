"""Train one searched architecture and test it once (SpiKernel, step 4)."""

from spikernel import cli
from spikernel.study.train_final import run

if __name__ == "__main__":
    cli.run(run)
