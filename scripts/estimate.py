"""Time a few training steps of each kind of net of an experiment, and print what it will cost."""

from spikernel import cli
from spikernel.study.estimate import run

if __name__ == "__main__":
    cli.run(run)
