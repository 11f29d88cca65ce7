"""Train cells over {1, 3, 5, 7} at small scale on real CIFAR-10: ground truth for kernel sizes.

Published tables of trained SNNs hold 3x3 kernels only. This one has two groups of distinct cells:

* `one_size`: a few skeletons, each with all its convolutions of one size, for every size. They
  say whether a score can tell a good kernel size from a bad one when all else is equal.
* `random`: drawn as a search draws them, with sizes mixed.

With `--cells thresholds` the table is another: two chains of 3x3 convolutions whose thresholds
rise, fall or stay equal along the way (group `thresholds`), ground truth for `rising_path`.

Every cell is trained on the same images with the same recipe, once per seed, and tested on the
whole test split after the last epoch. The table is written after every training, so that a run
that was stopped goes on; what it was made with lies beside it as JSON.
"""

import random
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from common import environment
from tqdm import tqdm

from spikernel import artifacts, cli, tables
from spikernel.config import DatasetConfig, NetworkConfig, TrainingConfig
from spikernel.data.splits import Split, load_split
from spikernel.errors import DataError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, to_device
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.space.counts import parameter_count
from spikernel.space.enumeration import draw_cell
from spikernel.space.operations import AVG, SKIP, ZERO, conv, operation_set
from spikernel.study.prepare_data import prepare
from spikernel.study.shapes import image_shape
from spikernel.training.loop import train

KERNEL_SIZES = (1, 3, 5, 7)
OTHERS = (ZERO, SKIP, AVG)
SKELETONS = (
    "zero-zero-K-zero-zero-zero",  # one convolution
    "K-zero-skip-zero-K-zero",  # two in a row beside a skip
    "K-zero-skip-K-zero-K",  # three in a row beside a skip
    "K-skip-K-skip-skip-K",  # two in a row, beside one and beside skips
    "K-K-K-K-K-K",  # everywhere
)
"""Cells whose convolutions are still to be given a size."""
CHAINS = ("{}-zero-skip-zero-{}-zero", "{}-zero-skip-{}-zero-{}")
"""Two and three convolutions in a row, beside a skip."""
COURSES = {
    "rising": (0.5, 1.0, 1.5),
    "equal": (1.0, 1.0, 1.0),
    "falling": (1.5, 1.0, 0.5),
    "low": (0.5, 0.5, 0.5),
    "high": (1.5, 1.5, 1.5),
}
"""Thresholds along a chain of three; a chain of two has the first and the last."""

