"""Look at a folder of images, write a commented configuration for it, and say what it will cost."""

from spikernel import cli
from spikernel.study.new_study import run

if __name__ == "__main__":
    cli.run(run)
