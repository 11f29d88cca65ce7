"""Time a training step of every net of a table over kernel sizes, alone on one machine.

The seconds in the table itself are those of trainings on several devices, many at once; these can
be compared, and `kernel_findings.py --times` holds them equal. A step is one of the table's recipe,
augmentation included; the median of `steps`, after one that is not timed. Every net is a line,
written at once, so that a stopped run goes on. Nothing else may run meanwhile.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Annotated, Any

from common import environment, prepare_cifar10, wait_for
from kernel_findings import CONTROLS, KEY, TIME
from trained_cells import read_table

from spikernel import artifacts, cli, tables
from spikernel.config import TrainingConfig
from spikernel.data.splits import Split, load_split
from spikernel.errors import ConfigError, DataError
from spikernel.network.device import DeviceName
from spikernel.provenance import Stopwatch
from spikernel.space.architecture import Architecture
from spikernel.study import training_run
from spikernel.study.inputs import Machine
from spikernel.training.trainer import make_trainer

IMAGES = 2000
"""Prepared; the batches are drawn from most of them."""


def main(
    table: Annotated[Path, "the CSV of kernel_cells.py"],
    output: Annotated[Path, "CSV to write; nets in it are not timed again"],
    data: Annotated[Path, "folder that holds CIFAR-10, or receives it"] = Path("data"),
    steps: Annotated[int, "timed steps of each net"] = 5,
    threads: Annotated[int, "CPU threads"] = 2,
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "cpu",
) -> None:
    """Time what is missing."""
    machine = Machine(device, threads)
    described = artifacts.read_json(table.with_suffix(".json"))
    training = TrainingConfig.parse(described["training"], "training")
    environs = {"steps": steps, **environment(machine.torch_device)}
    lines = _known(output, environs)
    known = {(line["control"], line["archid"]) for line in lines}
    with tempfile.TemporaryDirectory(prefix="spikernel-") as folder:
        manifest = prepare_cifar10(data, Path(folder), IMAGES)
        split = load_split(manifest, "train")
        for control in CONTROLS:
            try:
                trained = read_table(table, control)
            except DataError:  # none of this control yet
                continue
            for row in trained.rows:
                if (control, row.cell.archid) in known:
                    continue
                net = row.architecture(trained.structural, trained.images)
                seconds = step_seconds(net, split, training, machine, steps)
                per_image = 1000 * seconds / training.batch_size
                line = {"control": control, "archid": row.cell.archid, TIME: per_image}
                lines.append(line)
                tables.write_csv(output, lines)
                print(f"{control} {row.cell.archid}: {per_image:.3f} ms an image", flush=True)


def _known(output: Path, environs: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the nets that are timed already.

    Raises:
        ConfigError: they were timed otherwise, or elsewhere.

    """
    described = output.with_suffix(".json")
    if not output.exists():
        artifacts.write_json(described, environs)
        return []
    if artifacts.read_json(described) != environs:
        raise ConfigError(
            f"{output} was timed on another machine, with other versions or steps: name another "
            "--output"
        )
    found = tables.read_csv(output, text=KEY, numbers=(TIME,))
    return tables.records(found)


def step_seconds(
    net: Architecture, split: Split, training: TrainingConfig, machine: Machine, steps: int
) -> float:
    """Return the median time of a training step."""
    trainer = make_trainer(
        training_run.make_net(net, 0, split, machine), (split, split), training, 0
    )
    trainer.phase.train_mode()
    batch = trainer.begin_epoch(1).order[: training.batch_size]
    found = []
    for step in range(1 + steps):
        watch = Stopwatch()
        trainer.train_batch(batch, step)
        wait_for(machine.torch_device)
        found.append(watch.seconds())
    return statistics.median(found[1:])


if __name__ == "__main__":
    cli.run(main)
