"""Step 4: train one searched architecture and test it once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from spikernel import artifacts, code, provenance
from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.data.splits import load_split
from spikernel.errors import DataError, SpikernelError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import (
    accuracy_percent,
    binary_accuracy_percent,
    to_device,
)
from spikernel.inference.released import save_model
from spikernel.network.neurobench import neurobench_metrics
from spikernel.space.architecture import Architecture
from spikernel.space.counts import Precision, memory_mb, parameter_count
from spikernel.space.macro import scaled
from spikernel.study import recorded, training_run, twin
from spikernel.study.candidate import Candidate
from spikernel.study.inputs import Machine, events_path, state_path
from spikernel.study.shapes import image_shape
from spikernel.tables import write_csv
from spikernel.training.loop import train

STEP = "train_final"


@dataclass(frozen=True)
class Inputs:
    """Files read."""

    manifest: Annotated[Path, "manifest.json of prepare_data"]
    candidates: Annotated[Path, "candidates.csv of nas_search"]
    search: Annotated[Path, "search.json of the same search"]


@dataclass(frozen=True)
class Outputs:
    """Files of one trained model, all in one folder."""

    metrics: Annotated[Path, "metrics.json to write"]
    history: Annotated[Path, "history.csv to write, in the same folder"]
    layers: Annotated[Path, "layers.csv to write, in the same folder"]
    model: Annotated[Path, "model.safetensors to write, in the same folder"]

    def __post_init__(self) -> None:
        """Check that the files lie together, where the provenance record goes too."""
        if len({path.parent for path in provenance.paths_of(self)}) != 1:
            raise SpikernelError("metrics, history, layers and model must go to one folder")

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Return the files of a folder under their usual names."""
        names = ("metrics.json", "history.csv", "layers.csv", "model.safetensors")
        return cls(*(folder / name for name in names))


@dataclass(frozen=True)
class Settings:
    """Which candidate, and how it is trained."""

    rank: Annotated[int, "which candidate to train, 1 is the best"] = 1
    width: Annotated[float, "its width as a multiple of network/channels"] = 1.0
    seed: Annotated[int, "seed of the weights and the batches"] = 0
    network: Annotated[NetworkConfig, "macro-structure"] = NetworkConfig()
    training: Annotated[TrainingConfig, "how the net is trained"] = TrainingConfig()
    max_seconds: Annotated[
        float | None, "stop, with status 75, before it would take longer; run again to go on"
    ] = None
    share: Annotated[
        Path | None, "folder with those of all sets: one of the same net is taken over, not trained"
    ] = None

    def parts(self) -> list[str]:
        """Return the full names of the modules that the settings choose."""
        return training_run.parts_of(self.network, self.training)


def run(inputs: Inputs, outputs: Outputs, settings: Settings, machine: Machine) -> None:
    """Train the candidate of a rank, see `train_candidate`, or take over its training."""
    provenance.check(provenance.paths_of(inputs))
    candidate = Candidate.of_search(inputs.candidates, inputs.search, settings.rank)
    if not _taken_over(inputs.manifest, candidate, outputs, settings, machine):
        train_candidate(inputs.manifest, candidate, outputs, settings, machine)


def _taken_over(
    manifest: Path, candidate: Candidate, outputs: Outputs, settings: Settings, machine: Machine
) -> bool:
    """Write the files of a training of the same net, if another kernel set has one."""
    watch = provenance.Stopwatch()
    if settings.share is None or settings.training.tensorboard:  # whose events are not shared
        return False
    network = scaled(candidate.within(settings.network), settings.width)
    wanted = twin.Wanted(
        record={
            "step": STEP,
            "code_digest": code.digest(STEP, settings.parts()),
            "settings": described(candidate, settings, machine),
            "device": str(machine),
            "packages": provenance.package_versions(),
        },
        inputs={
            str(manifest): artifacts.file_hash(manifest),
            **training_run.weights_hashes(settings.training),
        },
        metrics={"dataset": candidate.dataset, "channels": network.channels},
    )
    files = twin.find(settings.share, outputs.metrics.parent, wanted)
    if files is None:
        return False
    for path in provenance.paths_of(outputs):
        artifacts.write_bytes(path, files[path.name])
    metrics = artifacts.read_object(outputs.metrics)
    artifacts.write_json(outputs.metrics, {**metrics, **_identity(candidate)})
    _record(manifest, candidate, outputs, settings, machine, watch)
    state_path(outputs.model).unlink(missing_ok=True)
    return True


def _identity(candidate: Candidate) -> dict[str, Any]:
    """Return what metrics.json says of the search that chose the net."""
    return {key: getattr(candidate, key) for key in ("kernel_set", "kernel_sizes", "rank")}


