"""Accuracy of released weights on a split of a prepared data set."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from spikernel import artifacts
from spikernel.data.manifest import SplitName
from spikernel.data.splits import load_split
from spikernel.errors import DataError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import binary_accuracy_percent, to_device
from spikernel.inference.released import load_model
from spikernel.provenance import recorded_outputs
from spikernel.space.counts import parameter_count
from spikernel.study.inputs import Machine
from spikernel.study.shapes import check_fit


@dataclass(frozen=True)
class Evaluation:
    """What was evaluated, on what, and the result."""

    model: str
    sha256: str
    archid: str
    params: int
    dataset: str
    split: str
    images: int
    accuracy_percent: float
    """Of binary spikes, see `spikernel.inference.predict`."""
    binary_steps: int
    device: str

    def __str__(self) -> str:
        """Return the result in one line."""
        return (
            f"{self.accuracy_percent:.2f} % of {self.images} {self.split} images of {self.dataset} "
            f"({self.archid}, {self.params} parameters, {self.binary_steps} binary steps, "
            f"{self.device})"
        )


@dataclass(frozen=True)
class Inputs:
    """Files read."""

    model: Annotated[Path, "model.safetensors of train_final"]
    manifest: Annotated[Path, "manifest.json of prepare_data"]


@dataclass(frozen=True)
class Settings:
    """On which images, and where the result goes."""

    split: Annotated[SplitName, "which images"] = "test"
    output: Annotated[Path | None, "evaluation.json to write"] = None


def run(inputs: Inputs, settings: Settings, machine: Machine) -> None:
    """Print the accuracy of weights in percent, and write it where asked to.

    Raises:
        DataError: a file is missing or damaged, was altered since its release, or the data set
            is not one that the net was made for.

    """
    evaluation = evaluate(inputs.model, inputs.manifest, settings.split, machine)
    if settings.output is not None:
        artifacts.write_json(settings.output, asdict(evaluation))
    print(evaluation)


def evaluate(
    model_path: Path, manifest_path: Path, split: SplitName, machine: Machine
) -> Evaluation:
    """Return the accuracy of weights on a split; see `run`."""
    net, preprocessing = load_model(model_path, machine.torch_device)
    digest = artifacts.file_hash(model_path)
    _check_release(model_path, digest)
    data = load_split(manifest_path, split)
    check_fit(net.architecture, preprocessing.classes, data.manifest, manifest_path)
    normalise = Normaliser(preprocessing.mean, preprocessing.sd, machine.torch_device)
    images, labels = to_device(data, machine.torch_device)
    return Evaluation(
        model=model_path.name,
        sha256=digest,
        archid=net.architecture.cell.archid,
        params=parameter_count(net.architecture).total,
        dataset=data.manifest.dataset,
        split=split,
        images=len(labels),
        accuracy_percent=binary_accuracy_percent(net, images, labels, normalise),
        binary_steps=net.binary_steps,
        device=str(machine),
    )


def _check_release(model_path: Path, digest: str) -> None:
    record = model_path.with_name("provenance.json")
    if not record.exists():
        return
    released = recorded_outputs(record).get(model_path.name)
    if released is not None and released != digest:
        raise DataError(
            f"{model_path} was altered since its release: its SHA-256 is {digest}, {record} says "
            f"{released}"
        )
