"""One training of the table over kernel sizes, see `kernel_cells.py`: the net, and its line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from kernel_table import Key
from paired import Images
from table_cells import TableCell

from spikernel.config import ImpactConfig, NetworkConfig, TrainingConfig
from spikernel.data.splits import Split, load_split
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import accuracy_percent, to_device
from spikernel.network.device import describe_device
from spikernel.space.architecture import Architecture
from spikernel.space.counts import at_parameters, parameter_count
from spikernel.space.flop import forward_flop
from spikernel.study import training_run
from spikernel.study.inputs import Machine, state_path
from spikernel.study.reference_net import ANCHOR, reference_architecture
from spikernel.study.shapes import image_shape
from spikernel.training.loop import Trained, train


@dataclass(frozen=True)
class Task:
    """One training."""

    item: TableCell
    control: str
    seed: int

    @property
    def key(self) -> Key:
        """What its line in the table is known by."""
        return self.item.cell.archid, self.control, self.seed


class Bench:
    """The trainings of one table.

    Args:
        manifest: of the images.
        network: at the width of control `same_width`.
        training: of every net.
        machine: where they run.

    """

    def __init__(
        self, manifest: Path, network: NetworkConfig, training: TrainingConfig, machine: Machine
    ) -> None:
        self._images, self._test = Images.of(manifest), load_split(manifest, "test")
        self._manifest, self._machine = manifest, machine
        self._network, self._training = network, training
        self._shape = image_shape(self._test.manifest)

    def architecture(self, task: Task) -> Architecture:
        """Return the net of a training."""
        own = Architecture(task.item.cell, self._network, self._shape)
        if task.control == "same_width":
            return own
        roles = ImpactConfig().reference_cell
        anchor = reference_architecture(roles, ANCHOR, "plain", self._network, self._shape)
        return at_parameters(own, parameter_count(anchor).total)

    def run(self, task: Task, max_seconds: float | None) -> dict[str, Any]:
        """Train a net, or go on with it, test it once, and return its line.

        Raises:
            UnfinishedError: it would take longer; the state stays.
            TrainingError: the loss is not finite, or far above that of guessing.

        """
        architecture, training, machine = self.architecture(task), self._training, self._machine
        name = "-".join(map(str, task.key)).replace(".", "_")
        state = state_path(self._manifest.with_name(name))
        made_of = training_run.fingerprint(
            architecture, training, task.seed, machine, self._manifest
        )
        net = training_run.make_net(architecture, task.seed, self._images.learned, machine)
        trained = train(net, self._images.splits, training, task.seed, state, made_of, max_seconds)
        training_run.check_learned(trained, np.bincount(self._images.splits[1].labels).tolist())
        row = self._row(task, architecture, trained)
        state.unlink()
        return row

    def _row(self, task: Task, architecture: Architecture, trained: Trained) -> dict[str, Any]:
        cell, (depth, convolutions) = task.item.cell, task.item.stratum
        judged, device = self._images.judged, self._machine.torch_device
        normalise = Normaliser(judged.manifest.mean, judged.manifest.sd, device)
        activity = training_run.measure(trained.net, *to_device(judged, device), normalise)
        return {
            "group": task.item.group,
            "control": task.control,
            "archid": cell.archid,
            "seed": task.seed,
            "kernel_sizes": " ".join(map(str, cell.kernel_sizes())),
            "depth": depth,
            "convolutions": convolutions,
            "channels": architecture.network.channels,
            "params": parameter_count(architecture).total,
            "flop_per_image": forward_flop(architecture),
            "synops": activity.effective_acs + activity.effective_macs,
            **self._images.outcome(trained),
            "test_accuracy_percent": _accuracy(self._test, trained, normalise),
            "images_per_second": round(trained.images_per_second, 1),
            "device": describe_device(device),
        }


def _accuracy(split: Split, trained: Trained, normalise: Normaliser) -> float:
    # One pass, which is what the binary steps give but for rounding, in a fifth of their time.
    device = next(trained.net.parameters()).device
    return accuracy_percent(trained.net, *to_device(split, device), normalise)
