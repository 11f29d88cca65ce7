"""Models of a finished run as files for devices: the one that fits, or every one."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from spikernel import artifacts, provenance
from spikernel.config import ExportConfig, width_suffix
from spikernel.errors import ExportError
from spikernel.export.bundle import ZIP
from spikernel.study import export
from spikernel.study.agreement import check_weights
from spikernel.study.chosen_model import Chosen
from spikernel.study.finished_run import choose_within, deployment_path, models_of

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """Which models are exported, and how."""

    run: Annotated[Path, "folder of a data set in the results of a finished run"]
    budget_kb: Annotated[
        float | None, "only the best model whose int8 constants fit so many kB of flash"
    ] = None
    ram_kb: Annotated[float | None, "only the best model that needs at most so many kB of RAM"] = (
        None
    )
    export: Annotated[ExportConfig, "settings of the step"] = ExportConfig()
    threads: Annotated[int, "CPU threads"] = 1


def run(settings: Settings) -> None:
    """Export models, each by its best seed, to `export-<kernel set>-rank-<rank>` in the run.

    The name of a model that is not of the base width ends with `_width-<width>`.

    A model that cannot be exported does not stop the others.

    Raises:
        ExportError: no model fits the limits, or some could not be exported.
        DataError: a file was altered, or weights are not those that were deployed.

    """
    faults = []
    manifest = settings.run / "prepare_data" / "manifest.json"
    provenance.check([manifest])
    chosen = _chosen(settings)
    for model, _ in chosen:
        check_weights(model.model_path, deployment_path(model.metrics_path))
    for model, named_by in chosen:
        kernel_set, rank = (model.metrics[key] for key in ("kernel_set", "rank"))
        suffix = width_suffix(model.width)
        report = settings.run / f"export-{kernel_set}-rank-{rank}{suffix}" / "export.json"
        wanted = export.Settings(settings.export, settings.threads)
        try:
            export.export_model(model, manifest, report, wanted, named_by)
        except ExportError as error:
            LOG.warning("%s: %s", model.name, error)
            faults.append(f"{model.name}: {error}")
            continue
        for line in above_limits(artifacts.read_object(report, "c"), settings):
            LOG.warning("%s: %s", model.name, line)
        LOG.info("-> %s", report.with_name(ZIP))
    if faults:
        raise ExportError(
            f"{len(faults)} of {len(chosen)} models could not be exported; the first: {faults[0]}"
        )


def above_limits(report: Mapping[str, Any], settings: Settings) -> list[str]:
    """Say where the int8 model takes more than was asked for, which is measured once it is built.

    Args:
        report: what `export.json` holds.
        settings: the limits, which the choice set against constants and static memory.

    Returns:
        A line each for flash and for RAM, with every processor on which that was measured.

    """
    made = report["c"].get("int8", {})
    built = {"this machine": made, **made.get("devices", {})}
    lines = []
    for limit_kb, key, what in (
        (settings.budget_kb, "flash_bytes", "flash, its code included"),
        (settings.ram_kb, "ram_bytes", "RAM"),
    ):
        if limit_kb is None:
            continue
        above = []
        for name, found in built.items():
            static = "" if key == "flash_bytes" or "stack_bytes" in found else " without the stack"
            size = found.get(key, found.get("static_ram_bytes", 0) if static else 0)
            if size > 1000 * limit_kb:
                above.append(f"{size / 1000:.1f} kB{static} on {name}")
        if above:
            lines.append(f"more than {limit_kb:g} kB of {what}: {', '.join(above)}")
    return lines


def _chosen(settings: Settings) -> list[tuple[Chosen, list[Path]]]:
    """Return the models to export, and the files by which each was chosen."""
    models, budget_kb, ram_kb = models_of(settings.run), settings.budget_kb, settings.ram_kb
    # Of every seed: which is best depends on all of them.
    provenance.check((path for model in models for path in model.seeds), of_jobs=True)
    if budget_kb is None and ram_kb is None:
        return [(model.best(), []) for model in models]
    provenance.check((path for model in models for path in model.deployment_paths), of_jobs=True)
    fitting = choose_within(models, budget_kb, ram_kb)
    budget_mb = None if budget_kb is None else budget_kb / 1000
    budget = {"budget_mb": budget_mb, "precision": "int8", "ram_kb": ram_kb, "fits": True}
    return [(fitting.best(budget), fitting.deployment_paths)]
