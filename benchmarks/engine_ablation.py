"""What each part of recipe `engine` and of its nets is worth, at equal minutes per training.

A net of macro-structure `compact` is trained on CIFAR-10 with the whole recipe (`base`), with each
part replaced, taken away or added. How they are compared is in `paired`.

The budget is minutes. The epochs of the base are those that fit in, by the time that a step takes;
a part whose step costs more than a tenth more, or less, has fewer or more epochs in proportion, and
any other as many as the base, so that noise of the clock gives no part an epoch. All seeds of a
part have its epochs, which are a column of the output. The teacher of `with_distillation` is the
same net with neurons of 255 levels, so nearly a clipped ReLU, trained by the recipe of the base for
as many epochs; its training comes on top of the budget.

A training that is killed goes on from at most five minutes before. Nothing else may run meanwhile.
The last line printed is one JSON object.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from common import environment, prepare_cifar10, wait_for
from paired import (
    BASE,
    Images,
    Results,
    check_parts,
    print_table,
    summarise,
    train_missing,
    train_named,
    work_folder,
)
from training_loops import Limited

from spikernel import artifacts, cli, provenance
from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.inference.released import save_model
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study import training_run
from spikernel.study.inputs import Machine
from spikernel.study.shapes import image_shape
from spikernel.training.loop import Trained
from spikernel.training.trainer import Trainer, make_trainer


@dataclass(frozen=True)
class Part:
    """What a part changes in the settings of the training and of the net."""

    training: dict[str, Any] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)


DISTILLATION, TWIN = "with_distillation", "twin"
PARTS: dict[str, Part] = {
    "sgd_for_muon": Part({"optimizer": "sgd", "learning_rate": 0.1, "renormalise": False}),
    "adamw_for_muon": Part(
        {
            "optimizer": "adamw", "learning_rate": 0.003, "norm_learning_rate": 0.003,
            "head_learning_rate": 0.003, "momentum": 0.9, "weight_decay": 0.02,
            "renormalise": False,
        }
    ),
    "no_lookahead": Part({"lookahead": False}),
    "ema_for_lookahead": Part({"lookahead": False, "ema_decay": 0.99}),
    "no_whitening": Part(network={"stem_weights": "learned"}),
    "random_flip": Part({"flip": "random"}),
    "no_label_smoothing": Part({"label_smoothing": 0.0}),
    "no_renormalise": Part({"renormalise": False}),
    "with_cutout": Part({"cutout": 8}),
    "no_norm_learning_rate": Part({"norm_learning_rate": None}),
    "average_pooling": Part(network={"pooling": "average"}),
    "levels_2": Part(network={"levels": 2}),
    "levels_3": Part(network={"levels": 3}),
    "levels_4": Part(network={"levels": 4}),
    "range_2": Part(network={"level_range": 2.0}),
    "with_residual": Part(network={"residual": True}),
    DISTILLATION: Part({"objective": "distil"}),
}  # fmt: skip
"""Name -> what it changes."""
NOTHING, TEACHER = Part(), Part(network={"levels": 255})
SAME_COST = 0.1
"""Part of a step's time by which a part may differ and still have the epochs of the base."""
PACE_STEPS, PACE_TURNS = 8, 3


