"""The models of a finished run, and the one that fits a device. No torch."""

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from spikernel import artifacts, tables
from spikernel.config import width_of
from spikernel.errors import ExportError
from spikernel.report.tables.selection import preference
from spikernel.study.chosen_model import Chosen, best_seed

LOG = logging.getLogger(__name__)
LIMITED = {"int8_bytes": "int8 constants", "ram_bytes": "static RAM"}
"""What a device has limits for, by its name in `deployment.json`."""

_READ = ("val_accuracy_percent", "archid", "dataset", "kernel_set", "rank", "seed")

Key = tuple[str, str, int, float, int]
"""Data set, kernel set, rank, width and seed."""


@dataclass(frozen=True)
class TrainedModel:
    """One model with all its seeds."""

    seeds: dict[Path, dict[str, Any]]
    """What `metrics.json` of each seed holds, by its path."""

    @cached_property
    def deployments(self) -> list[dict[str, Any]]:
        """What `deployment.json` of each seed holds."""
        keys = ("int8_bytes", "ram_bytes", "int8_val_accuracy_percent")
        return [artifacts.read_object(path, *keys) for path in self.deployment_paths]

    @property
    def deployment_paths(self) -> list[Path]:
        """Where they lie."""
        return [deployment_path(path) for path in self.seeds]

    def largest_kb(self, name: str) -> float:
        """Return a number of bytes of the deployment in kB, the largest of all seeds."""
        return max(record[name] for record in self.deployments) / 1000

    @property
    def deployable(self) -> bool:
        """Whether every seed can be exported."""
        return all(record["int8_bytes"] is not None for record in self.deployments)

    @property
    def int8_accuracy_percent(self) -> float:
        """Validation accuracy with int8 weights, mean over the seeds."""
        return fmean(record["int8_val_accuracy_percent"] for record in self.deployments)

    def preference(self, limited: str) -> tuple[Any, ...]:
        """Return what models are sorted by, as in the report, by what a device has a limit for."""
        metrics = next(iter(self.seeds.values()))
        archid, kernel_set, rank = (metrics[name] for name in ("archid", "kernel_set", "rank"))
        size = self.largest_kb(limited)
        accuracy = self.int8_accuracy_percent
        return preference(accuracy, size, archid, kernel_set, rank, width_of(metrics))

    def best(self, budget: dict[str, Any] | None = None) -> Chosen:
        """Return the best seed by validation accuracy."""
        return best_seed(self.seeds, budget)


def deployment_path(metrics: Path) -> Path:
    """Return where the deployment of a training in a finished run lies."""
    place = metrics.parent.relative_to(metrics.parents[3])
    return metrics.parents[4] / "deployment" / place / "deployment.json"


def models_of(run: Path) -> list[TrainedModel]:
    """Return every trained model of a data set, sorted by kernel set and rank.

    Where the experiment has a report, models and seeds that it does not list are left out, with a
    warning: they remain of an earlier configuration.

    Args:
        run: folder of the data set in the results of an experiment.

    Raises:
        ExportError: there is none.

    """
    report = run.parent / "tradeoff_report" / "models.csv"
    listed = _listed(report) if report.exists() else None
    found: dict[Path, dict[Path, dict[str, Any]]] = defaultdict(dict)
    for path in sorted(run.glob("train_final/*/rank-*/seed-*/metrics.json")):
        metrics = artifacts.read_object(path, *_READ)
        if listed is None or _key(metrics) in listed:
            found[path.parents[1]][path] = metrics
        else:
            LOG.warning("%s is left out: it is not among the models of %s", path, report)
    if not found:
        raise ExportError(
            f"{run} holds no trained model (train_final/*/rank-*/seed-*/metrics.json): name the "
            "folder of a data set in the results of a finished run"
        )
    return [TrainedModel(seeds) for seeds in found.values()]


def _listed(report: Path) -> set[Key]:
    """Return the models and seeds that a report lists; older ones have no widths."""
    table = tables.read_csv(
        report,
        text=("dataset", "kernel_set"),
        numbers=("rank", "seed"),
        optional_numbers=("width",),
        may_lack=("width",),
    ).fillna({"width": 1})
    return {_key(row) for row in tables.records(table)}


def _key(named: Mapping[str, Any]) -> Key:
    """Return what tells a trained net from the others of an experiment."""
    return (
        named["dataset"], named["kernel_set"], int(named["rank"]), width_of(named),
        int(named["seed"]),
    )  # fmt: skip


def choose_within(
    models: list[TrainedModel], budget_kb: float | None, ram_kb: float | None
) -> TrainedModel:
    """Return the model with the best int8 validation accuracy that fits a device.

    Of equals it is the one that the report names; see `selection.preference`.

    Args:
        models: to choose from.
        budget_kb: for the constants of the int8 model, in kB (1000 bytes); None: no limit.
        ram_kb: for its static RAM; None: no limit.

    Raises:
        ExportError: none fits; the message says what the smallest ones need.

    """
    deployable = [model for model in models if model.deployable]
    if not deployable:
        raise ExportError("none of the models can be exported: deployment.json of each says why")
    limits = {"int8_bytes": budget_kb, "ram_bytes": ram_kb}
    wanted = {name: limit for name, limit in limits.items() if limit is not None}
    fitting = [
        model
        for model in deployable
        if all(model.largest_kb(name) <= limit for name, limit in wanted.items())
    ]
    if not fitting:
        asked = " and ".join(f"{limit:g} kB of {LIMITED[name]}" for name, limit in wanted.items())
        least = " and ".join(
            f"{min(model.largest_kb(name) for model in deployable):g} kB of {LIMITED[name]}"
            for name in wanted
        )
        raise ExportError(f"no model fits {asked}: the least that any needs is {least}")
    limited = next(iter(wanted), "int8_bytes")
    return min(fitting, key=lambda model: model.preference(limited))
