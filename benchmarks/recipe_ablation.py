"""What each part of recipe `modern` adds: the part's absence against its presence, paired seeds.

One small net is trained on a subset of CIFAR-10 with the whole recipe (`base`), with each part
taken away (`no_...`) and with each candidate part added (`with_...`). Equal seeds have equal
weights and images, so differences are taken seed by seed. Accuracy is that of the last epoch on
held-out images of the training split; the test split is not touched.

Every finished training is a line of the output, which is written whole each time: a run that is
stopped goes on where it was, and more seeds or parts may be added later. The last line printed is
one JSON object.
"""

import json
import math
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
from common import environment, prepare_cifar10

from spikernel import artifacts, cli, provenance, tables
from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.data.splits import load_split
from spikernel.errors import ConfigError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, to_device
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study.shapes import image_shape
from spikernel.training.loop import train

WATCHED = 100
"""Held-out images whose accuracy the loop follows; all of them are looked at once, at the end."""
BASE = "base"
ENGINE = TrainingConfig(recipe="engine")
MUON = (
    "optimizer", "learning_rate", "norm_learning_rate", "head_learning_rate", "momentum",
    "renormalise", "weight_decay",
)  # fmt: skip
PARTS: dict[str, dict[str, Any]] = {
    "no_tet": {"objective": "mean"},
    "no_label_smoothing": {"label_smoothing": 0.0},
    "no_erasing": {"erase_probability": 0.0},
    "no_cutmix": {"cutmix_alpha": 0.0},
    "no_mixup": {"mixup_alpha": 0.0},
    "no_mixing": {"cutmix_alpha": 0.0, "mixup_alpha": 0.0},
    "no_ema": {"ema_decay": 0.0},
    "no_warmup": {"warmup_fraction": 0.0},
    "no_step_schedule": {"schedule_interval": "epoch"},
    "decay_on_norm": {"decay_norm": True},
    "no_crop": {"crop_padding": 0},
    "no_flip": {"flip": "none"},
    "no_adamw": {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 5e-4},
    "with_gradient_clip": {"gradient_clip": 1.0},
    "with_straight_line": {"schedule": "linear"},
    "with_reflection": {"crop_fill": "reflect"},
    "with_alternating_flip": {"flip": "alternating"},
    "with_cutout": {"cutout": 8},
    "with_lookahead": {"lookahead": True, "ema_decay": 0.0},
    "with_muon": {name: getattr(ENGINE, name) for name in MUON},
}
"""Name -> what it changes in the recipe."""


def variant(base: Mapping[str, Any], part: str) -> TrainingConfig:
    """Return the settings with a part changed.

    Raises:
        ConfigError: there is no such part.

    """
    if part != BASE and part not in PARTS:
        raise ConfigError(f"--parts: unknown part '{part}': known are {', '.join(PARTS)}")
    return TrainingConfig.model_validate({**base, **PARTS.get(part, {})})


class Results:
    """The lines of finished trainings; one file, made with one group of settings."""

    def __init__(
        self, path: Path, settings: Mapping[str, Any], environs: Mapping[str, Any]
    ) -> None:
        self._path = path
        self.rows: list[dict[str, Any]] = []
        described = path.with_suffix(".json")
        if not path.exists():
            artifacts.write_json(described, {**settings, **environs})
            return
        before = artifacts.read_json(described)
        if any(before.get(key) != value for key, value in settings.items()):
            raise ConfigError(f"{path} was made with other settings: name another --output")
        numbers = ("seed", "val_accuracy_percent", "train_loss", "seconds")
        table: pd.DataFrame = tables.read_csv(path, text=("part",), numbers=numbers)
        self.rows = table.astype({"seed": int}).to_dict("records")

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


