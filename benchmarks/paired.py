"""What the ablations of recipes share: parts against a base in pairs of equal seeds.

Equal seeds have equal weights and images, so differences are taken seed by seed. Accuracy is that
of the last epoch on held-out images of the training split; the test split is not touched. Every
finished training is a line of the output, which is written whole each time: a run that is stopped
goes on where it was, and more seeds or parts may be added later.
"""

import hashlib
import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pandas as pd
from common import wait_for  # noqa: F401  (puts the library on the path)

from spikernel import artifacts, tables
from spikernel.config import TrainingConfig
from spikernel.data.splits import Split, load_split
from spikernel.errors import ConfigError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, to_device
from spikernel.space.architecture import Architecture
from spikernel.study import training_run
from spikernel.study.inputs import Machine, state_path
from spikernel.training.loop import Trained, train

BASE = "base"
WATCHED = 100
"""Held-out images whose accuracy the loop follows; all of them are looked at once, at the end."""
NUMBERS = ("seed", "val_accuracy_percent", "train_loss", "seconds")


def given(settings: Any) -> Any:
    """Return settings without those that are not given, which a table of earlier code lacks."""
    if not isinstance(settings, dict):
        return settings
    return {key: given(value) for key, value in settings.items() if value is not None}


class Results:
    """The lines of finished trainings; one file, made with one group of settings.

    Args:
        path: of the file.
        settings: what the accuracies depend on; a file of others is refused.
        environs: what is only noted; of `device` every one that a run went on with.
        more: columns of numbers beside `NUMBERS`.
        text: columns of text.
        whole: columns of whole numbers among them.

    """

    def __init__(
        self,
        path: Path,
        settings: Mapping[str, Any],
        environs: Mapping[str, Any],
        more: tuple[str, ...] = (),
        text: tuple[str, ...] = ("part",),
        whole: tuple[str, ...] = ("seed",),
    ) -> None:
        self._path = path
        self.rows: list[dict[str, Any]] = []
        described = path.with_suffix(".json")
        if not path.exists():
            artifacts.write_json(described, {**settings, **environs})
            return
        before = artifacts.read_json(described)
        if any(given(before.get(key)) != given(value) for key, value in settings.items()):
            raise ConfigError(f"{path} was made with other settings: name another --output")
        device, devices = environs.get("device"), before.get("device", "").split("; ")
        if device and device not in devices:
            joined = "; ".join([*filter(None, devices), device])
            artifacts.write_json(described, {**before, "device": joined})
        numbers = (*NUMBERS, *more)
        table: pd.DataFrame = tables.read_csv(path, text=text, numbers=numbers)
        self.rows = tables.records(table.astype(dict.fromkeys(whole, int)))

    def has(self, part: str, seed: int) -> bool:
        """Return whether a training is finished."""
        return any(row["part"] == part and row["seed"] == seed for row in self.rows)

    def add(self, row: dict[str, Any]) -> None:
        """Keep one more training."""
        self.rows.append(row)
        tables.write_csv(self._path, self.rows)

    def differences(self, part: str) -> list[float]:
        """Return accuracy with the part changed minus that of the base, for each common seed."""
        accuracy = {(row["part"], row["seed"]): row["val_accuracy_percent"] for row in self.rows}
        return [
            value - accuracy[BASE, seed]
            for (name, seed), value in accuracy.items()
            if name == part and (BASE, seed) in accuracy
        ]


@dataclass(frozen=True)
class Images:
    """The images of an ablation."""

    learned: Split
    judged: Split

    @classmethod
    def of(cls, manifest: Path) -> Self:
        """Return those of a prepared data set, judged by its validation split."""
        return cls(load_split(manifest, "train"), load_split(manifest, "validation"))

    @property
    def splits(self) -> tuple[Split, Split]:
        """What a training reads."""
        part = replace(
            self.judged, images=self.judged.images[:WATCHED], labels=self.judged.labels[:WATCHED]
        )
        return self.learned, part

    def outcome(self, trained: Trained) -> dict[str, Any]:
        """Return the columns of a finished training."""
        device, manifest = next(trained.net.parameters()).device, self.judged.manifest
        normalise = Normaliser(manifest.mean, manifest.sd, device)
        return {
            "val_accuracy_percent": accuracy_percent(
                trained.net, *to_device(self.judged, device), normalise
            ),
            "train_loss": trained.history[-1].train_loss,
            "seconds": round(trained.seconds, 2),
        }


def work_folder(manifest: Path, made_with: Mapping[str, Any]) -> Path:
    """Return where states and weights of an ablation lie; those of other settings lie elsewhere."""
    digest = hashlib.sha256(json.dumps(made_with).encode()).hexdigest()
    return manifest.parent / digest[:12]


def train_named(
    name: Path,
    architecture: Architecture,
    settings: TrainingConfig,
    seed: int,
    images: Images,
    machine: Machine,
    manifest: Path,
) -> Trained:
    """Train a net, or go on with it where its state lies under a name; keep no state in the end.

    Args:
        name: of the state, with its folder.
        architecture: the net.
        settings: of the training.
        seed: of weights and order.
        images: to train on and to follow.
        machine: where it runs.
        manifest: of the images.

    """
    state = state_path(name)
    made_of = training_run.fingerprint(architecture, settings, seed, machine, manifest)
    net = training_run.make_net(architecture, seed, images.learned, machine)
    trained = train(net, images.splits, settings, seed, state, made_of)
    state.unlink()
    return trained


def train_missing(
    results: Results, seeds: Sequence[int], parts: Mapping[str, Callable[[int], dict[str, Any]]]
) -> None:
    """Train what is not finished, seed by seed.

    Args:
        results: of the trainings, old and new.
        seeds: of the trainings.
        parts: from the name of a part to what trains it with a seed and returns its columns.

    """
    for seed in seeds:
        for part, run in parts.items():
            if not results.has(part, seed):
                row = {"part": part, "seed": seed, **run(seed)}
                results.add(row)
                print(f"seed {seed} {part}: {row['val_accuracy_percent']:.2f} %", flush=True)


def check_parts(given: Sequence[str], known: Mapping[str, Any]) -> None:
    """Refuse a part that there is not.

    Raises:
        ConfigError: names it, and those that there are.

    """
    for part in given:
        if part not in known:
            raise ConfigError(f"--parts: unknown part '{part}': known are {', '.join(known)}")


def summarise(results: Results, parts: Sequence[str]) -> dict[str, dict[str, float | int | None]]:
    """Return mean difference, its standard error (None for one seed) and seeds of each part."""
    summary: dict[str, dict[str, float | int | None]] = {}
    for part in parts:
        found = results.differences(part)
        if found:
            error = statistics.stdev(found) / math.sqrt(len(found)) if len(found) > 1 else None
            summary[part] = {
                "mean_difference_percent": statistics.mean(found),
                "standard_error_percent": error,
                "seeds": len(found),
            }
    return summary


def print_table(results: Results, summary: Mapping[str, Mapping[str, Any]]) -> None:
    """Print one line per part, the largest loss first."""
    base = [row["val_accuracy_percent"] for row in results.rows if row["part"] == BASE]
    if base:
        print(f"base: {statistics.mean(base):.2f} % on {len(base)} seeds")
    print(f"{'part':<22}{'difference':>12}{'standard error':>16}{'seeds':>7}")
    for part, line in sorted(summary.items(), key=lambda item: item[1]["mean_difference_percent"]):
        error = line["standard_error_percent"]
        shown = "-" if error is None else f"{error:.2f}"
        print(f"{part:<22}{line['mean_difference_percent']:>+12.2f}{shown:>16}{line['seeds']:>7}")
