"""One cell trained by hand with the settings of an experiment, and the record of the training."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from spikernel.config import DatasetConfig, NetworkConfig, TrainingConfig, WorkflowConfig
from spikernel.data.prepare import prepare
from spikernel.errors import ConfigError
from spikernel.provenance import Stopwatch
from spikernel.study import train_final
from spikernel.study.inputs import Machine
from spikernel.study.measurement import write_measurement


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
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    config = WorkflowConfig.parse(given, str(path))
    names = list(config.datasets)
    if dataset is None and len(names) == 1:
        dataset = names[0]
    if dataset not in names:
        raise ConfigError(f"{path}: --dataset must be one of {', '.join(names)}, got {dataset}")
    section = config.resolved()["datasets"][dataset]
    return Experiment(
        dataset,
        Path(config.data_dir),
        DatasetConfig.parse(section["data"], str(path)),
        NetworkConfig.parse(section["network"], str(path)),
        TrainingConfig.parse(section["train_final"], str(path)),
    )


def run(
    experiment: Experiment,
    archid: str,
    folder: Path,
    data_dir: Path | None,
    seed: int,
    machine: Machine,
    max_seconds: float | None = None,
    measurement: Path | None = None,
) -> None:
    """Do what is missing: prepare the data, train, test once, write the record.

    Raises:
        UnfinishedError: `max_seconds`, which count from here, are over.
        SpikernelError: bad input, see the steps.

    """
    watch = Stopwatch()
    candidate = train_final.Candidate.by_hand(archid)
    manifest = folder / "prepare_data" / "manifest.json"
    if not manifest.exists():
        data_dir = experiment.data_dir if data_dir is None else data_dir
        prepare(experiment.dataset, experiment.data, data_dir, manifest)
    place = folder / candidate.cell.archid / f"seed-{seed}"
    outputs = train_final.Outputs.in_folder(place)
    left = None if max_seconds is None else max_seconds - watch.seconds()
    train_final.run(
        manifest, candidate, seed, experiment.network, experiment.training, machine, outputs, left
    )
    if measurement is not None:
        write_measurement(outputs.metrics, measurement)
