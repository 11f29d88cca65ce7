"""All forms of one trained net in a folder, each compared with the net on real images."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nir
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikernel import artifacts
from spikernel.errors import ExportError
from spikernel.export import compiler, device, on_device
from spikernel.export.c_source import PREFIX, c_files, renamed
from spikernel.export.memory_plan import plan
from spikernel.export.nir_model import DT, nir_graph, run_nir
from spikernel.export.onnx_model import onnx_model, run_onnx
from spikernel.export.program import Program
from spikernel.export.program_accuracy import (
    BATCH,
    ORDERED_OPERATIONS,
    dense_operations,
    logits,
    most_turned,
)
from spikernel.inference.released import Preprocessing

IMAGES, LABELS, EXPECTED = "images.u8", "labels.u16", "expected.u16"
CLASSES = "classes.txt"
ONNX_FILES = {"fp32": "model.onnx", "int8": "model_int8.onnx"}
NIR_FILE = "model.nir"
ZIP = "model.zip"
LEAST_AGREEMENT = 0.99
"""Share of the images on which a form must give the same class where rounding differs."""
EMULATED_SYNOPS = 2e7
"""A model runs on so many images on an emulated processor that it needs at most these synaptic
operations, and on one at least; that takes a second or two."""


def write_images(folder: Path, images: Tensor, labels: Tensor, classes: Sequence[str]) -> None:
    """Write images [N, C, H, W] (uint8) as C reads them, [N, H, W, C], labels [N], class names."""
    artifacts.write_text(folder / CLASSES, "".join(f"{name}\n" for name in classes))
    pixels = images.permute(0, 2, 3, 1).contiguous().numpy().tobytes()
    artifacts.write_bytes(folder / IMAGES, pixels)
    artifacts.write_bytes(folder / LABELS, _stored(labels.numpy()))


def _stored(classes: NDArray[np.int64]) -> bytes:
    """Return classes [N] as C reads them, low byte first."""
    return classes.astype("<u2").tobytes()


def write_onnx(
    folder: Path, program: Program, images: Tensor, reference: Tensor, labels: Tensor
) -> dict[str, Any]:
    """Write a program as ONNX, run it over all time steps, and return how it agrees."""
    path = folder / ONNX_FILES[program.precision]
    data = onnx_model(program).SerializeToString()
    artifacts.write_bytes(path, data)
    parts = [run_onnx(data, program, batch.numpy()) for batch in images.split(BATCH)]
    found = np.concatenate(parts)
    return {"file": path.name, "bytes": len(data), **compare("ONNX", found, reference, labels)}


def write_nir(
    folder: Path,
    program: Program,
    preprocessing: Preprocessing,
    images: Tensor,
    reference: Tensor,
    labels: Tensor,
) -> dict[str, Any]:
    """Write a program as NIR, read and run it, and return how it agrees, or why it cannot be.

    Args:
        folder: where the file goes.
        program: in fp32.
        preprocessing: of the images.
        images: normalised, float [N, C, H, W].
        reference: mean logits of the trained net, [N, classes].
        labels: [N].

    """
    path = folder / NIR_FILE
    path.unlink(missing_ok=True)
    try:
        graph = nir_graph(program, preprocessing.sd)
    except ExportError as error:
        return {"file": None, "refused": str(error)}
    graph.metadata = {  # without which the graph gives other results
        **{"time_steps": program.time_steps, "dt": DT, "weights_sha256": program.weights_sha256},
        **{"mean": list(preprocessing.mean), "sd": list(preprocessing.sd)},
        "classes": "\n".join(preprocessing.classes),
    }
    # By way of memory: on a full disk HDF5 prints an error of its own.
    nir.write(buffer := io.BytesIO(), graph)
    artifacts.write_bytes(path, data := buffer.getvalue())
    parts = [run_nir(path, program.time_steps, batch) for batch in images.split(BATCH)]
    found = torch.cat(parts).numpy()
    checked = compare("NIR", found, reference, labels)
    return {"file": path.name, "refused": None, "bytes": len(data), **checked}


def write_c(
    folder: Path,
    program: Program,
    title: str,
    images: Tensor,
    labels: Tensor,
    prefix: str = PREFIX,
) -> dict[str, Any]:
    """Write a program as C, compile and run it, and return sizes and agreement.

    Without a C compiler the files are written all the same, and `compiled` is false. The classes
    that `make run` expects are those of the C code, or without a compiler those of the program:
    they may differ where floats are added in another order. For every processor whose
    cross-compiler is there, `devices` holds what the model takes on it.

    Raises:
        ExportError: the compiled model gives other classes than the program, here or on a device.

    """
    memory = plan(program)
    ordered = dense_operations(program) * len(images) <= ORDERED_OPERATIONS
    reference = logits(program, images, ordered=ordered)
    files = renamed({**c_files(program, title), **device.files()}, prefix)
    for name, text in files.items():
        artifacts.write_text(folder / name, text)
    result: dict[str, Any] = {
        "folder": folder.name,
        "prefix": prefix,
        "files": sorted((*files, EXPECTED)),
        "parameter_bytes": program.parameter_bytes,
        "ram_bytes": memory.ram_bytes,
        "state_bytes": memory.state_bytes,
        "activation_bytes": memory.activation_bytes,
        "image_bytes": program.image.size,
        "compiled": False,
        "compiler": None,
        "devices": {},
    }
    found = compiler.find_compiler()
    if found is None:
        artifacts.write_bytes(folder / EXPECTED, _stored(reference.argmax(1).numpy()))
        return result
    result |= {"compiled": True, "compiler": compiler.describe(found)}
    with compiler.workspace() as temporary:
        place = temporary / folder.name
        compiler.write_sources(place, files)
        (place.parent / IMAGES).write_bytes((folder.parent / IMAGES).read_bytes())
        answers = compiler.classify(compiler.build(place, found), place.parent / IMAGES)
        sizes = compiler.sizes(place, found)
        (place / EXPECTED).write_bytes(_stored(answers.classes))
        count = max(1, min(len(images), int(EMULATED_SYNOPS / max(1, answers.synops_per_image))))
        result["devices"] = {
            target.name: on_device.measured(place, target, reference[:count])
            for target in device.TARGETS
            if target.compiles
        }
    result["synops_per_image"] = answers.synops_per_image
    if sizes is not None:
        result |= {
            "flash_bytes": sizes.flash_bytes,
            "code_bytes": sizes.flash_bytes - program.parameter_bytes,
            "static_ram_bytes": sizes.ram_bytes,
        }
    exact = ordered or program.whole
    agreement = compare("C", answers.logits, reference, labels, every_image=exact)
    artifacts.write_bytes(folder / EXPECTED, _stored(answers.classes))
    same_bits = bool(np.array_equal(answers.logits, reference.numpy()))
    return {**result, **agreement, "equal_to_the_bit": same_bits}


def files_of(report: Mapping[str, Any]) -> list[str]:
    """Return the files of an export but for archive and record, from its folder on, ascending.

    Args:
        report: what its `export.json` holds.

    """
    files = ["MODEL_CARD.md", "export.json", CLASSES, IMAGES, LABELS]
    files += [form["file"] for form in (*report["onnx"].values(), report["nir"]) if form["file"]]
    files += [f"{form['folder']}/{file}" for form in report["c"].values() for file in form["files"]]
    return sorted(files)


def write_zip(folder: Path, report: Mapping[str, Any], name: str) -> None:
    """Pack every form of a model, the card, and the images: all that compiles and can be checked.

    The same files give the same bytes.

    Args:
        folder: of the export.
        report: what its `export.json` holds.
        name: of the one folder in the archive.

    """
    with (
        artifacts.atomic(folder / ZIP) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for file in files_of(report):
            entry = zipfile.ZipInfo(f"{name}/{file}")  # without the time of the file
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, (folder / file).read_bytes())


def compare(
    form: str,
    found: NDArray[np.float32],
    reference: Tensor,
    labels: Tensor,
    *,
    every_image: bool = False,
) -> dict[str, Any]:
    """Return accuracy and agreement of mean logits, [N, classes], with those of a reference.

    Args:
        form: what is compared, for the error.
        found: its logits.
        reference: the logits they should be.
        labels: true classes, [N].
        every_image: whether each class must be the same; otherwise rounding may turn a few.

    Raises:
        ExportError: too many classes differ, so the export is wrong.

    """
    classes = torch.from_numpy(found).argmax(1)
    same = int((classes == reference.argmax(1)).sum())
    turned = 0 if every_image else most_turned(len(labels), LEAST_AGREEMENT)
    if len(labels) - same > turned:
        raise ExportError(
            f"the {form} model gives another class than the Python model on "
            f"{len(labels) - same} of {len(labels)} images: do not use it, and report this"
        )
    return {
        "images": len(labels),
        "same_class": same,
        "largest_logit_difference": float(np.abs(found - reference.numpy()).max()),
        "accuracy_percent": 100 * float((classes == labels).double().mean()),
    }
