"""Step 6: the model chosen for a memory budget, as files for devices."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import torch

from spikernel import __version__, artifacts, provenance
from spikernel.config import ExportConfig
from spikernel.data import manifest as manifests
from spikernel.data.splits import load_split, places_of
from spikernel.errors import ExportError
from spikernel.export import bundle
from spikernel.export.c_source import FILES as C_FILES
from spikernel.export.device import files as device_files
from spikernel.export.lowering import lower
from spikernel.export.model_card import render
from spikernel.export.program import Program
from spikernel.export.program_accuracy import BATCH, accuracy_percent, logits
from spikernel.export.quantise import quantise
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import mean_logits, to_device
from spikernel.inference.released import load_model
from spikernel.network.activity import measure_activity
from spikernel.study.chosen_model import IDENTITY, Chosen, choose
from spikernel.study.fit import check_fit, check_metrics, check_split
from spikernel.study.inputs import Machine

LOG = logging.getLogger(__name__)
CPU = torch.device("cpu")
STEP = "export"


@dataclass(frozen=True)
class Inputs:
    """Files read."""

    manifest: Annotated[Path, "manifest.json of prepare_data"]
    metrics: Annotated[
        list[Path], "metrics.json of trained or released models, each beside its weights"
    ]
    selection: Annotated[Path | None, "selection.csv, which chooses among several models"] = None


@dataclass(frozen=True)
class Outputs:
    """The file written last; all others go into its folder."""

    report: Annotated[Path, "export.json to write; all other files go into its folder"]


@dataclass(frozen=True)
class Settings:
    """What is exported."""

    export: Annotated[ExportConfig, "settings of the step"] = ExportConfig()
    threads: Annotated[int, "CPU threads"] = 1


def run(inputs: Inputs, outputs: Outputs, settings: Settings) -> None:
    """Choose a model, write every form of it, and compare each with the model on test images.

    Raises:
        ExportError: no model can be chosen, it cannot be expressed, or a form of it is wrong.
        DataError: the weights are damaged, or made for other images or classes.

    """
    provenance.check(provenance.paths_of(inputs), of_jobs=True)
    dataset = manifests.read(inputs.manifest).dataset
    budget_mb = settings.export.memory_budget_mb
    chosen = choose(inputs.metrics, inputs.selection, dataset, budget_mb)
    named_by = [] if inputs.selection is None else [inputs.selection]
    export_model(chosen, inputs.manifest, outputs.report, settings, named_by)


def export_model(
    chosen: Chosen,
    manifest: Path,
    report_path: Path,
    settings: Settings,
    named_by: Sequence[Path] = (),
) -> None:
    """Write every form of a model, and compare each with the model on test images.

    Args:
        chosen: the model.
        manifest: of its data set.
        report_path: export.json to write; all other files go into its folder.
        settings: what is exported.
        named_by: files that the model was chosen by.

    Raises:
        ExportError: the model cannot be expressed, a form of it is wrong, or the folder holds
            results of another step.
        DataError: the weights are damaged, made for other images or classes, or not those that
            the metrics are of.

    """
    machine, export = Machine("cpu", settings.threads), settings.export
    watch, folder = provenance.Stopwatch(), report_path.parent
    _check_folder(folder)
    provenance.check([chosen.model_path], of_jobs=True)
    split = load_split(manifest, "test")
    net, preprocessing = load_model(chosen.model_path, CPU)
    check_fit(net.architecture, preprocessing, split.manifest, manifest)
    check_split(preprocessing, split.manifest, manifest)
    images, labels = to_device(split, CPU)
    sha256 = artifacts.file_hash(chosen.model_path)
    lowered = lower(net, preprocessing.mean, preprocessing.sd, preprocessing.classes)
    fp32 = replace(lowered, weights_sha256=sha256)
    int8 = quantise(fp32)
    reached = accuracy_percent(fp32, images, labels)
    check_metrics(net.architecture, reached, len(labels), chosen.metrics, chosen.metrics_path)
    report = {
        **_description(chosen, fp32),
        "test_images": len(labels),
        "test_accuracy_percent": {
            "trained": chosen.trained_accuracy_percent,
            "fp32": reached,
            "int8": accuracy_percent(int8, images, labels),
        },
    }
    record_path = folder / provenance.RECORD
    # From here on files of an earlier export are replaced, which its report and record are not of.
    for path in (report_path, record_path):
        path.unlink(missing_ok=True)
    _remove_other_code(folder, export.c_weights)
    places = torch.from_numpy(places_of(labels.numpy(), export.images))
    images, labels = images[places], labels[places]
    bundle.write_images(folder, images, labels, preprocessing.classes)
    pixels = Normaliser(preprocessing.mean, preprocessing.sd, CPU)(images)
    activity = measure_activity(net, pixels.split(BATCH))
    report |= {**activity.costs, "energy_pj_int8": activity.energy_pj("int8")}
    trained, quantised = mean_logits(net, pixels.split(BATCH)), logits(int8, images)
    report["onnx"] = {
        "fp32": bundle.write_onnx(folder, fp32, images, trained, labels),
        "int8": bundle.write_onnx(folder, int8, images, quantised, labels),
    }
    report["nir"] = bundle.write_nir(folder, fp32, preprocessing, pixels, trained, labels)
    report["c"] = {}
    for weights in export.c_weights:
        title, program = f"{chosen.name}, {weights} weights", int8 if weights == "int8" else fp32
        place = folder / f"c_{weights}"
        made = bundle.write_c(place, program, title, images, labels, export.c_prefix)
        report["c"][weights] = made
    artifacts.write_text(folder / "MODEL_CARD.md", render(report, chosen.metrics, preprocessing))
    artifacts.write_json(report_path, report)
    bundle.write_zip(folder, report, chosen.short_name)
    _log(report)
    provenance.write(
        record_path,
        step=STEP,
        settings=export.model_dump(mode="json"),
        inputs=[manifest, chosen.metrics_path, chosen.model_path, *named_by],
        outputs=[folder / name for name in (*bundle.files_of(report), bundle.ZIP)],
        seconds=watch.seconds(),
        device=str(machine),
    )


def _check_folder(folder: Path) -> None:
    """Refuse a folder whose record is of something else, which would be replaced.

    Raises:
        ExportError: it is.

    """
    record = folder / provenance.RECORD
    step = provenance.read(record, "step")["step"] if record.exists() else STEP
    if step != STEP:
        raise ExportError(
            f"{folder} holds what {step} made, which stays as it is: name a folder of its own, for "
            f"instance {folder / 'export'}"
        )


def _remove_other_code(folder: Path, wanted: Sequence[str]) -> None:
    """Remove the C code of an earlier export in number formats that are not asked for now.

    It would be that of another model. Files that no export wrote stay.
    """
    for weights in {"int8", "float"} - set(wanted):
        place = folder / f"c_{weights}"
        for name in (*C_FILES, *device_files(), bundle.EXPECTED):
            (place / name).unlink(missing_ok=True)
        for empty in (place / "device", place):
            with suppress(OSError):  # it is not there, or holds other files
                empty.rmdir()


def _description(chosen: Chosen, program: Program) -> dict[str, Any]:
    """Return what a model is."""
    missing = [name for name in IDENTITY if name not in chosen.metrics]
    if missing:
        raise ExportError(
            f"{chosen.metrics_path}: key '{missing[0]}' is missing: run train_final again"
        )
    return {
        "model": chosen.name,
        "chosen_for": chosen.budget,
        "weights": str(chosen.model_path),
        "weights_sha256": program.weights_sha256,
        "spikernel": __version__,
        **{name: chosen.metrics[name] for name in IDENTITY},
        "width": chosen.width,
        "exported_parameters": program.parameters,
        "time_steps": program.time_steps,
        "neurons": program.neurons,
        "neuron_rules": program.neuron_rules,
        "image": list(program.image.shape),
        "classes": list(program.classes),
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
        for name, found in made["devices"].items():
            _log_device(f"C, {weights}, {name}", found)
    if report["nir"]["refused"]:
        LOG.warning("no NIR: %s", report["nir"]["refused"])


def _log_device(what: str, found: dict[str, Any]) -> None:
    if "refused" in found:
        LOG.warning("%s: %s", what, found["refused"])
    elif "emulator" not in found:
        LOG.info("%s: %d bytes of flash, not run", what, found["flash_bytes"])
    else:
        LOG.info(
            "%s: same class on %d of %d images; %d bytes of flash, %d of RAM; %d instructions",
            what,
            *(found[key] for key in ("same_class", "images", "flash_bytes", "ram_bytes")),
            found["instructions_per_image"],
        )
