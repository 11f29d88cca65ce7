"""Train one cell by its archid, with the settings of an experiment, outside its workflow.

Goes on where it stopped when it is started again; with --max-seconds it stops in time by itself
(status 75), so that a long training fits short slices of machine time. Once the training is
finished, its record can be written for docs/measurements.
"""

from pathlib import Path
from typing import Annotated

from spikernel import cli
from spikernel.study import train_cell
from spikernel.study.inputs import DeviceName, Machine


def main(
    config: Annotated[Path, "experiment, for instance config/cifar_h100.yaml"],
    archid: Annotated[str, "operations on its edges, e.g. k3-zero-skip-k3-avg-k5"],
    folder: Annotated[Path, "where the prepared data and the results go"],
    dataset: Annotated[str | None, "data set of the experiment, if it has several"] = None,
    data_dir: Annotated[Path | None, "folder of the data sets; default: the experiment's"] = None,
    seed: Annotated[int, "seed of the weights and the batches"] = 0,
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto",
    threads: Annotated[int, "CPU threads"] = 1,
    max_seconds: Annotated[
        float | None, "stop in time, with status 75; the same command goes on"
    ] = None,
    measurement: Annotated[
        Path | None, "record to write, docs/measurements/<dataset>-<name>.json"
    ] = None,
) -> None:
    """Prepare the data where that has not been done, train, test once, write the record."""
    machine = Machine.choose(device, threads)
    experiment = train_cell.read_experiment(config, dataset)
    train_cell.run(experiment, archid, folder, data_dir, seed, machine, max_seconds, measurement)


if __name__ == "__main__":
    cli.run(main)
