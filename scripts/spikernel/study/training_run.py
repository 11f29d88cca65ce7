"""What all steps that train have in common: what a run depends on, and its history."""

import logging
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spikernel import artifacts, code, provenance, tables
from spikernel.config import FinalistConfig, NetworkConfig, TrainingConfig
from spikernel.data.chance import chance_percent
from spikernel.data.splits import Split, places_of
from spikernel.errors import ConfigError, DataError, TrainingError
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import normalised_batches
from spikernel.network.activity import Activity, measure_activity
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.network.whitening import IMAGES, whiten
from spikernel.space.architecture import Architecture
from spikernel.space.counts import parameter_count
from spikernel.study.inputs import Machine
from spikernel.training.loop import Trained
from spikernel.training.phases import FLOP_RULE
from spikernel.training.precision import in_bfloat16

LOG = logging.getLogger(__name__)
ACTIVITY_IMAGES = 1000
"""Images on which firing rates and synaptic operations are measured."""


def parts_of(network: NetworkConfig, training: TrainingConfig | FinalistConfig) -> list[str]:
    """Return the full names of the modules that the settings of a net and its training choose."""
    return sorted({*network.parts(), *training.parts()})


def fingerprint(
    architecture: Architecture,
    training: TrainingConfig,
    seed: int,
    machine: Machine,
    manifest: Path,
) -> dict[str, Any]:
    """Return all that an unfinished training depends on; with another, its state is not used."""
    network, device = architecture.network, machine.torch_device.type
    return {
        "archid": architecture.cell.archid,
        "network": network.changes(),
        "training": {k: v for k, v in training.changes().items() if k != "tensorboard"},
        "seed": seed,
        "device": device,  # of which the state of the generator is
        # They change how a CPU adds; on a GPU they change nothing.
        "threads": machine.threads if device == "cpu" else None,
        "data": artifacts.file_hash(manifest),
        "weights": weights_hashes(training),
        "code": code.digest(
            "spikernel.training.loop",
            [*parts_of(network, training), "spikernel.network.whitening"],
        ),
    }


def weights_hashes(training: TrainingConfig) -> dict[str, str]:
    """Return path -> SHA-256 of the released weights that a training reads besides the data.

    Raises:
        DataError: they are missing, or were altered since they were made.

    """
    found = {}
    for key, named in training.weights().items():
        path = Path(named)
        if not path.is_file():
            raise DataError(
                f"training/{key}: {path} is missing: train it first, or correct the path"
            )
        provenance.check([path])
        found[named] = artifacts.file_hash(path)
    return found


def check_count(net: SpikingNet) -> None:
    """Refuse a net whose parameters are not as many as are counted where there is no torch.

    Raises:
        ConfigError: memory and budgets would be wrong.

    """
    there = sum(parameter.numel() for parameter in net.parameters())
    if there != (counted := parameter_count(net.architecture).total):
        raise ConfigError(
            f"the net has {there} parameters, and {counted} are counted: neurons "
            f"'{net.architecture.network.neuron}' must assign PARAMETERS, how many each layer has"
        )


def make_net(architecture: Architecture, seed: int, train: Split, machine: Machine) -> SpikingNet:
    """Return a net with its initial weights, those that training images give included."""
    device = machine.torch_device
    net = build_net(architecture, seed, device)
    check_count(net)
    if architecture.network.stem_weights == "whitened":
        places = places_of(train.labels, IMAGES)
        images = torch.from_numpy(np.array(train.images[places])).to(device)
        normalise = Normaliser(train.manifest.mean, train.manifest.sd, device)
        whiten(net, images, normalise)
    return net


def measure(net: SpikingNet, images: Tensor, labels: Tensor, normalise: Normaliser) -> Activity:
    """Return what a net does on images that stand for a split.

    Args:
        net: the net.
        images: uint8 [N, C, H, W], of the whole split.
        labels: [N].
        normalise: returns what the net reads of images.

    """
    places = torch.from_numpy(places_of(labels.numpy(force=True), ACTIVITY_IMAGES))
    return measure_activity(net, normalised_batches(images[places.to(images.device)], normalise))


DIVERGED = 10
"""A loss this many times that of guessing comes of a training that went wrong."""


def check_learned(trained: Trained, per_class: Sequence[int]) -> bool:
    """Refuse a training that diverged; say where a net is no better than guessing.

    Args:
        trained: the finished run.
        per_class: number of validation images of each class.

    Returns:
        Whether the validation accuracy is above chance by more than two standard deviations.

    Raises:
        TrainingError: the loss of the last epoch is far above that of guessing.

    """
    last, guessing = trained.history[-1], math.log(len(per_class))
    if last.train_loss > DIVERGED * guessing:
        raise TrainingError(
            f"the training diverged: its loss ended at {last.train_loss:.3g}, guessing has "
            f"{guessing:.3g}: lower learning_rate or set gradient_clip"
        )
    chance = chance_percent(per_class)
    most = chance + 2 * math.sqrt(chance * (100 - chance) / sum(per_class))
    if last.val_accuracy_percent <= most:
        LOG.warning(
            "the net is at chance: validation accuracy %.2f %%, guessing the largest class has "
            "%.2f %%",
            last.val_accuracy_percent, chance,
        )  # fmt: skip
        return False
    return True


def effort(trained: Trained, training: TrainingConfig, machine: Machine) -> dict[str, Any]:
    """Return what a run cost, and the number format that it really computed in."""
    bfloat16 = in_bfloat16(training, machine.torch_device)
    return {
        "train_seconds": trained.seconds,
        "images_per_second": trained.images_per_second,
        "training_flop_per_image": trained.flop / (trained.images * len(trained.history)),
        "training_flop": trained.flop,
        "flop_rule": FLOP_RULE,
        "training_precision": "bfloat16" if bfloat16 else "float32",
    }


def write_history(path: Path, trained: Trained) -> None:
    """Write one line per epoch."""
    tables.write_csv(path, [asdict(record) for record in trained.history])