def print_table(results: Results, summary: Mapping[str, Mapping[str, float | int | None]]) -> None:
    """Print one line per part, the largest loss first."""
    base = [row["val_accuracy_percent"] for row in results.rows if row["part"] == BASE]
    if base:
        print(f"base: {statistics.mean(base):.2f} % on {len(base)} seeds")
    print(f"{'part':<20}{'difference':>12}{'standard error':>16}{'seeds':>7}")
    for part, line in sorted(summary.items(), key=lambda item: item[1]["mean_difference_percent"]):
        error = line["standard_error_percent"]
        shown = "-" if error is None else f"{error:.2f}"
        print(f"{part:<20}{line['mean_difference_percent']:>+12.2f}{shown:>16}{line['seeds']:>7}")


def main(
    output: Annotated[Path, "CSV of the finished trainings, to write or to go on with"],
    data: Annotated[Path, "folder that holds CIFAR-10, or receives it"] = Path("data"),
    parts: Annotated[list[str] | None, "parts to change; default: all"] = None,
    seeds: Annotated[list[int], "paired seeds"] = [0, 1, 2],  # noqa: B006
    epochs: Annotated[int, "epochs of each training"] = 7,
    images: Annotated[int, "training images"] = 3600,
    held_out: Annotated[int | None, "images to judge by; default: as many"] = None,
    batch_size: Annotated[int, "images per step"] = 50,
    learning_rate: Annotated[float, "peak learning rate of AdamW"] = 0.006,
    channels: Annotated[int, "C of the first cell"] = 12,
    time_steps: Annotated[int, "T"] = 3,
    stem_stride: Annotated[int, "stride of the stem"] = 2,
    archid: Annotated[str, "the cell"] = "k3-zero-skip-k3-zero-k3",
    threads: Annotated[int, "CPU threads"] = 1,
) -> None:
    """Train what is missing, seed by seed, then print the differences."""
    torch.set_num_threads(threads)
    parts = list(PARTS) if parts is None else parts
    seeds = [0, 1, 2] if seeds is None else seeds
    held_out = images if held_out is None else held_out
    device = torch.device("cpu")
    environs = environment(device)
    network = NetworkConfig(
        channels=channels, time_steps=time_steps, stem_stride=stem_stride, pool=2, hidden=128,
        votes=4, dropout=0.2,
    )  # fmt: skip
    base = {
        "recipe": "modern", "epochs": epochs, "batch_size": batch_size,
        "learning_rate": learning_rate,
    }  # fmt: skip
    variants = {part: variant(base, part) for part in (BASE, *parts)}
    results = Results(
        output,
        {
            "base": variants[BASE].model_dump(mode="json"),
            "network": network.model_dump(mode="json"),
            "archid": archid,
            "images": images,
            "held_out": held_out,
        },
        environs,
    )
    with tempfile.TemporaryDirectory(prefix="spikernel-") as folder:
        total = images + held_out
        manifest = prepare_cifar10(data, Path(folder), total, validation_fraction=held_out / total)
        learned, judged = (load_split(manifest, name) for name in ("train", "validation"))
        watched = replace(judged, images=judged.images[:WATCHED], labels=judged.labels[:WATCHED])
        architecture = Architecture(
            Cell.from_archid(archid), network, image_shape(learned.manifest)
        )
        for seed in seeds:
            for part, settings in variants.items():
                if results.has(part, seed):
                    continue
                net = build_net(architecture, seed, device)
                trained = train(net, (learned, watched), settings, seed)
                normalise = Normaliser(judged.manifest.mean, judged.manifest.sd, device)
                accuracy = accuracy_percent(trained.net, *to_device(judged, device), normalise)
                row = {
                    "part": part,
                    "seed": seed,
                    "val_accuracy_percent": accuracy,
                    "train_loss": trained.history[-1].train_loss,
                    "seconds": round(trained.seconds, 2),
                }
                results.add(row)
                print(f"seed {seed} {part}: {accuracy:.2f} %", flush=True)
    summary = summarise(results, parts)
    print_table(results, summary)
    described = {"epochs": epochs, "images": images, "channels": channels, "archid": archid}
    code = provenance.code_version()
    print(json.dumps({"parts": summary, **described, "code": code, **environs}))


if __name__ == "__main__":
    cli.run(main)
