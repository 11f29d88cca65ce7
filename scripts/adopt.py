"""Check that results made elsewhere are those of a configuration and of this code.

`make adopt` then tells Snakemake that they are finished.
"""

from spikernel import cli
from spikernel.study.adopt import run

if __name__ == "__main__":
    cli.run(run)
