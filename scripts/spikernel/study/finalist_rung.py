"""Step 3 with finalists: one job of the trainings of a rung."""

import itertools
import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from spikernel import code, provenance
from spikernel.config import TrainingConfig
from spikernel.data.splits import Split, load_split
from spikernel.errors import ConfigError, TrainingError
from spikernel.search.journal import Evaluation, Journal
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study import finalists, training_run
from spikernel.study.finalists import Inputs, Part, Training
from spikernel.study.inputs import Machine, state_path
from spikernel.study.shapes import image_shape
from spikernel.training.loop import train

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Settings(finalists.Settings):
    """Which trainings of which rung."""

    rung: Annotated[int, "which rung, from 1; --parts has the files of the one before"] = 1
    shard: Annotated[int, "which part of its trainings, from 0"] = 0
    share: Annotated[
        Path | None, "folder with the finalists of all sets: trainings of theirs are not run again"
    ] = None

    def parts(self) -> list[str]:
        """Return the full names of the modules that the settings choose."""
        return training_run.parts_of(self.network, self.training)


@dataclass(frozen=True)
class Outputs:
    """The file written."""

    part: Annotated[Path, "file to write, for --parts of finalist_ranking.py and the next rung"]


def run(inputs: Inputs, outputs: Outputs, settings: Settings, machine: Machine) -> None:
    """Train every `shards`-th finalist and seed of a rung, beginning with `shard`.

    Finished trainings are kept in a journal beside the output, a half-done one in its state file:
    a job that was killed goes on from there.

    Raises:
        ConfigError: there is no such rung or shard.
        TrainingError: every finalist of the rung before diverged.

    """
    how, rung, shard = settings.training, settings.rung, settings.shard
    if not (1 <= rung <= len(how.rungs) and 0 <= shard < how.shards):
        raise ConfigError(
            f"rung {rung}, shard {shard} is not one of rungs 1..{len(how.rungs)}, shards "
            f"0..{how.shards - 1}: set nas_search/finalist_training"
        )
    provenance.check([inputs.manifest, inputs.candidates])
    members = finalists.members(inputs, settings, rung)
    described = {
        **finalists.describe(inputs, settings),
        "code": code.digest("finalist_rung", settings.parts()),
    }
    weights = training_run.weights_hashes(how.training)
    if weights:
        described["weights"] = weights
    pairs = [*itertools.product(members, how.seeds)][shard :: how.shards]
    like = Part(described, rung, members, str(machine), [])
    job = _Rung(inputs, outputs, settings, machine, like)
    journals, done = [], []
    for seed in how.seeds:
        journals.append(state_path(outputs.part.with_stem(f"{outputs.part.stem}-seed-{seed}")))
        names = [archid for archid, own in pairs if own == seed]
        # Not which GPU: a job that is tried again on another node goes on, as its training does.
        kind = machine.torch_device.type
        fingerprint = {**described, "rung": rung, "seed": seed, "device": kind}
        with Journal(journals[-1], {**fingerprint, "threads": machine.threads}) as journal:
            done += [job.trained(archid, seed, journal) for archid in names]
    replace(like, trainings=done).write(outputs.part)
    for path in journals:
        path.unlink(missing_ok=True)


class _Rung:
    """Loads the data once, then trains one finalist after the other."""

    def __init__(
        self, inputs: Inputs, outputs: Outputs, settings: Settings, machine: Machine, like: Part
    ) -> None:
        self._share, self._own, self._like = settings.share, outputs.part, like
        self._manifest = inputs.manifest
        self._network = settings.network
        self._channels = finalists.channels_of(inputs.candidates)
        epochs = settings.training.rungs[settings.rung - 1]
        self._training: TrainingConfig = settings.training.training.model_copy(
            update={"epochs": epochs}
        )
        self._machine = machine
        self._state = state_path(outputs.part)
        self._splits: tuple[Split, Split] = (
            load_split(inputs.manifest, "train"),
            load_split(inputs.manifest, "validation"),
        )

    def trained(self, archid: str, seed: int, journal: Journal) -> Training:
        """Return a finalist's training with a seed, from the journal if it is there."""
        channels = self._channels.get(archid)
        if archid not in journal.done:
            journal.add(self._shared(archid, seed, channels) or self._train(archid, seed))
            self._state.unlink(missing_ok=True)
        found = journal.done[archid]
        accuracy = found.score if math.isfinite(found.score) else None
        return Training(archid, seed, accuracy, found.seconds, channels)

    def _shared(self, archid: str, seed: int, channels: int | None) -> Evaluation | None:
        """Return what another kernel set's job found of the same net, if one is done by now."""
        if self._share is None:
            return None
        found = finalists.known(self._share, self._own, self._like).get((archid, seed, channels))
        if found is None:
            return None
        LOG.info("finalist %s, seed %d: trained for another kernel set", archid, seed)
        accuracy = found.val_accuracy_percent
        return Evaluation(archid, math.nan if accuracy is None else accuracy, found.seconds)

    def _train(self, archid: str, seed: int) -> Evaluation:
        """Return the validation accuracy in percent as the score; NaN if the training diverged."""
        watch, training = provenance.Stopwatch(), self._training
        manifest = self._splits[0].manifest
        network = self._network.at(self._channels.get(archid, self._network.channels))
        architecture = Architecture(Cell.from_archid(archid), network, image_shape(manifest))
        net = training_run.make_net(architecture, seed, self._splits[0], self._machine)
        fingerprint = training_run.fingerprint(
            architecture, training, seed, self._machine, self._manifest
        )
        LOG.info("finalist %s, seed %d, %d epochs", archid, seed, training.epochs)
        try:
            trained = train(net, self._splits, training, seed, self._state, fingerprint)
            training_run.check_learned(trained, manifest.splits["validation"].per_class)
        except TrainingError as error:
            LOG.warning("finalist %s, seed %d: %s", archid, seed, error)
            return Evaluation(archid, math.nan, watch.seconds())
        return Evaluation(archid, trained.history[-1].val_accuracy_percent, trained.seconds)