def train_candidate(
    manifest_path: Path,
    candidate: Candidate,
    outputs: Outputs,
    settings: Settings,
    machine: Machine,
) -> None:
    """Train a candidate; the test split is read after training, once.

    Raises:
        DataError: the candidate was searched on another data set.
        TrainingError: the loss is not finite; the last good state stays.
        UnfinishedError: it would take longer than `settings.max_seconds`; the state stays.

    """
    watch = provenance.Stopwatch()
    splits = load_split(manifest_path, "train"), load_split(manifest_path, "validation")
    manifest, training, seed = splits[0].manifest, settings.training, settings.seed
    if candidate.dataset not in (None, manifest.dataset):
        raise DataError(
            f"{manifest_path} is of {manifest.dataset}, the search was on {candidate.dataset}: "
            "give the manifest of that data set"
        )
    network = scaled(candidate.within(settings.network), settings.width)
    architecture = Architecture(candidate.cell, network, image_shape(manifest))
    fingerprint = training_run.fingerprint(architecture, training, seed, machine, manifest_path)
    unfinished = state_path(outputs.model)
    device = machine.torch_device
    net = training_run.make_net(architecture, seed, splits[0], machine)
    events = events_path(outputs.metrics, training)
    trained = train(
        net, splits, training, seed, unfinished, fingerprint, settings.max_seconds, events
    )
    above_chance = training_run.check_learned(trained, manifest.splits["validation"].per_class)
    test = to_device(load_split(manifest_path, "test"), device)
    normalise = Normaliser(manifest.mean, manifest.sd, device)
    test_accuracy = binary_accuracy_percent(trained.net, *test, normalise)
    activity = training_run.measure(trained.net, *test, normalise)
    params = parameter_count(architecture).total
    save_model(outputs.model, trained.net, manifest)
    training_run.write_history(outputs.history, trained)
    write_csv(outputs.layers, [layer.row() for layer in activity.layers])
    artifacts.write_json(
        outputs.metrics,
        {
            "dataset": manifest.dataset,
            **_identity(candidate),
            "width": settings.width,
            "channels": network.channels,
            "archid": candidate.cell.archid,
            "seed": seed,
            "params": params,
            **{f"memory_mb_{kind}": memory_mb(params, kind) for kind in get_args(Precision)},
            "val_accuracy_percent": trained.history[-1].val_accuracy_percent,
            "test_accuracy_percent": test_accuracy,
            "one_pass_test_accuracy_percent": accuracy_percent(trained.net, *test, normalise),
            "above_chance": above_chance,
            "binary_steps": trained.net.binary_steps,
            **activity.costs,
            "layer_firing_rates": activity.layer_rates,
            "energy_pj_fp16": activity.energy_pj("fp16"),
            "energy_pj_int8": activity.energy_pj("int8"),
            "neurons": activity.neurons,
            "state_bytes": activity.state_bytes,
            "neurobench": neurobench_metrics(trained.net, activity, test_accuracy),
            **training_run.effort(trained, training, machine),
            "epochs": training.epochs,
            "time_steps": settings.network.time_steps,
            "device": str(machine),
        },
    )
    _record(manifest_path, candidate, outputs, settings, machine, watch)
    unfinished.unlink(missing_ok=True)


def _record(
    manifest: Path,
    candidate: Candidate,
    outputs: Outputs,
    settings: Settings,
    machine: Machine,
    watch: provenance.Stopwatch,
) -> None:
    weights = map(Path, training_run.weights_hashes(settings.training))
    provenance.write(
        outputs.metrics.with_name(provenance.RECORD),
        step=STEP,
        settings=described(candidate, settings, machine),
        parts=settings.parts(),
        inputs=[manifest, *candidate.sources, *weights],
        outputs=provenance.paths_of(outputs),
        seconds=watch.seconds(),
        device=str(machine),
    )


def described(candidate: Candidate, settings: Settings, machine: Machine) -> dict[str, Any]:
    """Return what a training depends on beside code and data, for its provenance."""
    plain = provenance.plain(settings)
    del plain["max_seconds"], plain["share"]  # they change no result
    # Threads change how a CPU adds, and on a GPU nothing.
    threads = machine.threads if machine.torch_device.type == "cpu" else None
    return {**plain, "archid": candidate.cell.archid, "threads": threads}


def is_done(candidate: Candidate, outputs: Outputs, settings: Settings, machine: Machine) -> bool:
    """Whether a training with these settings and this code has left all its files."""
    record = outputs.metrics.with_name(provenance.RECORD)
    if not all(path.exists() for path in (*provenance.paths_of(outputs), record)):
        return False
    made = provenance.read(record, "settings")
    if made.get("code_digest") != code.digest(STEP, settings.parts()):
        return False
    expected, found = described(candidate, settings, machine), dict(made["settings"])
    for name in ("network", "training"):  # a key that was added since has its default
        if not recorded.same(getattr(settings, name), found.pop(name, None)):
            return False
        del expected[name]
    return found == expected
