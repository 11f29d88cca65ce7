"""Hours of training to an accuracy on CIFAR-10: ours as recorded, SNASNet's loop extrapolated.

Ours is read from the records of finished trainings, docs/measurements/cifar10-*.json. For each
target it is the shortest training whose net has at least that accuracy on all test images, as
binary spikes in at most 5 steps, with all of its epochs; beside it stands when its validation
accuracy first came to the target, by its history.

SNASNet published one number of epochs (300) and one accuracy at their end (93.12 % for forward
cells), so its hours are those of all 300 whatever the target: 300 x 50,000 images, by the images
per second of its loop, measured here on its net (C = 256, T = 5, pool 2) and this machine. What
accuracy that ends at is not measured here.

Both mean something together only where the records come from the same kind of machine; the output
says whether the device's name is the same. The last line is one JSON object.
"""

import json
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from common import environment, prepare_cifar10
from train_speed import CELL, ask, served
from training_loops import Setup

from spikernel import artifacts, cli
from spikernel.config import NetworkConfig
from spikernel.errors import DataError
from spikernel.network.device import DeviceName, choose_device
from spikernel.report.tables.headline import MOST_STEPS, binary_steps, is_whole

TARGETS = (91.0, 93.24)
"""Percent: what a short training should reach, and the paper's result."""
EPOCHS = 300
"""Of SNASNet's published training (Kim et al., ECCV 2022, its code's default for CIFAR-10)."""
IMAGES = 50_000
SNASNET = NetworkConfig(channels=256, time_steps=5, pool=2)
"""SNASNet's net for CIFAR-10: width 128 times 2."""


def read_records(folder: Path) -> list[dict[str, Any]]:
    """Return the records of trainings on CIFAR-10 that may be headlines, each with its file's name.

    Raises:
        DataError: there is none.

    """
    found = []
    for path in sorted(folder.glob("cifar10-*.json")):
        record = artifacts.read_object(path)
        if "history" in record and binary_steps(record) <= MOST_STEPS and is_whole(record):
            found.append({**record, "record": path.name})
    if not found:
        raise DataError(f"{folder} holds no record of a training on CIFAR-10 (cifar10-*.json)")
    return found


def hours_of(record: Mapping[str, Any], target: float) -> dict[str, Any]:
    """Return the hours of a whole training, and those until validation first came to the target."""
    seconds, first = 0.0, None
    for epoch in record["history"]:
        seconds += epoch["seconds"]
        if epoch["val_accuracy_percent"] >= target:
            first = seconds / 3600
            break
    return {
        "hours": record["seconds"] / 3600,
        "hours_until_validation": first,
        "record": record["record"],
        "test_accuracy_percent": record["test_accuracy_percent"],
        "params": record["params"],
        "binary_steps": binary_steps(record),
        "device": record["device"],
    }


def ours(records: Sequence[Mapping[str, Any]], target: float) -> dict[str, Any] | None:
    """Return the shortest training whose test accuracy is at least the target; None: there is none.

    Args:
        records: of trainings.
        target: in percent.

    """
    reached = [record for record in records if record["test_accuracy_percent"] >= target]
    if not reached:
        return None
    return hours_of(min(reached, key=lambda record: float(record["seconds"])), target)


def snasnet_rate(setup: Setup, steps: int, rounds: int, warmup: int) -> float:
    """Return the images per second of SNASNet's loop, the median of the turns."""
    with served(("snasnet",), setup, warmup) as pipes:
        seconds = [ask(pipes["snasnet"], steps) for _ in range(rounds)]
        ask(pipes["snasnet"], "end")
    return setup.batch_size * steps / statistics.median(seconds)


def compare(
    records: Sequence[Mapping[str, Any]], images_per_second: float, device: str
) -> list[dict[str, Any]]:
    """Return, for each target, our hours, those of SNASNet's loop, and the ratio; print them.

    A GPU's hours are not set against a CPU's loop, nor the other way round.
    """
    kind = device.partition(":")[0]
    records = [record for record in records if record["device"].partition(":")[0] == kind]
    theirs = EPOCHS * IMAGES / images_per_second / 3600
    lines = []
    for target in TARGETS:
        found = ours(records, target)
        line: dict[str, Any] = {"target_percent": target, "snasnet_hours": theirs, "ours": found}
        if found is None:
            best = max((record["test_accuracy_percent"] for record in records), default=0.0)
            print(
                f"{target:g} %: no training that is recorded on a {kind} reaches it, the best has "
                f"{best:.2f} %"
            )
        else:
            line["ratio"] = theirs / found["hours"]
            line["same_device"] = found["device"] == device
            print(
                f"{target:g} %: {found['hours']:.2f} h to {found['test_accuracy_percent']:.2f} % "
                f"({found['record']}, {found['device']}); SNASNet's loop {theirs:.0f} h "
                f"({EPOCHS} epochs, extrapolated from {images_per_second:.2f} images/s on "
                f"{device}): {line['ratio']:.0f} times as long"
                + ("" if line["same_device"] else "; measured on different devices")
            )
        lines.append(line)
    return lines


def main(
    data: Annotated[Path, "folder that holds CIFAR-10, or receives it"] = Path("data"),
    records: Annotated[Path, "folder of cifar10-*.json"] = Path("docs/measurements"),
    batch_size: Annotated[int, "images per step of SNASNet's loop"] = 64,
    steps: Annotated[int, "steps per turn"] = 2,
    rounds: Annotated[int, "turns"] = 3,
    warmup: Annotated[int, "steps before"] = 1,
    archid: Annotated[str, "SNASNet's cell"] = CELL,
    workers: Annotated[int, "its loader processes"] = 4,
    threads: Annotated[int, "CPU threads"] = 2,
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "auto",
) -> None:
    """Measure SNASNet's loop, read our records, and print hours and ratios."""
    torch.set_num_threads(threads)
    where, trained = choose_device(device), read_records(records)
    with tempfile.TemporaryDirectory(prefix="spikernel-") as folder:
        manifest = prepare_cifar10(data, Path(folder))
        setup = Setup(manifest, archid, SNASNET, batch_size, workers, threads, where, seed=0)
        rate = snasnet_rate(setup, steps, rounds, warmup)
    surroundings = environment(where)
    lines = compare(trained, rate, str(surroundings["device"]))
    measured = {"images_per_second": rate, "epochs": EPOCHS, "network": SNASNET.changes()}
    print(
        json.dumps(
            {
                "targets": lines,
                "snasnet": {**measured, "archid": archid, "batch_size": batch_size},
                "threads": threads,
                **surroundings,
            }
        )
    )


if __name__ == "__main__":
    cli.run(main)
