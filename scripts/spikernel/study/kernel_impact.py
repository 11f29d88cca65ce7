"""Step 1: accuracy of one reference net whose convolutions all have one kernel size."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from spikernel import artifacts, provenance
from spikernel.config import Control, ImpactConfig, NetworkConfig, TrainingConfig
from spikernel.data.splits import load_split
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import to_device
from spikernel.space.counts import memory_mb, parameter_count
from spikernel.study import training_run
from spikernel.study.inputs import Machine, events_path, state_path
from spikernel.study.reference_net import reference_architecture
from spikernel.study.shapes import image_shape
from spikernel.training.loop import train


@dataclass(frozen=True)
class Inputs:
    """Files read."""

    manifest: Annotated[Path, "manifest.json of prepare_data"]


@dataclass(frozen=True)
class Outputs:
    """Files written, all in one folder."""

    metrics: Annotated[Path, "metrics.json to write"]
    history: Annotated[Path, "history.csv to write"]


@dataclass(frozen=True)
class Settings:
    """Which reference net, and how it is trained."""

    kernel_size: Annotated[int, "size of every convolution of the cell, odd"]
    control: Annotated[Control, "same width, or same parameters as 3x3"] = "plain"
    seed: Annotated[int, "seed of the weights and the batches"] = 0
    reference_cell: Annotated[
        list[str], "operations on the edges 01 02 03 12 13 23; conv has the size under test"
    ] = field(default_factory=lambda: list(ImpactConfig().reference_cell))
    network: Annotated[NetworkConfig, "macro-structure"] = NetworkConfig()
    training: Annotated[TrainingConfig, "how the net is trained"] = TrainingConfig()


def run(inputs: Inputs, outputs: Outputs, settings: Settings, machine: Machine) -> None:
    """Train one reference net and write its metrics and history.

    Accuracy is measured on the validation split; the test split is not touched.
    """
    watch = provenance.Stopwatch()
    provenance.check(provenance.paths_of(inputs))
    splits = load_split(inputs.manifest, "train"), load_split(inputs.manifest, "validation")
    manifest, training, seed = splits[0].manifest, settings.training, settings.seed
    architecture = reference_architecture(
        settings.reference_cell,
        settings.kernel_size,
        settings.control,
        settings.network,
        image_shape(manifest),
    )
    fingerprint = training_run.fingerprint(architecture, training, seed, machine, inputs.manifest)
    unfinished = state_path(outputs.metrics)
    net = training_run.make_net(architecture, seed, splits[0], machine)
    events = events_path(outputs.metrics, training)
    trained = train(net, splits, training, seed, unfinished, fingerprint, events=events)
    above_chance = training_run.check_learned(trained, manifest.splits["validation"].per_class)
    judged = to_device(splits[1], machine.torch_device)
    normalise = Normaliser(manifest.mean, manifest.sd, machine.torch_device)
    activity = training_run.measure(trained.net, *judged, normalise)
    params = parameter_count(architecture).total
    training_run.write_history(outputs.history, trained)
    artifacts.write_json(
        outputs.metrics,
        {
            "dataset": manifest.dataset,
            "kernel_size": settings.kernel_size,
            "control": settings.control,
            "seed": seed,
            "archid": architecture.cell.archid,
            "channels": architecture.network.channels,
            "params": params,
            "memory_mb_fp32": memory_mb(params, "fp32"),
            "above_chance": above_chance,
            "val_accuracy_percent": trained.history[-1].val_accuracy_percent,
            **activity.costs,
            "train_seconds": trained.seconds,
            "device": str(machine),
        },
    )
    provenance.write(
        outputs.metrics.with_name(provenance.RECORD),
        step="kernel_impact",
        settings={
            **provenance.plain(settings),
            "network": architecture.network.model_dump(mode="json"),
        },
        parts=[*settings.network.parts(), *training.parts()],
        inputs=[inputs.manifest, *map(Path, training_run.weights_hashes(training))],
        outputs=provenance.paths_of(outputs),
        seconds=watch.seconds(),
        device=str(machine),
    )
    unfinished.unlink(missing_ok=True)
