"""Between steps 4 and 5: what a device gets from a trained model. Nothing is trained here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from spikernel import artifacts, code, provenance
from spikernel.config import width_of
from spikernel.data.splits import load_split
from spikernel.export.deployed import deployed
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import binary_logits, to_device
from spikernel.inference.released import load_model
from spikernel.study.fit import check_fit, check_metrics, check_split
from spikernel.study.inputs import Machine

_IDENTITY = ("dataset", "kernel_set", "rank", "seed", "archid")
PICTURES = 24
"""Test images that are stored to be looked at: those that the net gets wrong most clearly."""


@dataclass(frozen=True)
class Inputs:
    """Files read."""

    manifest: Annotated[Path, "manifest.json of prepare_data"]
    metrics: Annotated[Path, "metrics.json of train_final"]
    model: Annotated[Path, "model.safetensors of the same training"]


@dataclass(frozen=True)
class Outputs:
    """The files written, in one folder."""

    deployment: Annotated[Path, "deployment.json to write"]
    predictions: Annotated[Path, "predictions.npz to write: class of every test image"]

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Name the files in a folder."""
        return cls(folder / "deployment.json", folder / "predictions.npz")

    @property
    def provenance(self) -> Path:
        """The record beside it."""
        return self.deployment.with_name(provenance.RECORD)


def run(inputs: Inputs, outputs: Outputs, machine: Machine) -> None:
    """Measure exact memory and the accuracy with int8 weights; write them, and the predictions.

    Raises:
        DataError: the weights are damaged, made for other images or classes, or not those that
            the metrics are of.

    """
    watch = provenance.Stopwatch()
    provenance.check(provenance.paths_of(inputs))
    record = artifacts.read_object(inputs.metrics, *_IDENTITY, "test_accuracy_percent")
    validation, test = (load_split(inputs.manifest, name) for name in ("validation", "test"))
    manifest, device = test.manifest, machine.torch_device
    net, preprocessing = load_model(inputs.model, device)
    check_fit(net.architecture, preprocessing, manifest, inputs.manifest)
    check_split(preprocessing, manifest, inputs.manifest)
    images, labels = to_device(test, device)
    logits = binary_logits(net, images, Normaliser(preprocessing.mean, preprocessing.sd, device))
    reached = 100 * float((logits.argmax(1) == labels).double().mean())
    check_metrics(net.architecture, reached, len(labels), record, inputs.metrics)
    found, int8 = deployed(net, manifest, to_device(validation, device), (images, labels))
    described = {
        **{key: record[key] for key in _IDENTITY},
        "width": width_of(record),
        "classes": list(manifest.classes),
        "val_images": len(validation.labels),
        "test_images": len(test.labels),
    }
    artifacts.write_json(outputs.deployment, {**described, **found})
    write_predictions(outputs.predictions, images, labels, logits, int8)
    provenance.write(
        outputs.provenance,
        step="deployment",
        settings={"threads": machine.threads},
        parts=net.architecture.network.parts(),
        inputs=provenance.paths_of(inputs),
        outputs=provenance.paths_of(outputs),
        seconds=watch.seconds(),
        device=str(machine),
    )


def is_done(outputs: Outputs, model: Path) -> bool:
    """Whether the files are there and were made from these weights by this code."""
    if not all(path.exists() for path in (*provenance.paths_of(outputs), outputs.provenance)):
        return False
    made = provenance.read(outputs.provenance, "inputs")
    # The parts are those of the net, which the weights below decide.
    same_code = made.get("code_digest") == code.digest("deployment", made.get("parts", ()))
    return same_code and artifacts.file_hash(model) in made["inputs"].values()


def write_predictions(
    path: Path, images: Tensor, labels: Tensor, logits: Tensor, int8: Tensor | None
) -> None:
    """Write the classes of the test images, and the images that the net gets wrong most clearly.

    Arrays: `label`, `trained` and `int8`, [N] each, the last empty where there is no int8 model;
    `mistakes`, [K], places of the images of which the logit of the predicted class is farthest
    above that of the label; `pictures`, uint8 [K, C, H, W], those images.

    Args:
        path: NumPy archive to write.
        images: uint8 [N, C, H, W].
        labels: [N].
        logits: [N, classes], of the trained net.
        int8: classes that the int8 model predicts, [N].

    """
    trained = logits.argmax(1)
    margin = logits.max(1).values - logits.gather(1, labels[:, None])[:, 0]
    order = margin.argsort(descending=True, stable=True)
    mistakes = order[(trained != labels)[order]][:PICTURES]
    with artifacts.atomic(path) as temporary:
        np.savez_compressed(
            temporary,
            label=_classes(labels),
            trained=_classes(trained),
            int8=_classes(labels[:0] if int8 is None else int8),
            mistakes=mistakes.cpu().numpy(),
            pictures=images[mistakes].cpu().numpy(),
        )


def _classes(found: Tensor) -> NDArray[np.int16]:
    return found.cpu().numpy().astype(np.int16)
