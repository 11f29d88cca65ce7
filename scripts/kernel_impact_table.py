"""Collect the reference nets of all kernel sizes in one table (SpiKernel, step 1)."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.study import impact_table


def main(
    metrics: Annotated[list[Path], "metrics.json of every kernel size, control and seed"],
    output: Annotated[Path, "impact.csv to write"],
) -> None:
    """Write the mean and spread of every kernel size under every control."""
    impact_table.collect(metrics, output)


if __name__ == "__main__":
    cli.run(main)
