"""Step 4: train one searched architecture and test it once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import pandas as pd

from spikernel import artifacts, code, provenance
from spikernel.config import NetworkConfig, TrainingConfig, kernel_set_name
from spikernel.data.splits import load_split
from spikernel.errors import ConfigError, DataError, SpikernelError, TableError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import (
    accuracy_percent,
    binary_accuracy_percent,
    normalised_batches,
    to_device,
)
from spikernel.inference.released import save_model
from spikernel.network.activity import measure_activity
from spikernel.network.neurobench import neurobench_metrics
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.space.counts import memory_mb, parameter_count
from spikernel.study import training_run
from spikernel.study.inputs import Machine, events_path, state_path
from spikernel.study.shapes import image_shape
from spikernel.tables import read_csv, write_csv
from spikernel.training.loop import train


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

    def parts(self) -> list[str]:
        """Return the full names of the modules that the settings choose."""
        return sorted({*self.network.parts(), *self.training.parts()})


@dataclass(frozen=True)
class Candidate:
    """What is trained: a cell, and the search it comes from, if any."""

    cell: Cell
    kernel_set: str
    kernel_sizes: list[int]
    rank: int | None
    channels: int | None = None
    """Of its net, where the search chose them; None: those of the network."""
    sources: tuple[Path, ...] = ()
    dataset: str | None = None
    """That it was searched on; None where it was given by hand."""

    def within(self, network: NetworkConfig) -> NetworkConfig:
        """Return the macro-structure around the cell, with the channels that the search chose."""
        return network if self.channels is None else network.at(self.channels)

    @classmethod
    def of_search(cls, candidates_path: Path, search_path: Path, rank: int) -> "Candidate":
        """Return the candidate of a rank of a search.

        Raises:
            TableError: the search has no candidate of that rank, or the files are of two searches.

        """
        cell, channels = read_candidate(candidates_path, rank)
        keys = ("dataset", "kernel_set", "kernel_sizes", "best_archid")
        search = artifacts.read_object(search_path, *keys)
        best = read_candidate(candidates_path, 1)[0].archid
        if best != search["best_archid"]:
            raise TableError(
                f"{candidates_path} and {search_path} are of two searches: their best cells are "
                f"{best} and {search['best_archid']}"
            )
        foreign = set(cell.kernel_sizes()) - set(search["kernel_sizes"])
        if foreign or not provenance.made_together(candidates_path, search_path):
            raise TableError(
                f"{candidates_path} and {search_path} are of two searches, though their best cells "
                f"are the same: give those of kernel set {search['kernel_set']}"
            )
        sources = (candidates_path, search_path)
        kernel_set, sizes = search["kernel_set"], search["kernel_sizes"]
        return cls(cell, kernel_set, sizes, rank, channels, sources, search["dataset"])

    @classmethod
    def by_hand(cls, archid: str) -> "Candidate":
        """Return the cell of an archid, named by the kernel sizes in it.

        Raises:
            ConfigError: the text names no cell.

        """
        cell = Cell.from_archid(archid)
        sizes = sorted(set(cell.kernel_sizes()))
        return cls(cell, kernel_set_name(tuple(sizes)), sizes, None)


def run(inputs: Inputs, outputs: Outputs, settings: Settings, machine: Machine) -> None:
    """Train the candidate of a rank; see `train_candidate`."""
    provenance.check(provenance.paths_of(inputs))
    candidate = Candidate.of_search(inputs.candidates, inputs.search, settings.rank)
    train_candidate(inputs.manifest, candidate, outputs, settings, machine)


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
    network = candidate.within(settings.network).scaled(settings.width)
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
    activity = measure_activity(
        trained.net, normalised_batches(test[0][: training_run.ACTIVITY_IMAGES], normalise)
    )
    params = parameter_count(architecture).total
    save_model(outputs.model, trained.net, manifest)
    training_run.write_history(outputs.history, trained)
    write_csv(outputs.layers, [layer.row() for layer in activity.layers])
    artifacts.write_json(
        outputs.metrics,
        {
            "dataset": manifest.dataset,
            "kernel_set": candidate.kernel_set,
            "kernel_sizes": candidate.kernel_sizes,
            "rank": candidate.rank,
            "width": settings.width,
            "channels": network.channels,
            "archid": candidate.cell.archid,
            "seed": seed,
            "params": params,
            "memory_mb_fp32": memory_mb(params, "fp32"),
            "memory_mb_fp16": memory_mb(params, "fp16"),
            "memory_mb_int8": memory_mb(params, "int8"),
            "val_accuracy_percent": trained.history[-1].val_accuracy_percent,
            "test_accuracy_percent": test_accuracy,
            "one_pass_test_accuracy_percent": accuracy_percent(trained.net, *test, normalise),
            "above_chance": above_chance,
            "binary_steps": trained.net.binary_steps,
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
            "neurobench": neurobench_metrics(trained.net, activity, test_accuracy),
            **training_run.effort(trained, training, machine),
            "epochs": training.epochs,
            "time_steps": settings.network.time_steps,
            "device": str(machine),
        },
    )
    provenance.write(
        outputs.metrics.with_name("provenance.json"),
        step="train_final",
        settings=described(candidate, settings, machine),
        parts=settings.parts(),
        inputs=[
            manifest_path,
            *candidate.sources,
            *map(Path, training_run.weights_hashes(training)),
        ],
        outputs=provenance.paths_of(outputs),
        seconds=watch.seconds(),
        device=str(machine),
    )
    unfinished.unlink(missing_ok=True)


def described(candidate: Candidate, settings: Settings, machine: Machine) -> dict[str, Any]:
    """Return what a training depends on beside code and data, for its provenance."""
    plain = provenance.plain(settings)
    del plain["max_seconds"]  # it changes no result
    return {**plain, "archid": candidate.cell.archid, "threads": machine.threads}


def is_done(candidate: Candidate, outputs: Outputs, settings: Settings, machine: Machine) -> bool:
    """Whether a training with these settings and this code has left all its files."""
    record = outputs.metrics.with_name("provenance.json")
    if not all(path.exists() for path in (*provenance.paths_of(outputs), record)):
        return False
    made = provenance.read(record, "settings")
    same_code = made.get("code_digest") == code.digest("train_final", settings.parts())
    return same_code and made["settings"] == described(candidate, settings, machine)


def read_candidate(path: Path, rank: int) -> tuple[Cell, int | None]:
    """Return the cell of a rank in `candidates.csv`, and its channels where the search chose them.

    Raises:
        TableError: no candidate has that rank, or its archid names no cell.

    """
    table: pd.DataFrame = read_csv(
        path, text=("archid",), optional_numbers=("rank", "channels"), may_lack=("channels",)
    )
    found = table[table["rank"] == rank]
    if found.empty:
        raise TableError(
            f"{path}: no candidate of rank {rank}, only {int(table['rank'].notna().sum())} are "
            "ranked: lower train_final/ranks or widen the search"
        )
    try:
        channels = found["channels"].iloc[0]
        cell = Cell.from_archid(str(found["archid"].iloc[0]))
        return cell, None if pd.isna(channels) else int(channels)
    except ConfigError as error:
        raise TableError(f"{path}: {error}") from None
