"""Train macro-structures at small scale on real CIFAR-10 under equal parameters.

Every macro-structure trains the same cells from the same seeds, on the same images with the same
recipe, at the width at which its parameters come nearest to those of the `snasnet` net of that
cell, whose width `--channels` gives. So each is compared with `modern` in pairs (cell, seed), which
takes out what the cell and the seed do. Accuracy is that of the last epoch on images kept aside
from the training images; the test split is not read.

Equal parameters are not equal operations: a convolution on large maps uses its weights more often
than a classifier. The table therefore lists operations and seconds as well.

The table is written after every training, so that a run that was stopped goes on; what it was made
with lies beside it as JSON. The last line printed is one JSON object.
"""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import torch
from common import environment
from macro_variants import CELLS, CHANNELS, MODERN, SMALL, VARIANTS, equal_parameters
from tqdm import tqdm

from spikernel import artifacts, cli, code, tables
from spikernel.config import DatasetConfig, TrainingConfig
from spikernel.data.splits import Split, load_split
from spikernel.errors import ConfigError, DataError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, normalised_batches, to_device
from spikernel.network.activity import measure_activity
from spikernel.network.spiking_net import build_net
from spikernel.space.counts import parameter_count
from spikernel.study.prepare_data import prepare
from spikernel.study.shapes import image_shape
from spikernel.training.loop import train

