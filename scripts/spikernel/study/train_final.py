"""Step 4: train one searched architecture and test it once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pandas as pd

from spikernel import artifacts, provenance
from spikernel.config import NetworkConfig, TrainingConfig, kernel_set_name
from spikernel.data.splits import load_split
from spikernel.errors import SpikernelError, TableError
from spikernel.export.deployed import deployed
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, normalised_batches, to_device
from spikernel.inference.released import save_model
from spikernel.network.activity import measure_activity
from spikernel.network.neurobench import neurobench_metrics
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.space.counts import memory_mb, parameter_count
from spikernel.study.inputs import Machine, events_path, state_path, teacher_hashes
from spikernel.study.kernel_impact import ACTIVITY_IMAGES, write_history
from spikernel.study.shapes import image_shape
from spikernel.tables import read_csv, write_csv
from spikernel.training.loop import train


@dataclass(frozen=True)
class Outputs:
    """Files of one trained model, all in one folder."""

    metrics: Path
    history: Path
    layers: Path
    model: Path

    def __post_init__(self) -> None:
        """Check that the files lie together, where the provenance record goes too."""
        if len({path.parent for path in self.all()}) != 1:
            raise SpikernelError("metrics, history, layers and model must go to one folder")

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Return the files of a folder under their usual names."""
        names = ("metrics.json", "history.csv", "layers.csv", "model.safetensors")
        return cls(*(folder / name for name in names))

    def all(self) -> list[Path]:
        """Return every file."""
        return [self.metrics, self.history, self.layers, self.model]


@dataclass(frozen=True)
class Candidate:
    """What is trained: a cell, and the search it comes from, if any."""

    cell: Cell
    kernel_set: str
    kernel_sizes: list[int]
    rank: int | None
    sources: tuple[Path, ...] = ()

    @classmethod
    def of_search(cls, candidates_path: Path, search_path: Path, rank: int) -> "Candidate":
        """Return the candidate of a rank of a search.

        Raises:
            TableError: the search has no candidate of that rank.

        """
        cell = read_candidate(candidates_path, rank)
        search = artifacts.read_object(search_path, "kernel_set", "kernel_sizes")
        sources = (candidates_path, search_path)
        return cls(cell, search["kernel_set"], search["kernel_sizes"], rank, sources)

    @classmethod
    def by_hand(cls, archid: str) -> "Candidate":
        """Return the cell of an archid, named by the kernel sizes in it.

        Raises:
            ConfigError: the text names no cell.

        """
        cell = Cell.from_archid(archid)
        sizes = sorted(set(cell.kernel_sizes()))
        return cls(cell, kernel_set_name(tuple(sizes)), sizes, None)


def run(
    manifest_path: Path,
    candidate: Candidate,
    seed: int,
    network: NetworkConfig,
    training: TrainingConfig,
    machine: Machine,
    outputs: Outputs,
    max_seconds: float | None = None,
) -> None:
    """Train a candidate; the test split is read after training, once.

    Raises:
        TrainingError: the loss is not finite; the last good state stays.
        UnfinishedError: `max_seconds` are over; the state stays.

    """
    watch = provenance.Stopwatch()
    splits = load_split(manifest_path, "train"), load_split(manifest_path, "validation")
    manifest = splits[0].manifest
    architecture = Architecture(candidate.cell, network, image_shape(manifest))
    settings = {
        "kernel_set": candidate.kernel_set,
        "kernel_sizes": candidate.kernel_sizes,
        "rank": candidate.rank,
        "archid": candidate.cell.archid,
        "seed": seed,
        "network": network.model_dump(mode="json"),
        "training": training.model_dump(mode="json"),
        "threads": machine.threads,
    }
    teachers = teacher_hashes(training)
    fingerprint = {
        **settings,
        "data": artifacts.file_hash(manifest_path),
        "teacher": teachers,
        "code": provenance.code_hash(),
    }
    unfinished = state_path(outputs.model)
    net = build_net(architecture, seed, machine.device)
    events = events_path(outputs.metrics, training)
    trained = train(net, splits, training, seed, unfinished, fingerprint, max_seconds, events)
    test = to_device(load_split(manifest_path, "test"), machine.device)
    validation = to_device(splits[1], machine.device)
    normalise = Normaliser(manifest.mean, manifest.sd, machine.device)
    test_accuracy = accuracy_percent(trained.net, *test, normalise)
    activity = measure_activity(
        trained.net, normalised_batches(test[0][:ACTIVITY_IMAGES], normalise)
    )
    params = parameter_count(architecture).total
    save_model(outputs.model, trained.net, manifest)
    write_history(outputs.history, trained)
    write_csv(outputs.layers, [layer.row() for layer in activity.layers])
    artifacts.write_json(
        outputs.metrics,
        {
            "dataset": manifest.dataset,
            "kernel_set": candidate.kernel_set,
            "kernel_sizes": candidate.kernel_sizes,
            "rank": candidate.rank,
            "archid": candidate.cell.archid,
            "seed": seed,
            "params": params,
            "memory_mb_fp32": memory_mb(params, "fp32"),
            "memory_mb_fp16": memory_mb(params, "fp16"),
            "memory_mb_int8": memory_mb(params, "int8"),
            "val_accuracy_percent": trained.history[-1].val_accuracy_percent,
            "test_accuracy_percent": test_accuracy,
            "firing_rate": activity.firing_rate,
            "layer_firing_rates": activity.layer_rates,
            "effective_acs": activity.effective_acs,
            "effective_macs": activity.effective_macs,
            "dense_synops": activity.dense_synops,
            "energy_pj": activity.energy_pj(),
            "energy_pj_fp16": activity.energy_pj("fp16"),
            "energy_pj_int8": activity.energy_pj("int8"),
            "neurons": activity.neurons,
            "state_bytes": activity.state_bytes,
            **deployed(trained.net, manifest, validation, test),
            "neurobench": neurobench_metrics(trained.net, activity, test_accuracy),
            "train_seconds": trained.seconds,
            "epochs": training.epochs,
            "time_steps": network.time_steps,
            "device": str(machine),
        },
    )
    provenance.write(
        outputs.metrics.with_name("provenance.json"),
        step="train_final",
        settings=settings,
        inputs=[manifest_path, *candidate.sources, *map(Path, teachers)],
        outputs=outputs.all(),
        seconds=watch.seconds(),
        device=str(machine),
    )
    unfinished.unlink(missing_ok=True)


def read_candidate(path: Path, rank: int) -> Cell:
    """Return the cell of a rank in `candidates.csv`.

    Raises:
        TableError: no candidate has that rank.

    """
    table: pd.DataFrame = read_csv(path, text=("archid",), optional_numbers=("rank",))
    found = table.loc[table["rank"] == rank, "archid"]
    if found.empty:
        raise TableError(
            f"{path}: no candidate of rank {rank}, only {int(table['rank'].notna().sum())} are "
            "ranked: lower train_final/ranks or widen the search"
        )
    return Cell.from_archid(str(found.iloc[0]))