class Bench:
    """The trainings of one ablation.

    Args:
        manifest: of the images.
        archid: the cell.
        network: of the base.
        training: of the base.
        machine: where they run.
        minutes: of one training.
        work: folder of unfinished trainings, teachers and epochs.

    """

    def __init__(
        self,
        manifest: Path,
        archid: str,
        network: NetworkConfig,
        training: TrainingConfig,
        machine: Machine,
        minutes: float,
        work: Path,
    ) -> None:
        self.images = Images.of(manifest)
        self._manifest, self._cell = manifest, Cell.from_archid(archid)
        self._network, self._training = network, training
        self._machine, self._minutes, self._work = machine, minutes, work

    def run(self, part: str, seed: int) -> dict[str, Any]:
        """Train a part with a seed, and return its columns."""
        changes = {BASE: NOTHING, **PARTS}[part]
        if part == DISTILLATION:
            changes = Part({**changes.training, "teacher": str(self._teacher(seed))})
        epochs = self._epochs(part, changes)
        return {**self.images.outcome(self._train(part, changes, seed, epochs)), "epochs": epochs}

    def _train(self, part: str, changes: Part, seed: int, epochs: int) -> Trained:
        architecture, settings = self._architecture(changes), self._settings(changes, epochs)
        name = self._work / f"{part}-{seed}"
        return train_named(
            name, architecture, settings, seed, self.images, self._machine, self._manifest
        )

    def _architecture(self, changes: Part) -> Architecture:
        network = {**self._network.model_dump(mode="json"), **changes.network}
        shape = image_shape(self.images.learned.manifest)
        return Architecture(self._cell, NetworkConfig.parse(network, "network"), shape)

    def _settings(self, changes: Part, epochs: int) -> TrainingConfig:
        given = {**self._training.model_dump(mode="json"), **changes.training, "epochs": epochs}
        return TrainingConfig.parse(given, "training")

    def _teacher(self, seed: int) -> Path:
        path = self._work / f"teacher-{seed}.safetensors"
        if not path.exists():
            trained = self._train(TWIN, TEACHER, seed, self._epochs(BASE, NOTHING))
            save_model(path, trained.net, self.images.learned.manifest)
        return path

    def _epochs(self, part: str, changes: Part) -> int:
        # Kept before the training: an unfinished one goes on with its own number alone.
        kept = self._work / "epochs.json"
        known: dict[str, int] = artifacts.read_json(kept) if kept.exists() else {}
        if part not in known:
            base, own = seconds_per_step([self._trainer(NOTHING), self._trainer(changes)])
            steps = -(-len(self.images.learned.labels) // self._training.batch_size)
            known[part] = epochs_for(self._minutes, steps, base, own, known.get(BASE))
            artifacts.write_json(kept, known)
        return known[part]

    def _trainer(self, changes: Part) -> Trainer:
        net = training_run.make_net(
            self._architecture(changes), 0, self.images.learned, self._machine
        )
        return make_trainer(net, self.images.splits, self._settings(changes, 1), 0)


def seconds_per_step(trainers: Sequence[Trainer]) -> list[float]:
    """Return the time of a step of each, the median of turns; the first turn only warms up."""
    seconds: list[list[float]] = [[] for _ in trainers]
    for _ in range(1 + PACE_TURNS):
        for trainer, times in zip(trainers, seconds, strict=True):
            trainer.steps_per_epoch = PACE_STEPS  # as if the epoch had no more
            start = time.perf_counter()
            trainer.train_epoch(trainer.begin_epoch(1), Limited(PACE_STEPS))
            wait_for(trainer.device)
            times.append((time.perf_counter() - start) / PACE_STEPS)
    return [statistics.median(times[1:]) for times in seconds]


def epochs_for(
    minutes: float, steps: int, base_seconds: float, own_seconds: float, base_epochs: int | None
) -> int:
    """Return the epochs of a part.

    Args:
        minutes: of one training.
        steps: of an epoch.
        base_seconds: of a step of the base, measured beside the next.
        own_seconds: of a step of the part.
        base_epochs: that the base has; None: it is the base.

    """
    if base_epochs is None:
        return max(1, round(60 * minutes / (steps * base_seconds)))
    cost = own_seconds / base_seconds
    return base_epochs if abs(cost - 1) <= SAME_COST else max(1, round(base_epochs / cost))


def main(
    output: Annotated[Path, "CSV of the finished trainings, to write or to go on with"],
    data: Annotated[Path, "folder that holds CIFAR-10, or receives it"] = Path("data"),
    minutes: Annotated[float, "of one training"] = 10.0,
    parts: Annotated[list[str] | None, "parts to change; default: all"] = None,
    seeds: Annotated[list[int], "paired seeds"] = [0, 1, 2],  # noqa: B006
    held_out: Annotated[int, "images to judge by, of the 50,000"] = 5000,
    archid: Annotated[str, "the cell"] = "zero-zero-k3-zero-zero-zero",
    network: Annotated[NetworkConfig, "of the base"] = NetworkConfig(macro="compact"),
    training: Annotated[TrainingConfig, "of the base"] = TrainingConfig(
        recipe="engine", lookahead=True
    ),
    threads: Annotated[int, "CPU threads"] = 2,
) -> None:
    """Train what is missing, seed by seed, then print the differences."""
    machine = Machine("cpu", threads)
    names = list(PARTS) if parts is None else parts
    check_parts(names, PARTS)
    environs = environment(machine.torch_device)
    made_with = {
        "base": training.model_dump(mode="json", exclude={"epochs"}),
        "network": network.model_dump(mode="json"),
        "archid": archid,
        "minutes": minutes,
        "held_out": held_out,
    }
    results = Results(output, made_with, environs, more=("epochs",))
    manifest = prepare_cifar10(
        data, output.with_name(f".{output.stem}"), validation_fraction=held_out / 50_000
    )
    work = work_folder(manifest, made_with)
    bench = Bench(manifest, archid, network, training, machine, minutes, work)
    runs: dict[str, Callable[[int], dict[str, Any]]] = {
        part: partial(bench.run, part) for part in (BASE, *names)
    }
    train_missing(results, seeds, runs)
    summary = summarise(results, names)
    print_table(results, summary)
    epochs = {row["part"]: int(row["epochs"]) for row in results.rows}
    described = {"epochs": epochs, "minutes": minutes, "code": provenance.code_version()}
    print(json.dumps({"parts": summary, **described, **environs}))


if __name__ == "__main__":
    cli.run(main)
