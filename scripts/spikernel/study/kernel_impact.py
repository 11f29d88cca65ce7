"""Step 1: accuracy of one reference net whose convolutions all have one kernel size."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from spikernel import artifacts, provenance, tables
from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.data.splits import load_split
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import normalised_batches, to_device
from spikernel.network.activity import measure_activity
from spikernel.network.spiking_net import build_net
from spikernel.space.counts import memory_mb, parameter_count
from spikernel.study.inputs import Machine, events_path, state_path, teacher_hashes
from spikernel.study.reference_net import reference_architecture
from spikernel.study.shapes import image_shape
from spikernel.training.loop import Trained, train

ACTIVITY_IMAGES = 1000
"""Images on which firing rates and synaptic operations are measured."""


def run(
    manifest_path: Path,
    kernel_size: int,
    control: str,
    seed: int,
    reference_cell: Sequence[str],
    network: NetworkConfig,
    training: TrainingConfig,
    machine: Machine,
    metrics_path: Path,
) -> None:
    """Train one reference net and write `metrics.json` and `history.csv`.

    Accuracy is measured on the validation split; the test split is not touched.
    """
    watch = provenance.Stopwatch()
    splits = load_split(manifest_path, "train"), load_split(manifest_path, "validation")
    manifest = splits[0].manifest
    architecture = reference_architecture(
        reference_cell, kernel_size, control, network, image_shape(manifest)
    )
    settings = {
        "kernel_size": kernel_size,
        "control": control,
        "seed": seed,
        "reference_cell": list(reference_cell),
        "network": architecture.network.model_dump(mode="json"),
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
    unfinished = state_path(metrics_path)
    net = build_net(architecture, seed, machine.device)
    events = events_path(metrics_path, training)
    trained = train(net, splits, training, seed, unfinished, fingerprint, events=events)
    images = to_device(splits[1], machine.device)[0][:ACTIVITY_IMAGES]
    normalise = Normaliser(manifest.mean, manifest.sd, machine.device)
    activity = measure_activity(trained.net, normalised_batches(images, normalise))
    params = parameter_count(architecture).total
    history_path = metrics_path.with_name("history.csv")
    write_history(history_path, trained)
    artifacts.write_json(
        metrics_path,
        {
            "dataset": manifest.dataset,
            "kernel_size": kernel_size,
            "control": control,
            "seed": seed,
            "archid": architecture.cell.archid,
            "channels": architecture.network.channels,
            "params": params,
            "memory_mb_fp32": memory_mb(params, "fp32"),
            "val_accuracy_percent": trained.history[-1].val_accuracy_percent,
            "firing_rate": activity.firing_rate,
            "effective_acs": activity.effective_acs,
            "effective_macs": activity.effective_macs,
            "dense_synops": activity.dense_synops,
            "energy_pj": activity.energy_pj(),
            "train_seconds": trained.seconds,
            "device": str(machine),
        },
    )
    provenance.write(
        metrics_path.with_name("provenance.json"),
        step="kernel_impact",
        settings=settings,
        inputs=[manifest_path, *map(Path, teachers)],
        outputs=[metrics_path, history_path],
        seconds=watch.seconds(),
        device=str(machine),
    )
    unfinished.unlink(missing_ok=True)


def write_history(path: Path, trained: Trained) -> None:
    """Write one line per epoch."""
    tables.write_csv(path, [asdict(record) for record in trained.history])
