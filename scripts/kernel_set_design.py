"""Devise kernel sets from the measured impact of kernel sizes (SpiKernel, step 2)."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import DesignConfig, NetworkConfig, SearchConfig
from spikernel.study import kernel_set_design


def main(
    impact: Annotated[Path, "impact.csv of kernel_impact_table"],
    manifest: Annotated[Path, "manifest.json of prepare_data"],
    output: Annotated[Path, "kernel_sets.json to write"],
    settings: Annotated[DesignConfig, "settings of the step"] = DesignConfig(),
    network: Annotated[NetworkConfig, "macro-structure, with types of convolution"] = (
        NetworkConfig()
    ),
    search: Annotated[SearchConfig, "settings of nas_search, with its budget"] = SearchConfig(),
) -> None:
    """Rank kernel sets by evidence and cost; keep the best within the budget, and the baseline."""
    kernel_set_design.run(impact, manifest, settings, output, network, search)


if __name__ == "__main__":
    cli.run(main)
