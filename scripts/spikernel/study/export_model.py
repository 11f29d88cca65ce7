"""Step 6: the model chosen for a memory budget, as files for devices."""

import logging
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spikernel import artifacts, provenance
from spikernel.config import ExportConfig
from spikernel.data.splits import load_split
from spikernel.errors import ExportError
from spikernel.export import bundle
from spikernel.export.evaluate import accuracy_percent
from spikernel.export.lowering import lower
from spikernel.export.model_card import render
from spikernel.export.quantise import quantise
from spikernel.network import SpikingNet
from spikernel.study.chosen_model import choose
from spikernel.study.inputs import Machine
from spikernel.training import load_model, to_device

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

    """
    watch = provenance.Stopwatch()
    folder = report_path.parent
    split = load_split(manifest_path, "test")
    chosen = choose(metrics, selection_path, split.manifest.dataset, settings.memory_budget_mb)
    net, preprocessing = load_model(chosen.model_path, CPU)
    if tuple(preprocessing.classes) != split.manifest.classes:
        raise ExportError(f"{chosen.model_path} has other classes than {manifest_path}")
    fp32 = lower(net, preprocessing.mean, preprocessing.sd, preprocessing.classes)
    int8 = quantise(fp32)
    images, labels = to_device(split, CPU)
    accuracy = {
        "trained": chosen.metrics["test_accuracy_percent"],
        "fp32": accuracy_percent(fp32, images, labels),
        "int8": accuracy_percent(int8, images, labels),
    }
    some, true = images[: settings.images], labels[: settings.images]
    normalised = _normalise(some, preprocessing.mean, preprocessing.sd)
    trained = _logits(net, normalised)
    written = bundle.write_images(folder, some, true)
    quantised = bundle.logits(int8, some)
    report = {
        "model": chosen.name,
        **{key: chosen.metrics[key] for key in ("dataset", "kernel_set", "rank", "seed", "archid")},
        "chosen_for": chosen.budget,
        "weights": str(chosen.model_path),
        "params": chosen.metrics["params"],
        "exported_parameters": fp32.parameters,
        "time_steps": fp32.time_steps,
        "neurons": fp32.neurons,
        "test_images": len(labels),
        "test_accuracy_percent": accuracy,
        **{
            key: chosen.metrics.get(key)
            for key in ("firing_rate", "effective_acs", "effective_macs", "dense_synops")
        },
        "energy_pj": chosen.metrics.get("energy_pj"),
        "energy_pj_int8": chosen.metrics.get("energy_pj_int8"),
        "onnx": {
            "fp32": bundle.write_onnx(folder, fp32, some, trained, true),
            "int8": bundle.write_onnx(folder, int8, some, quantised, true),
        },
        "nir": bundle.write_nir(folder, fp32, preprocessing.sd, normalised, trained, true),
        "c": {
            weights: bundle.write_c(
                folder / f"c_{weights}",
                int8 if weights == "int8" else fp32,
                f"{chosen.name}, {weights} weights",
                some,
                true,
            )
            for weights in settings.c_weights
        },
    }
    card = folder / "MODEL_CARD.md"
    artifacts.write_text(card, render(report, chosen.metrics, preprocessing))
    artifacts.write_json(report_path, report)
    _log(report)
    written += [card, report_path, *(folder / name for name in bundle.ONNX_FILES.values())]
    provenance.write(
        folder / "provenance.json",
        step="export",
        settings=settings.model_dump(mode="json"),
        inputs=[manifest_path, chosen.metrics_path, chosen.model_path]
        + ([selection_path] if selection_path else []),
        outputs=written,
        seconds=watch.seconds(),
        device=str(machine),
    )


def _normalise(images: Tensor, mean: list[float], sd: list[float]) -> Tensor:
    """uint8 [N, C, H, W] to the net's input."""
    return (images.float() / 255 - torch.tensor(mean).view(1, -1, 1, 1)) / torch.tensor(sd).view(
        1, -1, 1, 1
    )


@torch.no_grad()
def _logits(net: SpikingNet, images: Tensor) -> Tensor:
    return torch.cat([net(batch).mean(0) for batch in images.split(256)])


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
