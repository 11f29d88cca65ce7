"""Accuracy of released weights on a split of a prepared data set."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from spikernel import artifacts, provenance
from spikernel.data.manifest import SplitName
from spikernel.data.splits import load_split
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import binary_accuracy_percent, to_device
from spikernel.inference.released import load_model
from spikernel.space.counts import parameter_count
from spikernel.study.fit import check_fit, check_split
from spikernel.study.inputs import Machine

_OF_SPLIT = {
    True: "",
    False: "; split otherwise: the net may have seen some of them",
    None: "; the weights do not say how their training's data were split: the net may have seen "
    "some of them",
}
"""What is said of `Evaluation.same_split`."""


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
    same_split: bool | None
    """Whether the data set is split as it was for the training; None: the weights do not say."""
    device: str
    version: int | None = None
    """Of a released net; None for weights that are no release."""

    def __str__(self) -> str:
        """Return the result in one line."""
        release = "" if self.version is None else f"version {self.version}, "
        return (
            f"{self.accuracy_percent:.2f} % of {self.images} {self.split} images of {self.dataset} "
            f"({release}{self.archid}, {self.params} parameters, {self.binary_steps} binary steps, "
            f"{self.device})"
            f"{_OF_SPLIT[self.same_split]}"
        )


@dataclass(frozen=True)
class Inputs:
    """Files read."""

    model: Annotated[Path, "model.safetensors of train_final, or a folder of models/"]
    manifest: Annotated[Path, "manifest.json of prepare_data"]

    @property
    def weights(self) -> Path:
        """The file of the weights."""
        return self.model / "model.safetensors" if self.model.is_dir() else self.model


@dataclass(frozen=True)
class Settings:
    """On which images, and where the result goes."""

    split: Annotated[SplitName, "which images"] = "test"
    output: Annotated[Path | None, "evaluation.json to write"] = None
    other_split: Annotated[
        bool, "evaluate on data that are split otherwise than the training's, and say so"
    ] = False


def run(inputs: Inputs, settings: Settings, machine: Machine) -> None:
    """Print the accuracy of weights in percent, and write it where asked to.

    Raises:
        DataError: a file is missing or damaged, was altered since its release, or the data set
            is not one that the net was made for.

    """
    evaluation = evaluate(
        inputs.weights, inputs.manifest, settings.split, machine, settings.other_split
    )
    if settings.output is not None:
        artifacts.write_json(settings.output, asdict(evaluation))
    print(evaluation)


def evaluate(
    model_path: Path,
    manifest_path: Path,
    split: SplitName,
    machine: Machine,
    other_split: bool = False,
) -> Evaluation:
    """Return the accuracy of weights on a split; see `run`."""
    net, preprocessing = load_model(model_path, machine.torch_device)
    digest = artifacts.file_hash(model_path)
    metrics_path = model_path.with_name("metrics.json")
    provenance.check([model_path, metrics_path, manifest_path])
    data = load_split(manifest_path, split)
    check_fit(net.architecture, preprocessing, data.manifest, manifest_path)
    if not other_split:
        check_split(preprocessing, data.manifest, manifest_path)
    same_split = preprocessing.is_of_split(data.manifest)
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
        same_split=None if preprocessing.train_sha256 is None else same_split,
        device=str(machine),
        version=_version(metrics_path),
    )


def _version(metrics_path: Path) -> int | None:
    """Return what the record beside weights says, which only a release has."""
    if not metrics_path.is_file():
        return None
    version: int | None = artifacts.read_object(metrics_path).get("version")
    return version
