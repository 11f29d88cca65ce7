"""One cell trained by hand with the settings of an experiment, and the record of the training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from spikernel import artifacts, provenance
from spikernel.config import DatasetConfig, NetworkConfig, TrainingConfig, width_suffix
from spikernel.data import manifest as manifests
from spikernel.errors import ConfigError, DataError
from spikernel.space.macro import scaled
from spikernel.study import deployment, recorded, train_final, training_run
from spikernel.study import experiment as experiments
from spikernel.study.candidate import Candidate
from spikernel.study.inputs import Machine
from spikernel.study.joined import check_joined
from spikernel.study.measurement import check_name, write_measurement
from spikernel.study.prepare_data import prepare


@dataclass(frozen=True)
class Experiment:
    """What an experiment says about one of its data sets."""

    dataset: str
    data_dir: Path
    data: DatasetConfig
    network: NetworkConfig
    training: TrainingConfig


def read_experiment(path: Path, dataset: str | None) -> Experiment:
    """Read the settings of a data set from an experiment's configuration file.

    Raises:
        ConfigError: the file cannot be read, is not valid, or has no such data set.

    """
    config = experiments.read(path)
    names = list(config.datasets)
    if dataset is None and len(names) == 1:
        dataset = names[0]
    if dataset not in names:
        raise ConfigError(f"{path}: --dataset must be one of {', '.join(names)}, got {dataset}")
    sections = config.sections()
    data, network, training = (
        sections[f"datasets/{dataset}/{name}"] for name in ("data", "network", "train_final")
    )
    assert isinstance(data, DatasetConfig)
    assert isinstance(network, NetworkConfig)
    assert isinstance(training, TrainingConfig)
    return Experiment(dataset, Path(config.data_dir), data, network, training)


@dataclass(frozen=True)
class Settings:
    """What is trained, and where."""

    config: Annotated[Path, "experiment, for instance config/gpu.yaml"]
    archid: Annotated[str, "operations on its edges, e.g. k3-zero-skip-k3-avg-k5"]
    folder: Annotated[Path, "where the prepared data and the results go"]
    dataset: Annotated[str | None, "data set of the experiment, if it has several"] = None
    data_dir: Annotated[Path | None, "folder of the data sets; default: the experiment's"] = None
    width: Annotated[float, "channels, as a multiple of the experiment's network/channels"] = 1.0
    seed: Annotated[int, "seed of the weights and the batches"] = 0
    max_seconds: Annotated[
        float | None, "stop, with status 75, before it would take longer; run again to go on"
    ] = None
    measurement: Annotated[
        Path | None, "record to write, docs/measurements/<dataset>-<name>.json"
    ] = None


def run(settings: Settings, machine: Machine) -> None:
    """Do what is missing: prepare the data, train, test once, write the record; print the result.

    For a record the accuracy with int8 weights is measured, too.

    Raises:
        DataError: the data that are prepared there are not those of the experiment.
        UnfinishedError: it would take longer than `max_seconds`, which count from here.
        SpikernelError: bad input, see the steps.

    """
    watch = provenance.Stopwatch()
    experiment = read_experiment(settings.config, settings.dataset)
    if settings.measurement is not None:
        check_name(settings.measurement, experiment.dataset)
    candidate = Candidate.by_hand(settings.archid)
    check_joined(candidate.cell)
    manifest = settings.folder / "prepare_data" / "manifest.json"
    # Another training may be beginning in the same folder.
    with artifacts.exclusive(settings.folder / ".prepare_data.lock"):
        if manifest.exists():
            provenance.check([manifest])
            _check_data(manifest, experiment)
        else:
            data_dir = experiment.data_dir if settings.data_dir is None else settings.data_dir
            prepare(experiment.dataset, experiment.data, data_dir, manifest)
    name = candidate.cell.archid + width_suffix(settings.width)
    place = settings.folder / name / f"seed-{settings.seed}"
    outputs = train_final.Outputs.in_folder(place)
    most = settings.max_seconds
    final = train_final.Settings(
        seed=settings.seed,
        network=scaled(experiment.network, settings.width),
        training=experiment.training,
        max_seconds=None if most is None else most - watch.seconds(),
    )
    if not _is_done(manifest, candidate, outputs, final, machine):
        train_final.train_candidate(manifest, candidate, outputs, final, machine)
    if settings.measurement is not None:
        deployed = deployment.Outputs.in_folder(place / "deployment")
        if not deployment.is_done(deployed, outputs.model):
            inputs = deployment.Inputs(manifest, outputs.metrics, outputs.model)
            deployment.run(inputs, deployed, machine)
        write_measurement(outputs.metrics, deployed.deployment, settings.measurement)
    made = artifacts.read_object(outputs.metrics, "test_accuracy_percent", "binary_steps")
    print(
        f"{made['test_accuracy_percent']:.2f} % of the test images of {experiment.dataset} in "
        f"{made['binary_steps']} steps of binary spikes, {made['params']} parameters: "
        f"{outputs.model}"
    )


def _check_data(manifest: Path, experiment: Experiment) -> None:
    """Refuse prepared data that are not those of the experiment.

    Raises:
        DataError: they are of another data set, or were prepared with other settings.

    """
    again = f"name another --folder, or delete {manifest.parent}"
    found = manifests.read(manifest).dataset
    if found != experiment.dataset:
        raise DataError(f"{manifest} is of {found}, not of {experiment.dataset}: {again}")
    record = manifest.with_name(provenance.RECORD)
    if record.exists():
        made = provenance.read(record, "settings")["settings"]
        if not recorded.same(experiment.data, made, recorded.NO_SETTINGS):
            raise DataError(
                f"{manifest} was prepared with other settings than the experiment has for "
                f"{experiment.dataset}: {again}"
            )


def _is_done(
    manifest: Path,
    candidate: Candidate,
    outputs: train_final.Outputs,
    settings: train_final.Settings,
    machine: Machine,
) -> bool:
    """Whether a training with these settings, data and weights, by this code, left all its files.

    Raises:
        DataError: weights that it would read are missing or were altered.

    """
    if not train_final.is_done(candidate, outputs, settings, machine):
        return False
    made = provenance.recorded_inputs(outputs.metrics.with_name(provenance.RECORD))
    weights = training_run.weights_hashes(settings.training)
    return {*made.values()} == {artifacts.file_hash(manifest), *weights.values()}
