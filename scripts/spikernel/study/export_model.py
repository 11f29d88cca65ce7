"""Step 6: the model chosen for a memory budget, as files for devices."""

import logging
from pathlib import Path
from typing import Any

import torch

from spikernel import artifacts, provenance
from spikernel.config import ExportConfig
from spikernel.data.splits import load_split
from spikernel.errors import ExportError
from spikernel.export import bundle
from spikernel.export.lowering import lower
from spikernel.export.model_card import render
from spikernel.export.program import Program
from spikernel.export.program_accuracy import BATCH, accuracy_percent, logits
from spikernel.export.quantise import quantise
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import mean_logits, to_device
from spikernel.inference.released import load_model
from spikernel.study.chosen_model import Chosen, choose
from spikernel.study.inputs import Machine
from spikernel.study.shapes import check_fit

LOG = logging.getLogger(__name__)
CPU = torch.device("cpu")


def run(
    manifest_path: Path,
    metrics: list[Path],
    selection_path: Path | None,
    settings: ExportConfig,
    machine: Machine,
    report_path: Path,
) -> None:
    """Write every form of the chosen model into the folder of `report_path`.

    Raises:
        ExportError: no model can be chosen, it cannot be expressed, or a form of it is wrong.
        DataError: the weights are damaged, or made for other images or classes.

    """
    watch = provenance.Stopwatch()
    folder = report_path.parent
    split = load_split(manifest_path, "test")
    chosen = choose(metrics, selection_path, split.manifest.dataset, settings.memory_budget_mb)
    net, preprocessing = load_model(chosen.model_path, CPU)
    check_fit(net.architecture, preprocessing.classes, split.manifest, manifest_path)
    images, labels = to_device(split, CPU)
    fp32 = lower(net, preprocessing.mean, preprocessing.sd, preprocessing.classes)
    int8 = quantise(fp32)
    report = {
        **_description(chosen, fp32),
        "test_images": len(labels),
        "test_accuracy_percent": {
            "trained": chosen.metrics["test_accuracy_percent"],
            "fp32": accuracy_percent(fp32, images, labels),
            "int8": accuracy_percent(int8, images, labels),
        },
    }
    images, labels = images[: settings.images], labels[: settings.images]
    bundle.write_images(folder, images, labels)
    pixels = Normaliser(preprocessing.mean, preprocessing.sd, CPU)(images)
    trained, quantised = mean_logits(net, pixels.split(BATCH)), logits(int8, images)
    report["onnx"] = {
        "fp32": bundle.write_onnx(folder, fp32, images, trained, labels),
        "int8": bundle.write_onnx(folder, int8, images, quantised, labels),
    }
    report["nir"] = bundle.write_nir(folder, fp32, preprocessing.sd, pixels, trained, labels)
    report["c"] = {}
    for weights in settings.c_weights:
        title, program = f"{chosen.name}, {weights} weights", int8 if weights == "int8" else fp32
        made = bundle.write_c(folder / f"c_{weights}", program, title, images, labels)
        report["c"][weights] = made
    artifacts.write_text(folder / "MODEL_CARD.md", render(report, chosen.metrics, preprocessing))
    artifacts.write_json(report_path, report)
    _log(report)
    record = folder / "provenance.json"
    inputs = [manifest_path, chosen.metrics_path, chosen.model_path]
    provenance.write(
        record,
        step="export",
        settings=settings.model_dump(mode="json"),
        inputs=inputs if selection_path is None else [*inputs, selection_path],
        outputs=sorted(path for path in folder.iterdir() if path.is_file() and path != record),
        seconds=watch.seconds(),
        device=str(machine),
    )


def _description(chosen: Chosen, program: Program) -> dict[str, Any]:
    """Return what a model is, and what was measured when it was trained."""
    copied = (
        *("dataset", "kernel_set", "rank", "seed", "archid", "params"),
        *("firing_rate", "effective_acs", "effective_macs", "dense_synops"),
        *("energy_pj", "energy_pj_int8"),
    )
    missing = [name for name in copied if name not in chosen.metrics]
    if missing:
        raise ExportError(
            f"{chosen.metrics_path}: key '{missing[0]}' is missing: run train_final again"
        )
    return {
        "model": chosen.name,
        "chosen_for": chosen.budget,
        "weights": str(chosen.model_path),
        **{name: chosen.metrics[name] for name in copied},
        "exported_parameters": program.parameters,
        "time_steps": program.time_steps,
        "neurons": program.neurons,
        "neuron_rules": program.neuron_rules,
    }


def _log(report: dict[str, Any]) -> None:
    accuracy = report["test_accuracy_percent"]
    LOG.info(
        "%s: test accuracy %.2f %%, int8 %.2f %%",
        report["model"],
        accuracy["fp32"],
        accuracy["int8"],
    )
    for weights, made in report["c"].items():
        if not made["compiled"]:
            LOG.warning("no C compiler: the %s files were written, not compiled or run", weights)
            continue
        LOG.info(
            "C, %s: same class on %d of %d images; %s bytes of flash, %d of RAM",
            weights,
            made["same_class"],
            made["images"],
            made.get("flash_bytes", "unknown"),
            made["ram_bytes"],
        )
    if report["nir"]["refused"]:
        LOG.warning("no NIR: %s", report["nir"]["refused"])
