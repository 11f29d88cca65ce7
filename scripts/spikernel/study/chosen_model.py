"""Which trained model is exported: the one the report names for a memory budget. No torch."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikernel import artifacts
from spikernel.config import kernel_set_name, model_name, width_of, width_suffix
from spikernel.errors import ExportError
from spikernel.tables import read_csv, records

LOG = logging.getLogger(__name__)
IDENTITY = ("dataset", "kernel_set", "rank", "seed", "archid", "params")
"""What a model is known by."""


@dataclass(frozen=True)
class Chosen:
    """A trained model, and the budget it was chosen for."""

    metrics_path: Path
    metrics: dict[str, Any]
    budget: dict[str, Any] | None
    """`budget_mb`, `precision` and whether the model `fits`, for a device `ram_kb`, too; None where
    the model was given, not chosen."""

    @property
    def model_path(self) -> Path:
        """Where its weights lie."""
        return self.metrics_path.with_name("model.safetensors")

    @property
    def width(self) -> float:
        """Its width as a multiple of `network/channels`."""
        return width_of(self.metrics)

    @property
    def trained_accuracy_percent(self) -> float:
        """Of the test images, before a release made its weights smaller."""
        tested: float = self.metrics["test_accuracy_percent"]
        return self.metrics.get("trained_test_accuracy_percent", tested)

    @property
    def name(self) -> str:
        """What it is called in the files."""
        if (version := self.metrics.get("version")) is not None:
            return f"{self.metrics_path.absolute().parent.name}, version {version}"
        parts = ("dataset", "kernel_set", "archid", "seed")
        dataset, kernel_set, archid, seed = (self.metrics[part] for part in parts)
        wide = "" if self.width == 1 else f", width {self.width:g}"
        return f"{dataset}, kernel set {kernel_set}, {archid}{wide}, seed {seed}"

    @property
    def short_name(self) -> str:
        """What its folder is called elsewhere."""
        if (version := self.metrics.get("version")) is not None:
            return f"{self.metrics_path.absolute().parent.name}-v{version}"
        parts = ("dataset", "kernel_set", "rank", "seed")
        dataset, kernel_set, rank, seed = (self.metrics[part] for part in parts)
        place = "" if rank is None else f"-rank-{rank}"
        return f"{dataset}-{kernel_set}{place}{width_suffix(self.width)}-seed-{seed}"


def choose(
    metrics: list[Path], selection_path: Path | None, dataset: str, budget_mb: float | None
) -> Chosen:
    """Return the model for a memory budget; of its seeds the best by validation accuracy.

    The selection names the model by the report's rule: the best mean validation accuracy within
    the budget. The test accuracy plays no part. Where no model is within the budget, it is the
    smallest one, so that the rest of a study can be shown; a warning says so.

    Args:
        metrics: `metrics.json` of the models to choose from, beside their weights.
        selection_path: `selection.csv`; None where there is one model only.
        dataset: name of the data set.
        budget_mb: which budget; None for the largest that a model meets.

    Raises:
        ExportError: the selection lacks the budget, or the chosen model is not among `metrics`.

    """
    read = {path: artifacts.read_object(path, "val_accuracy_percent", "seed") for path in metrics}
    if selection_path is None:
        if len(read) != 1:
            raise ExportError(f"{len(read)} models are given: name one, or give a selection")
        path, found = next(iter(read.items()))
        return Chosen(path, _identified(found), budget=None)
    row = _selected(selection_path, dataset, budget_mb)
    ours = {path: record for path, record in read.items() if record.get("dataset") == dataset}
    if row["fits"]:
        width = 1.0 if math.isnan(row["width"]) else row["width"]
        wanted = row["kernel_set"], int(row["rank"]), width
    else:
        # Smaller than any other at every precision; of equals the best by validation.
        order = ("params", "kernel_set", "rank")
        least = min(ours.values(), key=lambda record: [record[key] for key in order], default={})
        wanted = _model_of(least)
    seeds = {path: record for path, record in ours.items() if _model_of(record) == wanted}
    if not seeds:
        raise ExportError(
            f"{selection_path} names {model_name(*wanted[1:])} of {wanted[0]} on {dataset}, but "
            "its metrics.json was not given"
        )
    return best_seed(seeds, {key: row[key] for key in ("budget_mb", "precision", "fits")})


def best_seed(seeds: Mapping[Path, dict[str, Any]], budget: dict[str, Any] | None = None) -> Chosen:
    """Return the best of the seeds of one model by validation accuracy.

    Args:
        seeds: what `metrics.json` of each holds, by its path.
        budget: that the model was chosen for.

    """
    best = min(seeds, key=lambda path: (-seeds[path]["val_accuracy_percent"], seeds[path]["seed"]))
    return Chosen(best, seeds[best], budget)


def _identified(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the metrics of a net; a released one, which has no rank, is named by its kernels."""
    if "version" in metrics and isinstance(sizes := metrics.get("kernel_sizes"), list):
        metrics = {"kernel_set": kernel_set_name(tuple(sizes)), "rank": None, **metrics}
    return metrics


def _model_of(metrics: Mapping[str, Any]) -> tuple[Any, Any, float]:
    return metrics.get("kernel_set"), metrics.get("rank"), width_of(metrics)


def _selected(path: Path, dataset: str, budget_mb: float | None) -> dict[str, Any]:
    table = read_csv(
        path,
        text=("dataset", "precision", "kernel_set"),
        numbers=("budget_mb", "smallest_memory_mb"),
        optional_numbers=("rank", "width"),
        booleans=("fits",),
        may_lack=("width",),
    )
    rows = [row for row in records(table) if row["dataset"] == dataset]
    if budget_mb is not None:
        rows = [row for row in rows if row["budget_mb"] == budget_mb]
    if not rows:
        raise ExportError(f"{path} has no row for {dataset} and that memory budget")
    chosen = max(rows, key=lambda row: (row["fits"], row["budget_mb"]))
    if not chosen["fits"]:
        LOG.warning(
            "no model of %s fits %g MB: the smallest, which needs %g MB, is exported",
            dataset,
            chosen["budget_mb"],
            chosen["smallest_memory_mb"],
        )
    return chosen
