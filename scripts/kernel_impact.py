"""Train one reference net whose convolutions all have one kernel size (SpiKernel, step 1)."""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.config import Control, ImpactConfig, NetworkConfig, TrainingConfig
from spikernel.study import kernel_impact
from spikernel.study.inputs import DeviceName, Machine


def main(
    manifest: Annotated[Path, "manifest.json of prepare_data"],
    kernel_size: Annotated[int, "size of every convolution of the cell, odd"],
    metrics: Annotated[Path, "metrics.json to write; history.csv goes beside it"],
    control: Annotated[Control, "same width, or same parameters as 3x3"] = "plain",
    seed: Annotated[int, "seed of the weights and the batches"] = 0,
    reference_cell: Annotated[
        list[str] | None, "operations on the edges 01 02 03 12 13 23; conv has the size under test"
    ] = None,
    network: Annotated[NetworkConfig, "macro-structure"] = NetworkConfig(),
    training: Annotated[TrainingConfig, "how the net is trained"] = TrainingConfig(),
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto",
    threads: Annotated[int, "CPU threads"] = 1,
) -> None:
    """Train one net and write its metrics."""
    roles = reference_cell or ImpactConfig().reference_cell
    machine = Machine.choose(device, threads)
    kernel_impact.run(
        manifest, kernel_size, control, seed, roles, network, training, machine, metrics
    )


if __name__ == "__main__":
    cli.run(main)
