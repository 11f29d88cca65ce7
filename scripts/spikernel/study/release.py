"""A finished training as a released net: few bytes, what it was made from, and a model card."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from spikernel import artifacts, provenance
from spikernel.config import DatasetConfig, NetworkConfig
from spikernel.data.splits import load_split
from spikernel.errors import DataError, ExportError
from spikernel.export.compressed import ReleasePrecision, compressed
from spikernel.export.model_card import render_release
from spikernel.inference.released import load_model, save_model
from spikernel.space.macro import cells_per_stage, stage_channels
from spikernel.study.evaluate import Evaluation, evaluate
from spikernel.study.fit import check_fit, check_split
from spikernel.study.inputs import Machine
from spikernel.study.measurement import check_name

COPIED = (
    "dataset", "archid", "kernel_sizes", "seed", "params", "epochs", "time_steps", "binary_steps",
    "val_accuracy_percent",
)  # fmt: skip
"""What the record takes over from that of the training."""
_OF_VERSION = ("test_accuracy_percent", "precision", "archid", "params")
"""What is kept of a version when weights replace it."""


@dataclass(frozen=True)
class Inputs:
    """The training, and its data."""

    training: Annotated[Path, "folder of train_final's metrics.json and model.safetensors"]
    manifest: Annotated[
        Path | None, "manifest.json of its data; default: the one that it was trained on"
    ] = None


@dataclass(frozen=True)
class Outputs:
    """The folder to write."""

    folder: Annotated[Path, "models/<dataset>-<name>"]


@dataclass(frozen=True)
class Settings:
    """What the weights become."""

    precision: Annotated[ReleasePrecision, "number format of the weights"] = "fp16"
    most_mb: Annotated[float, "most MB of weights in all released nets together"] = 30.0


def run(inputs: Inputs, outputs: Outputs, settings: Settings, machine: Machine) -> None:
    """Write weights, metrics, model card and provenance; print the accuracy and the size.

    Raises:
        DataError: the training is not finished or was altered, the name does not fit, or the data
            are not there any more or not those of the training.
        ExportError: the weights would take too many bytes.

    """
    watch = provenance.Stopwatch()
    folder = outputs.folder
    metrics_path, model_path, record_path = (
        inputs.training / name for name in ("metrics.json", "model.safetensors", "provenance.json")
    )
    trained = artifacts.read_object(metrics_path, *COPIED, "test_accuracy_percent")
    made = provenance.read(record_path, "inputs", "settings", "code", "packages", "finished")
    provenance.check([metrics_path, model_path])
    check_name(folder, trained["dataset"])
    manifest_path = inputs.manifest or _manifest_of(record_path, made["inputs"])
    provenance.check([manifest_path])
    data = _data_settings(manifest_path)
    manifest = load_split(manifest_path, "test").manifest
    net, preprocessing = load_model(model_path, machine.torch_device)
    check_fit(net.architecture, preprocessing, manifest, manifest_path)
    check_split(preprocessing, manifest, manifest_path)
    tensors = compressed(net.state_dict(), settings.precision)
    _check_size(folder, sum(value.nbytes for value in tensors.values()), settings.most_mb)
    weights, record = folder / "model.safetensors", folder / provenance.RECORD
    before = _versions(folder)
    # An earlier release stays whole until all of this one is known, which takes minutes.
    with artifacts.atomic(weights) as unfinished:
        save_model(unfinished, net, manifest, tensors)
        found = evaluate(unfinished, manifest_path, "test", machine)
        metrics = {
            **{key: trained[key] for key in COPIED},
            "trained_test_accuracy_percent": trained["test_accuracy_percent"],
            "data": data,
            "precision": settings.precision,
            "bytes": unfinished.stat().st_size,
            **_measured(found, net.architecture.network),
        }
        metrics |= _with_this(before, metrics, found.sha256)
        card = render_release(folder.name, metrics, made, preprocessing, net.architecture.images)
        record.unlink(missing_ok=True)  # that of an earlier release names other weights
    artifacts.write_json(folder / "metrics.json", metrics)
    artifacts.write_text(folder / "MODEL_CARD.md", card)
    provenance.write(
        record,
        step="release",
        settings={
            "precision": settings.precision,
            "training": {key: made[key] for key in ("settings", "code", "packages", "finished")},
        },
        inputs=[_from_here(path) for path in (metrics_path, model_path, manifest_path)],
        outputs=[folder / name for name in ("metrics.json", "model.safetensors", "MODEL_CARD.md")],
        seconds=watch.seconds(),
        device=str(machine),
    )
    print(
        f"{folder.name}, version {metrics['version']}: {found.accuracy_percent:.2f} % of the test "
        f"images with {settings.precision} weights, "
        f"{trained['test_accuracy_percent']:.2f} % as trained; {metrics['bytes']} bytes: {weights}"
    )


def _versions(folder: Path) -> list[dict[str, Any]]:
    """Return what was released under a name before, the latest last; of earlier code, version 1."""
    weights, path = folder / "model.safetensors", folder / "metrics.json"
    if not (weights.is_file() and path.is_file()):
        return []
    provenance.check([weights, path])
    metrics = artifacts.read_object(path, *_OF_VERSION)
    unnamed = {"version": 1, "sha256": artifacts.file_hash(weights)}
    found: list[dict[str, Any]] = metrics.get("versions") or [
        {**unnamed, **{key: metrics[key] for key in _OF_VERSION}}
    ]
    return found


def _with_this(
    before: list[dict[str, Any]], metrics: dict[str, Any], sha256: str
) -> dict[str, Any]:
    """Return the number of a release and all versions: the same weights keep the number."""
    same = before and before[-1]["sha256"] == sha256
    kept = before[:-1] if same else before
    version = len(kept) + 1
    this = {"version": version, "sha256": sha256, **{key: metrics[key] for key in _OF_VERSION}}
    return {"version": version, "versions": [*kept, this]}


def _measured(found: Evaluation, network: NetworkConfig) -> dict[str, Any]:
    return {
        "test_accuracy_percent": found.accuracy_percent,
        "test_images": found.images,
        "stage_channels": list(stage_channels(network)),
        "cells_per_stage": list(cells_per_stage(network)),
        "device": found.device,
    }


def _manifest_of(record: Path, known: dict[str, Any]) -> Path:
    """Return the manifest that a training read."""
    for name, sha256 in known.items():
        path = Path(name)
        if path.name == "manifest.json" and path.is_file() and artifacts.file_hash(path) == sha256:
            return path
    raise DataError(
        f"{record}: the data that it names are not there, or are others now: prepare them with the "
        "training's settings and name their manifest.json with --manifest"
    )


def _from_here(path: Path) -> Path:
    """Return a path from the current folder on, if it lies there: a release names no machine."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _data_settings(manifest: Path) -> dict[str, Any]:
    """Return what a data set was prepared with, defaults left out: who reads it can do it again."""
    settings = provenance.read(manifest.with_name(provenance.RECORD), "settings")["settings"]
    known = {key: settings[key] for key in DatasetConfig.model_fields if key in settings}
    return DatasetConfig(**known).model_dump(mode="json", exclude_defaults=True)


def _check_size(folder: Path, new_bytes: int, most_mb: float) -> None:
    files = folder.parent.glob("*/model.safetensors")
    others = sum(path.stat().st_size for path in files if path.parent != folder)
    if new_bytes + others > most_mb * 1e6:
        raise ExportError(
            f"{folder}: these weights take {new_bytes / 1e6:.2f} MB and the other nets in "
            f"{folder.parent} {others / 1e6:.2f} MB, more than {most_mb:g} MB in all: release a "
            "smaller net, take int8, or raise --most-mb"
        )
