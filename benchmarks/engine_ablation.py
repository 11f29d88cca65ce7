"""What each part of recipe `engine` and of its nets is worth, at equal minutes per training.

A net of macro-structure `compact` is trained on CIFAR-10 with the whole recipe (`base`), with each
part replaced, taken away or added. How they are compared is in `paired`.

The budget is minutes. The epochs of the base are those that fit in, by the time that a step takes;
a part whose step costs more than a tenth more, or less, has fewer or more epochs in proportion, and
any other as many as the base, so that noise of the clock gives no part an epoch. All seeds of a
part have its epochs, which are a column of the output. The teacher of `with_distillation` is the
same net with neurons of 255 levels, so nearly a clipped ReLU, trained by the recipe of the base for
as many epochs; its training comes on top of the budget.

A training that is killed goes on from at most five minutes before. Nothing else may run meanwhile,
unless the epochs are given: `--epochs` takes those of another machine (`epochs.json` in the hidden
folder beside its output), so that a GPU can train what ten minutes of a CPU are worth. `--pace`
measures them and trains nothing. The last line printed is one JSON object.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from common import environment, prepare_cifar10
from pace import epochs_for, seconds_per_step
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

from spikernel import artifacts, cli, provenance
from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.errors import ConfigError
from spikernel.inference.released import save_model
from spikernel.network.device import DeviceName
from spikernel.network.spiking_net import SpikingNet
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
EPOCHS = "epochs.json"
NOTHING, TEACHER = Part(), Part(network={"levels": 255})


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
        teacher = self._teacher(seed) if part == DISTILLATION else None
        changes = _changes(part, teacher)
        epochs = self._epochs(part, changes)
        return {**self.images.outcome(self._train(part, changes, seed, epochs)), "epochs": epochs}

    def epochs(self, part: str) -> int:
        """Return the epochs of a part; measure them where they are not known, train nothing."""
        untrained = self._work / "untrained.safetensors"
        if part == DISTILLATION:  # what a teacher has learned does not change its time
            save_model(untrained, self._net(TEACHER), self.images.learned.manifest)
        return self._epochs(part, _changes(part, untrained))

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
        kept = self._work / EPOCHS
        known: dict[str, int] = artifacts.read_json(kept) if kept.exists() else {}
        if part not in known:
            base, own = seconds_per_step([self._trainer(NOTHING), self._trainer(changes)])
            steps = -(-len(self.images.learned.labels) // self._training.batch_size)
            known[part] = epochs_for(self._minutes, steps, base, own, known.get(BASE))
            artifacts.write_json(kept, known)
        return known[part]

    def _trainer(self, changes: Part) -> Trainer:
        splits, settings = self.images.splits, self._settings(changes, 1)
        return make_trainer(self._net(changes), splits, settings, 0)

    def _net(self, changes: Part) -> SpikingNet:
        architecture = self._architecture(changes)
        return training_run.make_net(architecture, 0, self.images.learned, self._machine)


def _changes(part: str, teacher: Path | None) -> Part:
    changes = {BASE: NOTHING, **PARTS}[part]
    if part != DISTILLATION:
        return changes
    return Part({**changes.training, "teacher": str(teacher)})


def _take_epochs(given: Path, kept: Path, names: Sequence[str]) -> None:
    """Take over the epochs of another machine, unless trainings were begun with others."""
    found = artifacts.read_object(given, *names)
    known = artifacts.read_json(kept) if kept.exists() else {}
    if others := [part for part in names if known.get(part, found[part]) != found[part]]:
        raise ConfigError(
            f"--epochs: {given} has {found[others[0]]} for '{others[0]}', the output was begun "
            f"with {known[others[0]]}: name another output"
        )
    artifacts.write_json(kept, {**known, **found})


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
    epochs: Annotated[Path | None, "JSON of part -> epochs, as another machine has them"] = None,
    pace: Annotated[bool, "measure the epochs of every part, train nothing"] = False,
    device: Annotated[DeviceName, "auto takes a GPU where there is one"] = "cpu",
    threads: Annotated[int, "CPU threads"] = 2,
) -> None:
    """Train what is missing, seed by seed, then print the differences."""
    machine = Machine(device, threads)
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
    if epochs is not None:
        _take_epochs(epochs, work / EPOCHS, (BASE, *names))
    bench = Bench(manifest, archid, network, training, machine, minutes, work)
    if pace:
        print(json.dumps({part: bench.epochs(part) for part in (BASE, *names)}))
        return
    runs: dict[str, Callable[[int], dict[str, Any]]] = {
        part: partial(bench.run, part) for part in (BASE, *names)
    }
    train_missing(results, seeds, runs)
    summary = summarise(results, names)
    print_table(results, summary)
    of_parts = {row["part"]: int(row["epochs"]) for row in results.rows}
    described = {"epochs": of_parts, "minutes": minutes, "code": provenance.code_version()}
    print(json.dumps({"parts": summary, **described, **environs}))


if __name__ == "__main__":
    cli.run(main)