TRAIN_IMAGES = 3600
"""Images to draw the training images from, where no more are asked for."""
ASIDE = 4000
"""Images to compare by: a standard error of 0.8 points or less per net."""
WATCHED = 100
"""Of these, whose accuracy the loop follows; the rest is looked at once, at the end."""
COUNTED = 200
"""Images on which spikes and operations are counted."""
RECIPE = {
    "recipe": "modern", "epochs": 7, "batch_size": 50, "learning_rate": 0.006,
    "warmup_fraction": 0.15, "crop_padding": 2, "erase_probability": 0.0,
    "cutmix_alpha": 0.0, "mixup_alpha": 0.0, "ema_decay": 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class Task:
    """One training."""

    variant: str
    archid: str
    seed: int
    channels: int


def main(
    table: Annotated[Path, "the CSV to write; finished trainings in it are kept"],
    data: Annotated[Path, "folder that holds CIFAR-10 in any form that prepare_data reads"],
    variants: Annotated[list[str] | None, "names of the variants; default: all"] = None,
    cells: Annotated[int, "how many of the three cells"] = len(CELLS),
    seeds: Annotated[int, "trainings per variant and cell"] = 3,
    epochs: Annotated[int, "epochs of each training"] = 7,
    train_images: Annotated[int, "images to train on"] = 2000,
    channels: Annotated[int, "width of the snasnet net, whose parameters all have"] = CHANNELS,
    jobs: Annotated[int, "trainings at once, one thread each"] = 2,
) -> None:
    """Train what is missing in the table, then print the differences."""
    names = [MODERN, *(name for name in variants or VARIANTS if name != MODERN)]
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise ConfigError(f"unknown variant '{unknown[0]}': known are {', '.join(VARIANTS)}")
    dataset = images_for(train_images)
    training = TrainingConfig.parse({**RECIPE, "epochs": epochs}, "recipe")
    description = {
        "dataset": dataset.model_dump(mode="json"),
        "train_images": train_images,
        "channels": channels,
        "training": training.model_dump(mode="json"),
        "small": SMALL,
        "code": code.digest("train_final"),
    }
    rows = _finished(table, description)
    manifest = table.with_name(f".{table.stem}") / "manifest.json"
    prepare("cifar10", dataset, data, manifest)
    done = {(row["variant"], row["archid"], row["seed"]) for row in rows}
    tasks = [
        Task(name, archid, seed, channels)
        for seed in range(seeds)
        for archid in CELLS[:cells]
        for name in names
        if (name, archid, seed) not in done
    ]
    environs = environment(torch.device("cpu"))
    artifacts.write_json(table.with_suffix(".json"), {**description, **environs})
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        running = [pool.submit(train_one, task, manifest, training, train_images) for task in tasks]
        for finished in tqdm(as_completed(running), total=len(tasks), disable=None):
            rows.append(finished.result())
            rows.sort(key=lambda row: (row["variant"], row["archid"], row["seed"]))
            tables.write_csv(table, rows)
    asked = {
        (name, cell, seed) for name in names for cell in CELLS[:cells] for seed in range(seeds)
    }
    used = [row for row in rows if (row["variant"], row["archid"], row["seed"]) in asked]
    summary = [summarise(name, used) for name in names]
    print(table_text(summary))
    print(json.dumps({"variants": summary, **environs}))


def images_for(train_images: int) -> DatasetConfig:
    """Return the part of CIFAR-10 that holds the images to train on and those to compare by.

    Raises:
        ConfigError: it has not so many.

    """
    if not 1 <= train_images <= 50_000 - ASIDE:
        raise ConfigError(f"train-images must be 1 to {50_000 - ASIDE}, got {train_images}")
    count = max(train_images, TRAIN_IMAGES) + ASIDE
    return DatasetConfig(kind="cifar10", train_images=count, validation_fraction=ASIDE / count)


def train_one(
    task: Task, manifest: Path, training: TrainingConfig, train_images: int
) -> dict[str, Any]:
    """Train one net and measure it once on the images kept aside."""
    torch.set_num_threads(1)
    cpu = torch.device("cpu")
    images, aside = _splits(manifest)
    shape = image_shape(images.manifest)
    architecture = equal_parameters(task.variant, task.archid, shape, task.channels)
    net = build_net(architecture, task.seed, cpu)
    splits = (_part(images, 0, train_images), _part(aside, 0, WATCHED))
    trained = train(net, splits, training, task.seed)
    judged = to_device(_part(aside, WATCHED, len(aside.labels)), cpu)
    normalise = Normaliser(images.manifest.mean, images.manifest.sd, cpu)
    activity = measure_activity(trained.net, normalised_batches(judged[0][:COUNTED], normalise))
    return {
        "variant": task.variant,
        "archid": task.archid,
        "seed": task.seed,
        "channels": architecture.network.channels,
        "params": parameter_count(architecture).total,
        "accuracy_percent": accuracy_percent(trained.net, *judged, normalise),
        "train_accuracy_percent": trained.history[-1].train_accuracy_percent,
        "firing_rate": activity.firing_rate,
        "effective_acs": activity.effective_acs,
        "effective_macs": activity.effective_macs,
        "energy_pj": activity.energy_pj(),
        "seconds": round(trained.seconds, 2),
    }


@lru_cache(maxsize=1)  # once per process, not once per training
def _splits(manifest: Path) -> tuple[Split, Split]:
    return load_split(manifest, "train"), load_split(manifest, "validation")


def _part(split: Split, start: int, stop: int) -> Split:
    return replace(split, images=split.images[start:stop], labels=split.labels[start:stop])


def summarise(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a variant's means, and its difference from `modern` in pairs of cell and seed.

    The standard error is that of the mean over pairs, None where there is one pair.
    """
    base = {(row["archid"], row["seed"]): row for row in rows if row["variant"] == MODERN}
    own = [row for row in rows if row["variant"] == name]
    pairs = [
        row["accuracy_percent"] - base[row["archid"], row["seed"]]["accuracy_percent"]
        for row in own
        if (row["archid"], row["seed"]) in base
    ]
    measured = (
        "params",
        "accuracy_percent",
        "effective_acs",
        "effective_macs",
        "energy_pj",
        "seconds",
    )
    return {
        "variant": name,
        "pairs": len(pairs),
        **{key: statistics.fmean(row[key] for row in own) for key in measured},
        "difference_percent": statistics.fmean(pairs),
        "standard_error_percent": statistics.stdev(pairs) / math.sqrt(len(pairs))
        if len(pairs) > 1
        else None,
    }


def table_text(summary: Sequence[Mapping[str, Any]]) -> str:
    """Return the summary as a Markdown table."""
    lines = [
        "| macro-structure | parameters | accuracy % | against modern | million AC + MAC | s |",
        "|---|---|---|---|---|---|",
    ]
    for row in summary:
        error = row["standard_error_percent"]
        spread = "" if error is None else f" ± {error:.2f}"
        lines.append(
            f"| {row['variant']} | {row['params']:,.0f} | {row['accuracy_percent']:.2f} | "
            f"{row['difference_percent']:+.2f}{spread} | {row['effective_acs'] / 1e6:.2f} + "
            f"{row['effective_macs'] / 1e6:.2f} | {row['seconds']:.0f} |"
        )
    return "\n".join(lines)


def _finished(table: Path, description: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not table.exists():
        return []
    text = ("variant", "archid")
    before = artifacts.read_json(table.with_suffix(".json"))
    changed = [key for key, value in description.items() if before.get(key) != value]
    if changed:
        raise DataError(
            f"{table} was made with another {changed[0]}: choose another file or delete it"
        )
    whole = ("seed", "channels", "params")
    numbers = ("accuracy_percent", "train_accuracy_percent", "firing_rate", "effective_acs")
    rest = ("effective_macs", "energy_pj", "seconds")
    read = tables.records(tables.read_csv(table, text=text, numbers=(*whole, *numbers, *rest)))
    return [{**row, **{key: int(row[key]) for key in whole}} for row in read]


if __name__ == "__main__":
    cli.run(main)
