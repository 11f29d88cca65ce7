"""Between steps 4 and 5: what a device gets from a trained model. Nothing is trained here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from spikernel import artifacts, code, provenance
from spikernel.data.splits import load_split
from spikernel.export.deployed import deployed
from spikernel.inference.predict import to_device
from spikernel.inference.released import load_model
from spikernel.study.fit import check_fit, check_split
from spikernel.study.inputs import Machine

_IDENTITY = ("dataset", "kernel_set", "rank", "seed", "archid")


@dataclass(frozen=True)
class Inputs:
    """Files read."""

    manifest: Annotated[Path, "manifest.json of prepare_data"]
    metrics: Annotated[Path, "metrics.json of train_final"]
    model: Annotated[Path, "model.safetensors of the same training"]


@dataclass(frozen=True)
class Outputs:
    """The file written."""

    deployment: Annotated[Path, "deployment.json to write"]

    @property
    def provenance(self) -> Path:
        """The record beside it."""
        return self.deployment.with_name("provenance.json")


def run(inputs: Inputs, outputs: Outputs, machine: Machine) -> None:
    """Measure exact memory and the accuracy with int8 weights; write them with the model's name.

    Raises:
        DataError: the weights are damaged, or made for other images or classes.

    """
    watch = provenance.Stopwatch()
    provenance.check(provenance.paths_of(inputs))
    record = artifacts.read_object(inputs.metrics, *_IDENTITY)
    validation, test = (load_split(inputs.manifest, name) for name in ("validation", "test"))
    manifest, device = test.manifest, machine.torch_device
    net, preprocessing = load_model(inputs.model, device)
    check_fit(net.architecture, preprocessing, manifest, inputs.manifest)
    check_split(preprocessing, manifest, inputs.manifest)
    found = deployed(net, manifest, to_device(validation, device), to_device(test, device))
    named = {key: record[key] for key in _IDENTITY}
    artifacts.write_json(outputs.deployment, {**named, **found})
    provenance.write(
        outputs.provenance,
        step="deployment",
        settings={"threads": machine.threads},
        inputs=provenance.paths_of(inputs),
        outputs=provenance.paths_of(outputs),
        seconds=watch.seconds(),
        device=str(machine),
    )


def is_done(outputs: Outputs, model: Path) -> bool:
    """Whether the files are there and were made from these weights by this code."""
    if not (outputs.deployment.exists() and outputs.provenance.exists()):
        return False
    made = artifacts.read_object(outputs.provenance, "inputs")
    same_code = made.get("code_digest") == code.digest("deployment")
    return same_code and artifacts.file_hash(model) in made["inputs"].values()