# Narrow nets and few images: about a minute per training on one CPU thread.
DATA = DatasetConfig(kind="cifar10", train_images=4000)
NETWORK = NetworkConfig(
    time_steps=3, stem_stride=2, channels=12, pool=2, hidden=128, votes=4, dropout=0.2
)
TRAINING = TrainingConfig.model_validate(
    {
        "recipe": "modern", "epochs": 7, "batch_size": 50, "learning_rate": 0.006,
        "warmup_fraction": 0.15, "crop_padding": 2, "erase_probability": 0.0,
        "cutmix_alpha": 0.0, "mixup_alpha": 0.0, "ema_decay": 0.0,
    }
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One training."""

    group: str
    archid: str
    seed: int


def main(
    table: Annotated[Path, "the CSV to write; finished trainings in it are kept"],
    data: Annotated[Path, "folder that holds CIFAR-10 in any form that prepare_data reads"],
    cells: Annotated[Literal["kernel_sizes", "thresholds"], "what the cells differ in"] = (
        "kernel_sizes"
    ),
    random_cells: Annotated[int, "how many cells are drawn beside the skeletons"] = 22,
    seeds: Annotated[int, "trainings per cell"] = 2,
    jobs: Annotated[int, "trainings at once, one thread each"] = 2,
) -> None:
    """Train what is missing in the table."""
    work = table.with_suffix("")
    manifest = work.with_name(f".{work.name}") / "manifest.json"
    prepare("cifar10", DATA, data, manifest)
    chosen = threshold_cells() if cells == "thresholds" else chosen_cells(random_cells)
    rows = _finished(table, {cell.archid for _, cell in chosen})
    done = {(row["archid"], int(row["seed"])) for row in rows}
    tasks = [
        Task(group, cell.archid, seed)
        for seed in range(seeds)
        for group, cell in chosen
        if (cell.archid, seed) not in done
    ]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        running = [pool.submit(train_one, task, manifest) for task in tasks]
        for finished in tqdm(as_completed(running), total=len(tasks), disable=None):
            rows.append(finished.result())
            rows.sort(key=lambda row: (row["group"], row["archid"], int(row["seed"])))
            tables.write_csv(table, rows)
    artifacts.write_json(
        table.with_suffix(".json"),
        {
            "dataset": DATA.model_dump(mode="json"),
            "network": NETWORK.model_dump(mode="json"),
            "training": TRAINING.model_dump(mode="json"),
            "cells": cells,
            "trainings": len(rows),
            **environment(torch.device("cpu")),
        },
    )


def chosen_cells(random_cells: int) -> list[tuple[str, Cell]]:
    """Return (group, cell), each distinct cell once: skeletons first, then seeded draws."""
    found = {
        Cell.from_archid(skeleton.replace("K", conv(size))).canonical(): "one_size"
        for skeleton in SKELETONS
        for size in KERNEL_SIZES
    }
    operations = operation_set(KERNEL_SIZES, OTHERS)
    generator = random.Random(0)
    wanted = len(found) + random_cells
    while len(found) < wanted:
        cell = draw_cell(operations, generator)
        if cell.kernel_sizes():
            found.setdefault(cell, "random")
    return [(group, cell) for cell, group in found.items()]


def threshold_cells() -> list[tuple[str, Cell]]:
    """Return (group, cell) for every chain and course of its thresholds."""
    found = []
    for chain in CHAINS:
        count = chain.count("{}")
        for first, middle, last in COURSES.values():
            course = (first, last) if count == 2 else (first, middle, last)
            archid = chain.format(*(conv(3, threshold=value) for value in course))
            found.append(("thresholds", Cell.from_archid(archid).canonical()))
    return found


def train_one(task: Task, manifest: Path) -> dict[str, Any]:
    """Train one cell and test it once."""
    torch.set_num_threads(1)
    training, validation, test = _splits(manifest)
    architecture = Architecture(
        Cell.from_archid(task.archid), NETWORK, image_shape(training.manifest)
    )
    net = build_net(architecture, task.seed, torch.device("cpu"))
    trained = train(net, (training, validation), TRAINING, task.seed)
    images, labels = to_device(test, torch.device("cpu"))
    normalise = Normaliser(test.manifest.mean, test.manifest.sd, images.device)
    return {
        "group": task.group,
        "archid": task.archid,
        "seed": task.seed,
        "params": parameter_count(architecture).total,
        "val_accuracy_percent": trained.history[-1].val_accuracy_percent,
        "test_accuracy_percent": accuracy_percent(trained.net, images, labels, normalise),
    }


@lru_cache(maxsize=1)  # once per process, not once per training
def _splits(manifest: Path) -> tuple[Split, Split, Split]:
    return tuple(load_split(manifest, name) for name in ("train", "validation", "test"))  # type: ignore[return-value]


def _finished(table: Path, known: set[str]) -> list[dict[str, Any]]:
    if not table.exists():
        return []
    numbers = ("seed", "params", "val_accuracy_percent", "test_accuracy_percent")
    read = tables.records(tables.read_csv(table, text=("group", "archid"), numbers=numbers))
    if not known.intersection(row["archid"] for row in read):
        raise DataError(f"{table} was not written by this benchmark: choose another file")
    return [{**row, "seed": int(row["seed"]), "params": int(row["params"])} for row in read]


if __name__ == "__main__":
    cli.run(main)
