"""Devise kernel sets from the measured impact of kernel sizes (SpiKernel, step 2)."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import DesignConfig, NetworkConfig
from spikernel.study import kernel_set_design


def main(
    impact: Annotated[Path, "impact.csv of kernel_impact_table"],
    output: Annotated[Path, "kernel_sets.json to write"],
    settings: Annotated[DesignConfig, "settings of the step"] = DesignConfig(),
    network: Annotated[NetworkConfig, "macro-structure, with types of convolution"] = (
        NetworkConfig()
    ),
) -> None:
    """Rank kernel sets by evidence and cost; keep the best and the baseline."""
    kernel_set_design.run(impact, settings, output, network)


if __name__ == "__main__":
    cli.run(main)
