"""Rank the cells of a table with weights that they share, against finalists at equal cost.

For each kernel set one supernet (`shared_weights.py`) is trained, on the images, with the network
and the recipe that the table was made with. Then every dense cell of the table that is over the set
takes its weights from it, gets running statistics of its own from some batches of training images,
and has an accuracy on the held-out images, which ranks it.

Against it stand the finalists that the same FLOP would have trained (`finalists_regret.py`): the
best by score, as many as that pays for, ranked by one seed's accuracy, the others behind them by
score. Three times the forward pass is counted for an image that is learned from, once for one that
inherited weights are evaluated on, as running statistics or accuracy; validation during training is
left out, here as there. What ranks the cells is judged by one seed of the table, with either in
turn: `tau` with its 95 % interval over resampled cells, `regret` of the choice in points, and how
many per cent of the cells are better.

A training that is stopped goes on from its last state, and every cell that was evaluated is a line
of the output. At one width only: `same_width`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import numpy as np
import torch
from common import environment
from finalists_regret import outcome, ranking
from numpy.typing import NDArray
from paired import Images, Results
from rank_statistics import Scores, tau_b
from score_values import structural
from shared_weights import Supernet, cell_of_batch, inherit, make_supernet
from size_effects import interval
from table_sets import Sizes, accuracies_of, comparable, possible_sets, roles, shown, within
from trained_cells import Table, TrainedCell, read_table

from spikernel import artifacts, cli
from spikernel.config import DatasetConfig, NetworkConfig, SearchConfig, TrainingConfig
from spikernel.errors import ConfigError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, to_device
from spikernel.provenance import Stopwatch
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.space.flop import forward_flop
from spikernel.space.operations import operation_set
from spikernel.study import training_run
from spikernel.study.inputs import Machine, state_path
from spikernel.study.prepare_data import prepare
from spikernel.study.shapes import image_shape
from spikernel.training.loop import train

CONTROL = "same_width"
BATCH, BATCHES = 256, 4
"""Images of a batch and batches, the first of training, that running statistics are taken from."""
SHARED, FINALISTS = "shared weights", "finalists"
WAYS = (SHARED, FINALISTS)


def main(
    table: Annotated[Path, "the CSV of kernel_cells.py"],
    output: Annotated[Path, "CSV of evaluated cells; those in it are kept"],
    data: Annotated[Path, "folder that holds the data set, or receives it"] = Path("data"),
    sets: Annotated[list[str], "kernel sets, such as 1,3; default: all"] = [],  # noqa: B006
    epochs: Annotated[int, "of each supernet"] = 20,
    seed: Annotated[int, "of the supernet, and of the intervals"] = 0,
    threads: Annotated[int, "CPU threads"] = 2,
) -> None:
    """Train and evaluate what is missing, set after set, and print the comparison."""
    machine, trained = Machine("cpu", threads), read_table(table, CONTROL)
    described = artifacts.read_json(table.with_suffix(".json"))
    training = TrainingConfig.parse(described["training"], "training")
    training = training.model_copy(update={"epochs": epochs})
    made_with = {
        **{name: described[name] for name in ("dataset", "network")},
        **{"training": training.model_dump(mode="json"), "seed": seed},
    }
    results = Results(
        output, made_with, environment(machine.torch_device), ("evaluation_seconds",),
        ("kernel_set", "archid"),
    )  # fmt: skip
    manifest = output.with_name(f".{output.stem}") / "manifest.json"
    if not manifest.exists():
        dataset = DatasetConfig.parse(described["dataset"], "dataset")
        prepare(dataset.kind, dataset, data, manifest)
    both = (epochs, TrainingConfig.parse(described["training"], "training").epochs)
    counts = Images.of(manifest)
    images = (len(counts.learned.labels), len(counts.judged.labels))
    rows = comparable(trained.rows)
    possible = possible_sets(size for row in rows for size in row.cell.kernel_sizes())
    found: list[dict[str, dict[str, float]]] = []
    for sizes in wanted(sets, possible) if sets else possible:
        members = [row for row in rows if within(row, sizes)]
        evaluate(members, sizes, manifest, trained.structural, training, seed, machine, results)
        own = [line for line in results.rows if line["kernel_set"] == shown(sizes)]
        bill = bill_of(members, sizes, trained, both, training.batch_size, images, seed)
        found.append(compared(members, sizes, trained, own, bill, seed))
        for way in WAYS:
            print(line_of(f"{shown(sizes)} {way}", found[-1][way]), flush=True)
    for way in WAYS if found else ():
        means = {key: fmean(item[way][key] for item in found) for key in found[0][way]}
        print(line_of(f"mean of the sets, {way}", means))


def wanted(sets: Sequence[str], possible: Sequence[Sizes]) -> list[Sizes]:
    """Return the kernel sets that were asked for.

    Raises:
        ConfigError: one is not a set of the table's sizes.

    """
    named = {",".join(map(str, sizes)): sizes for sizes in possible}
    for name in sets:
        if name not in named:
            raise ConfigError(f"--sets {name}: choose from {' '.join(named)}")
    return [named[name] for name in sets]


def evaluate(
    rows: Sequence[TrainedCell],
    sizes: Sizes,
    manifest: Path,
    network: NetworkConfig,
    training: TrainingConfig,
    seed: int,
    machine: Machine,
    results: Results,
) -> None:
    """Train the supernet of a set, or go on with it, and evaluate the cells that are missing."""
    name = shown(sizes)
    done = {line["archid"] for line in results.rows if line["kernel_set"] == name}
    missing = [row.cell for row in rows if row.cell.archid not in done]
    if not missing:
        return
    images, operations = Images.of(manifest), operation_set(sizes, SearchConfig().operations)
    learned = images.learned
    net = make_supernet(network, image_shape(learned.manifest), operations, seed, learned)
    made_of = training_run.fingerprint(net.architecture, training, seed, machine, manifest)
    state = state_path(manifest.with_name("k" + "-".join(map(str, sizes))))
    made_of["operations"] = list(operations)
    trained = train(net, images.splits, training, seed, state, made_of)
    assert isinstance(trained.net, Supernet)
    normalise = Normaliser(learned.manifest.mean, learned.manifest.sd, machine.torch_device)
    some = torch.from_numpy(np.array(learned.images[: BATCH * BATCHES])).split(BATCH)
    batches = [normalise(part) for part in some]
    judged = to_device(images.judged, machine.torch_device)
    for cell in missing:
        watch = Stopwatch()
        inherit(trained.net, cell, batches)
        results.add(
            {
                "kernel_set": name, "archid": cell.archid, "seed": seed,
                "val_accuracy_percent": accuracy_percent(trained.net, *judged, normalise),
                "train_loss": trained.history[-1].train_loss,
                "seconds": round(trained.seconds, 2),
                "evaluation_seconds": round(watch.seconds(), 3),
            }
        )  # fmt: skip
    state.unlink()


@dataclass(frozen=True)
class Bill:
    """FLOP that the two ways take for the cells of a set."""

    shared: float
    """To train a supernet and to evaluate every cell with its weights."""
    finalists: Mapping[str, float]
    """archid -> to train the net of that cell as the table did."""


def bill_of(
    rows: Sequence[TrainedCell],
    sizes: Sizes,
    table: Table,
    epochs: tuple[int, int],
    batch_size: int,
    images: tuple[int, int],
    seed: int,
) -> Bill:
    """Return what the cells of a set cost.

    Args:
        rows: the cells.
        sizes: the set.
        table: that they are of.
        epochs: of the supernet, and of a training of the table.
        batch_size: of both.
        images: to learn from, and to evaluate on.
        seed: of the cells that the supernet trains.

    """

    def flop(cell: Cell) -> int:
        return forward_flop(Architecture(cell, table.structural, table.images))

    learned, judged = images
    operations = operation_set(sizes, SearchConfig().operations)
    steps = epochs[0] * math.ceil(learned / batch_size)
    mean = fmean(flop(cell_of_batch(operations, seed, step)) for step in range(steps))
    own = {row.cell.archid: flop(row.cell) for row in rows}
    evaluated = (min(learned, BATCH * BATCHES) + judged) * sum(own.values())
    return Bill(
        3 * epochs[0] * learned * mean + evaluated,
        {archid: 3.0 * epochs[1] * learned * forward for archid, forward in own.items()},
    )


def compared(
    rows: Sequence[TrainedCell],
    sizes: Sizes,
    table: Table,
    evaluated: Sequence[Mapping[str, Any]],
    bill: Bill,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Return tau with its interval, the figures of the choice, and the cost, of both ways.

    Args:
        rows: the cells of a set.
        sizes: the set.
        table: that they are of.
        evaluated: lines of all these cells.
        bill: what both ways cost.
        seed: of the intervals.

    """
    of_cell = {line["archid"]: line for line in evaluated}
    inherited = np.array([of_cell[row.cell.archid]["val_accuracy_percent"] for row in rows])
    score = dict(structural(rows, table))[SearchConfig().score][0]
    ranked = ranking(rows, score, sizes, table)
    costs = np.cumsum([bill.finalists[rows[place].cell.archid] for place in ranked])
    count = int(np.searchsorted(costs, bill.shared, side="right"))
    is_trained = np.isin(np.arange(len(rows)), ranked[:count])
    # Below every accuracy: the others, by score.
    behind, both = -1.0 - np.argsort(ranked), roles(accuracies_of(rows))
    choices = {
        SHARED: [(inherited, judge) for _, judge in both],
        FINALISTS: [(np.where(is_trained, chooses, behind), judge) for chooses, judge in both],
    }
    found = {}
    for way, trainings in ((SHARED, 1), (FINALISTS, count)):
        chosen = outcome(trainings, choices[way])
        found[way] = {"pflop": bill.shared / 1e15, **vars(chosen), **_tau(choices[way], seed)}
    return found


def _tau(choices: Sequence[tuple[Scores, Scores]], seed: int) -> dict[str, float]:
    def mean(places: NDArray[np.int64]) -> float:
        return fmean(tau_b(values[places], judge[places]) for values, judge in choices)

    count = len(choices[0][0])
    low, high = interval(count, mean, seed)
    return {"tau": mean(np.arange(count)), "low": low, "high": high}


def line_of(name: str, figures: Mapping[str, float]) -> str:
    """Return the figures of a way as text."""
    return (
        f"{name:<34} tau {figures['tau']:.3f} [{figures['low']:.3f}, {figures['high']:.3f}], "
        f"regret {figures['regret']:.2f}, beaten by {figures['beaten_by']:.1f} %, "
        f"{figures['trainings']:.1f} trainings, {figures['pflop']:.1f} PFLOP"
    )


if __name__ == "__main__":
    cli.run(main)
