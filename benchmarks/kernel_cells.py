"""Train cells over kernel sizes on CIFAR: the table that scores and kernel sets are judged by.

The cells are those of `table_cells.py`: dense ones over {1, 3, 5, 7} by strata, what scores choose,
and a further group over depthwise sizes. Nets have macro-structure `compact` with integer neurons
in one pass, and train by recipe `engine`, under two controls:

* `same_width`: every net has `channels` channels; parameters grow with the kernels.
* `same_parameters`: the width at which the parameters come nearest to those of the reference cell
  of `kernel_impact` in 3x3 at `channels` channels.

The most telling trainings come first: seed 0 of all cells at the same width, strata in turns; then
the further seeds; then the other control. So a run that is stopped leaves a table of all strata.
The table is written after every training, and a training that is stopped goes on from its last
state. `--shard 2/4` trains those of every fourth that no file of the table has; `join_tables.py`
joins the shards. `--controls same_parameters` trains no others. `--pilot 20` trains that many
cells, spread over the strata, under the first control only; a full run takes its lines over.

The default width is 32 (32, 128 and 128 channels). By FLOP a dense cell then costs, on average, as
much as the net of `config/cifar10_quick.yaml` (64, 256 and 256 channels, one 3x3; 350 images/s on
two cores) at the same width, at most 3.3 times as much, and 0.45 times at the same parameters. With
12,000 images and 5 epochs that makes two minutes for a training, the mean of both controls.

`--cells thresholds` trains two chains of 3x3 convolutions whose thresholds rise, fall or stay equal
along the way, ground truth for `rising_path`.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cell_bench import Bench, Task
from chosen_cells import read_chosen
from common import environment
from kernel_table import finished, open_table, shard_of, shard_path
from paired import Results
from table_cells import TableCell, dense_cells, depthwise_cells, later_cells, threshold_cells

from spikernel import cli
from spikernel.config import DatasetConfig, NetworkConfig, TrainingConfig
from spikernel.errors import ConfigError, TrainingError, UnfinishedError
from spikernel.network.device import DeviceName
from spikernel.provenance import Stopwatch, code_version
from spikernel.space.flop import forward_flop
from spikernel.study.inputs import Machine
from spikernel.study.prepare_data import prepare

Kind = Literal["kernel_sizes", "thresholds"]
CONTROLS = ("same_width", "same_parameters")
CIFAR100_CELLS = 30


def tasks_of(cells: Sequence[TableCell], controls: Sequence[str], seeds: int) -> list[Task]:
    """Return every training, the most telling first."""
    return [
        Task(item, control, seed) for control in controls for seed in range(seeds) for item in cells
    ]


def cells_of(kind: Kind, count: int | None) -> list[TableCell]:
    """Return the cells of a table: all, or the first ones, which are spread over the strata.

    Raises:
        ConfigError: there are not as many.

    """
    found = (
        threshold_cells()
        if kind == "thresholds"
        else [*dense_cells(read_chosen()), *later_cells(), *depthwise_cells()]
    )
    if count is not None and not 0 < count <= len(found):
        raise ConfigError(f"the table has 1 to {len(found)} cells, got {count}")
    return found[:count]


def main(
    table: Annotated[Path, "the CSV to write; finished trainings in it are kept"],
    data: Annotated[Path, "folder that holds the data set, or receives it"] = Path("data"),
    dataset: Annotated[Literal["cifar10", "cifar100"], "images"] = "cifar10",
    cells: Annotated[Kind, "what the cells differ in"] = "kernel_sizes",
    count: Annotated[int | None, "cells, spread over strata; default: all, CIFAR-100: 30"] = None,
    pilot: Annotated[int | None, "train only this many cells, under the first control"] = None,
    controls: Annotated[list[str], "which nets, the first ones first"] = list(CONTROLS),  # noqa: B006
    seeds: Annotated[int, "trainings per cell and control"] = 2,
    channels: Annotated[int, "C of the first stage; the reference has it, too"] = 32,
    images: Annotated[int, "training images"] = 12_000,
    held_out: Annotated[int, "further training images, to validate on"] = 5_000,
    epochs: Annotated[int, "epochs of each training"] = 5,
    network: Annotated[NetworkConfig, "all but the width"] = NetworkConfig(macro="compact"),
    training: Annotated[TrainingConfig, "all but the epochs"] = TrainingConfig(
        recipe="engine", lookahead=True
    ),
    shard: Annotated[str, "i/n: train every n-th from the i-th, into a file of its own"] = "1/1",
    threads: Annotated[int, "CPU threads"] = 2,
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "cpu",
    max_seconds: Annotated[float | None, "stop, with status 75, before it takes longer"] = None,
) -> None:
    """Train what is missing in the table."""
    if unknown := set(controls) - set(CONTROLS):
        raise ConfigError(f"--controls: unknown {sorted(unknown)}, known are {', '.join(CONTROLS)}")
    watch, machine = Stopwatch(), Machine(device, threads)
    network = network.model_copy(update={"channels": channels})
    training = training.model_copy(update={"epochs": epochs})
    drawn = DatasetConfig(
        kind=dataset,
        train_images=images + held_out,
        validation_fraction=held_out / (images + held_out),
    )
    made_with = {
        name: part.model_dump(mode="json")
        for name, part in (("dataset", drawn), ("network", network), ("training", training))
    }
    number, shards = shard_of(shard)
    path = shard_path(table, (number, shards))
    environs = {**environment(machine.torch_device), "code": code_version()}
    results = open_table(path, made_with, environs)
    manifest = _prepared(path, made_with, drawn, data)
    if count is None and dataset == "cifar100":
        count = CIFAR100_CELLS
    chosen = cells_of(cells, count if pilot is None else pilot)
    tasks = tasks_of(chosen, controls if pilot is None else controls[:1], seeds)[
        number - 1 :: shards
    ]
    done = finished(table, made_with)
    missing = [task for task in tasks if task.key not in done]
    print(f"{len(tasks) - len(missing)} of {len(tasks)} trainings are finished", flush=True)
    bench = Bench(manifest, network, training, machine)
    train_missing(results, missing, bench, watch, max_seconds)


def _prepared(path: Path, made_with: Any, drawn: DatasetConfig, data: Path) -> Path:
    """Prepare the images once for each shard and settings; return the manifest."""
    digest = hashlib.sha256(json.dumps(made_with).encode()).hexdigest()
    manifest = path.with_name(f".{path.stem}") / digest[:12] / "manifest.json"
    if not manifest.exists():
        prepare(drawn.kind, drawn, data, manifest)
    return manifest


def train_missing(
    results: Results,
    missing: Sequence[Task],
    bench: Bench,
    watch: Stopwatch,
    max_seconds: float | None,
) -> None:
    """Train what is not in a table, and say after each training how long the rest takes.

    A net that does not learn is left out, and named at the end.

    Raises:
        UnfinishedError: it would take longer than `max_seconds` of the watch.
        TrainingError: names the trainings that failed.

    """
    flop = {task.key: forward_flop(bench.architecture(task)) for task in missing}
    begun, left, failed = watch.seconds(), sum(flop.values()), []
    total = left
    for task in missing:
        remaining = None if max_seconds is None else max_seconds - watch.seconds()
        if remaining is not None and remaining <= 0:
            raise UnfinishedError(f"stopped after {max_seconds:g} s: the same command goes on")
        named = " ".join(map(str, task.key))
        try:
            row = bench.run(task, remaining)
        except TrainingError as error:
            failed.append(f"{named}: {error}")
            continue
        finally:
            left -= flop[task.key]
        results.add(row)
        hours = (watch.seconds() - begun) * left / (total - left) / 3600
        accuracy, seconds = row["test_accuracy_percent"], row["seconds"]
        print(f"{named}: {accuracy:.2f} % in {seconds:.0f} s, {hours:.1f} h left", flush=True)
    if failed:
        raise TrainingError("\n".join(failed))


if __name__ == "__main__":
    cli.run(main)
