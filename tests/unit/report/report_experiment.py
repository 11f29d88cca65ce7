"""A small made-up experiment: two data sets, two kernel sets, two ranks, two seeds."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from spikernel.config import ReportConfig
from spikernel.study import tradeoff_report, tradeoff_table

ARCHIDS = {
    ("k1-3", 1): "k3-skip-k1-zero-k3-avg",
    ("k1-3", 2): "k1-skip-k1-zero-k1-zero",
    ("design-1", 1): "k5-skip-k3-zero-k5-avg",
    ("design-1", 2): "k3-avg-k3-zero-k3-zero",
}
SIZES = {"k1-3": [1, 3], "design-1": [3, 5]}
PARAMS = {
    ("k1-3", 1): 4_200_000,
    ("k1-3", 2): 1_100_000,
    ("design-1", 1): 9_800_000,
    ("design-1", 2): 14_000_000,
}
VALIDATION = {
    ("k1-3", 1): 91.0,
    ("k1-3", 2): 86.5,
    ("design-1", 1): 92.5,
    ("design-1", 2): 92.0,
}
"""Mean over the seeds 0 and 1, which lie 0.5 below and above."""
TEST_IMAGES = 1000


@dataclass
class Experiment:
    """Paths of the files that the earlier steps would have left."""

    folder: Path
    metrics: list[Path] = field(default_factory=list)
    deployments: list[Path] = field(default_factory=list)
    predictions: list[Path] = field(default_factory=list)
    searches: list[Path] = field(default_factory=list)
    histories: list[Path] = field(default_factory=list)
    candidates: list[Path] = field(default_factory=list)
    impacts: list[Path] = field(default_factory=list)
    kernel_sets: list[Path] = field(default_factory=list)
    provenance: list[Path] = field(default_factory=list)
    layers: list[Path] = field(default_factory=list)
    exports: list[Path] = field(default_factory=list)
    findings: list[Path] = field(default_factory=list)

    def tables(self, **settings: Any) -> Path:
        """Run tradeoff_table and return the folder of its outputs."""
        out = self.folder / "out"
        tradeoff_table.run(
            tradeoff_table.Inputs(
                metrics=self.metrics,
                searches=self.searches,
                deployments=self.deployments,
                predictions=self.predictions,
            ),
            tradeoff_table.Outputs(
                models=out / "models.csv",
                selection=out / "selection.csv",
                comparisons=out / "comparisons.csv",
                summary=out / "summary.md",
                tables=out / "tables",
            ),
            ReportConfig.parse(settings, "test"),
        )
        return out

    def make_curve(self) -> None:
        """Make the second model of k1-3 the first one at half its width."""
        for folder in sorted(self.folder.glob("results/trial/*/*/k1-3/rank-2")):
            folder.rename(folder.with_name("rank-1_width-0.5"))
        for name in ("metrics", "deployments", "predictions", "histories"):
            moved = [
                Path(str(path).replace("k1-3/rank-2", "k1-3/rank-1_width-0.5"))
                for path in getattr(self, name)
            ]
            setattr(self, name, moved)
        for path in (*self.metrics, *self.deployments):
            if "_width-0.5" in str(path):
                change(path, rank=1, width=0.5, archid=ARCHIDS["k1-3", 1])

    def report(self, name: str = "report", **settings: Any) -> Path:
        """Run both scripts and return the folder of the page."""
        tables, out = self.tables(**settings), self.folder / name
        inputs = tradeoff_report.Inputs(
            models=tables / "models.csv",
            selection=tables / "selection.csv",
            comparisons=tables / "comparisons.csv",
            metrics=self.metrics,
            histories=self.histories,
            searches=self.searches,
            candidates=self.candidates,
            impacts=self.impacts,
            kernel_sets=self.kernel_sets,
            provenance=self.provenance,
            deployments=self.deployments,
            predictions=self.predictions,
            layers=self.layers,
            exports=self.exports,
            findings=self.findings,
        )
        outputs = tradeoff_report.Outputs(page=out / "report.html", figures=out / "figures")
        tradeoff_report.run(inputs, outputs, ReportConfig.parse(settings, "test"), "trial")
        return out


def page_of(made: Experiment, **settings: Any) -> str:
    """Return the page alone; writing the static figures would triple the time."""
    with patch("spikernel.report.charts.figures.write", return_value=[]):
        return (made.report(**settings) / "report.html").read_text(encoding="utf-8")


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def change(path: Path, **changes: Any) -> None:
    """Change keys of a JSON file; None removes the key."""
    value = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    removed = [key for key, item in changes.items() if item is None]
    write_json(path, {key: item for key, item in value.items() if key not in removed})


def with_accuracy(experiment: Experiment, place: int, accuracy: float) -> None:
    """Give one model and seed another test accuracy, and the predictions that have it."""
    change(experiment.metrics[place], test_accuracy_percent=accuracy)
    write_predictions(experiment.predictions[place], {"test_accuracy_percent": accuracy})


def quantise(experiment: Experiment, count: int) -> None:
    """Say that the first models and seeds were measured in int8."""
    for trained, path in list(zip(experiment.metrics, experiment.deployments, strict=True))[:count]:
        values = json.loads(trained.read_text())
        change(
            path,
            int8_val_accuracy_percent=80.0 if "design-1/rank-1" in str(path) else 85.0,
            int8_test_accuracy_percent=values["test_accuracy_percent"] - 2,
        )


def deploy(experiment: Experiment, *, ram: bool = True) -> None:
    """Give k1-3 25 and 30 kB of flash by rank, 10 and 9 of RAM, and design-1 40 and 2 more."""
    for path in experiment.deployments:
        values = json.loads(path.read_text())
        more, rank = values["kernel_set"] == "design-1", values["rank"]
        held = 11_000 + 2_000 * more - 1_000 * rank
        sizes = {"int8_bytes": 20_000 + 40_000 * more + 5_000 * rank}
        change(path, **sizes, **({"ram_bytes": held} if ram else {}))


def metrics(dataset: str, kernel_set: str, rank: int, seed: int) -> dict[str, Any]:
    params = PARAMS[kernel_set, rank]
    validation = VALIDATION[kernel_set, rank] + seed - 0.5
    return {
        "dataset": dataset, "kernel_set": kernel_set, "kernel_sizes": SIZES[kernel_set],
        "rank": rank, "archid": ARCHIDS[kernel_set, rank], "seed": seed, "params": params,
        "memory_mb_fp32": params * 4 / 1e6, "memory_mb_fp16": params * 2 / 1e6,
        "memory_mb_int8": params / 1e6, "val_accuracy_percent": validation,
        "test_accuracy_percent": validation - 1, "firing_rate": 0.12,
        "layer_firing_rates": {"cell1.neurons.0": 0.2, "head.neuron": 0.04 + 0.04 * seed},
        "effective_acs": 2.5e7, "effective_macs": 3.1e6, "dense_synops": 2e8, "energy_pj": 3.676e7,
        "train_seconds": 812.5, "epochs": 3, "time_steps": 5, "device": "cpu",
    }  # fmt: skip


def deployment(values: dict[str, Any]) -> dict[str, Any]:
    """Give what is there of a model that cannot be exported."""
    names = ("int8_val_accuracy_percent", "int8_test_accuracy_percent", "fp32_bytes", "int8_bytes")
    return {
        **{key: values[key] for key in ("dataset", "kernel_set", "rank", "seed", "archid")},
        **dict.fromkeys((*names, "activation_bytes")), "not_exported": "made up",
        "classes": list("abcdefghij"), "val_images": 500, "test_images": TEST_IMAGES,
    }  # fmt: skip


def write_predictions(path: Path, values: dict[str, Any], int8_right: int | None = None) -> Path:
    """Make predictions of the test accuracy: the first images are right, all others wrong."""
    label = np.arange(TEST_IMAGES) % 10
    right = round(values["test_accuracy_percent"] / 100 * TEST_IMAGES)
    wrong = np.arange(right, TEST_IMAGES)[:3]
    np.savez(
        path,
        label=label,
        trained=guesses(label, right),
        int8=label[:0] if int8_right is None else guesses(label, int8_right),
        mistakes=wrong,
        pictures=np.full((len(wrong), 1, 8, 8), 200, np.uint8),
    )
    return path


def guesses(label: "np.ndarray[Any, Any]", right: int) -> "np.ndarray[Any, Any]":
    """Return the labels of the first images, and of the others the next class."""
    return np.where(np.arange(len(label)) < right, label, (label + 1) % 10)


def search(dataset: str, kernel_set: str) -> dict[str, Any]:
    return {
        "dataset": dataset, "kernel_set": kernel_set, "kernel_sizes": SIZES[kernel_set],
        "strategy": "random", "evaluated": 1000, "distinct": 640,
        "seconds": {"k1-3": 64.0, "design-1": 96.0}[kernel_set], "device": "cpu",
        "score": "sahd_half_n", "best_score": 2113.25,
    }  # fmt: skip


def candidates(kernel_set: str) -> list[dict[str, Any]]:
    """Give the trained cells their ranks, and a third one, without a finite score, none."""
    ranked = [
        {"archid": archid, "params": PARAMS[name, rank], "score": 2120.0 - 10 * rank, "rank": rank,
         "seconds": 0.1}
        for (name, rank), archid in ARCHIDS.items()
        if name == kernel_set
    ]  # fmt: skip
    dead = {"archid": "zero-zero-skip-zero-zero-k1", "params": 1, "score": "-inf", "rank": ""}
    return [*ranked, {**dead, "seconds": 0.1}]


def provenance(step: str, seconds: float, manifest: str) -> dict[str, Any]:
    return {
        "step": step, "code": "0.1.0+abc", "settings": {}, "inputs": {manifest: "ab" * 32},
        "outputs": {}, "device": "cpu", "python": "3.11.7", "platform": "Linux",
        "packages": {"numpy": "2.4.6"}, "seconds": seconds, "finished": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def impact(dataset: str) -> list[dict[str, Any]]:
    return [
        {
            "dataset": dataset, "kernel_size": size, "control": control,
            "channels": 128 if control == "plain" else round(128 * 3 / size),
            "params": 4_600_000 + 100_000 * size**2, "memory_mb_fp32": 18.4 + 0.4 * size**2,
            "seeds": 2, "val_accuracy_percent_mean": 80 + size - (control != "plain") * size / 2,
            "val_accuracy_percent_sd": 0.4, "firing_rate_mean": 0.1, "effective_acs_mean": 1e7,
            "effective_macs_mean": 1e6, "energy_pj_mean": 1.36e7, "train_seconds_mean": 30.0,
        }
        for size in (1, 3, 5, 7)
        for control in ("plain", "iso_parameter")
    ]  # fmt: skip


def kernel_sets(dataset: str) -> dict[str, Any]:
    sets = [
        {"name": "k1-3", "sizes": [1, 3], "origin": "baseline", "evidence_percent": 82.0,
         "cost": 1.0, "reason": "The set of SNASNet, always searched."},
        {"name": "design-1", "sizes": [3, 5], "origin": "designed", "evidence_percent": 84.0,
         "cost": 3.4, "place": 1, "reason": "Best mean accuracy of the two controls."},
    ]  # fmt: skip
    return {"dataset": dataset, "rule": "Sets are ranked by evidence, then by cost.", "sets": sets}


def make(folder: Path, datasets: Sequence[str] = ("cifar10", "digits")) -> Experiment:
    made = Experiment(folder)
    for dataset in datasets:
        base = folder / "results" / "trial" / dataset
        made.impacts.append(write_csv(base / "kernel_impact" / "impact.csv", impact(dataset)))
        sets = base / "kernel_set_design" / "kernel_sets.json"
        made.kernel_sets.append(write_json(sets, kernel_sets(dataset)))
        for name in SIZES:
            place = base / "nas_search" / name / "search.json"
            made.searches.append(write_json(place, search(dataset, name)))
            made.candidates.append(write_csv(place.with_name("candidates.csv"), candidates(name)))
            made.provenance.append(
                write_json(
                    place.with_name("provenance.json"),
                    provenance(
                        "nas_search", 60.0, f"results/trial/{dataset}/prepare_data/manifest.json"
                    ),
                )
            )
        for name, rank in ARCHIDS:
            for seed in (0, 1):
                run = base / "train_final" / name / f"rank-{rank}" / f"seed-{seed}"
                values = metrics(dataset, name, rank, seed)
                made.metrics.append(write_json(run / "metrics.json", values))
                place = base / "deployment" / name / f"rank-{rank}" / f"seed-{seed}"
                made.deployments.append(write_json(place / "deployment.json", deployment(values)))
                predicted = place / "predictions.npz"
                made.predictions.append(write_predictions(predicted, values))
                made.histories.append(write_csv(run / "history.csv", history(values)))
    return made


def history(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "epoch": epoch, "learning_rate": 0.1 / epoch, "train_loss": 2 / epoch,
            "train_accuracy_percent": 90 - 30 / epoch,
            "val_accuracy_percent": values["val_accuracy_percent"] - 30 / epoch + 10,
            "seconds": 270.0,
        }
        for epoch in (1, 2, 3)
    ]  # fmt: skip
