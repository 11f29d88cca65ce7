"""Why the trainings of an experiment would not run as asked for. No torch."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from spikernel.config import FinalistConfig, TrainingConfig, WorkflowConfig
from spikernel.config.problems import Key, Problem, RefusedError
from spikernel.errors import ConfigError
from spikernel.space import macro
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.space.operations import conv
from spikernel.space.patterns import EDGES
from spikernel.space.phase_architecture import check_end, phase_architecture
from spikernel.study import limits
from spikernel.study.bounds import Bounds

FEEDBACK = Cell.from_archid("k1-k1-k1-k1r-k1-k1")
"""Stands for all cells with feedback."""


def training_problems(
    config: WorkflowConfig, name: str, bounds: Bounds, section: str
) -> Iterator[Problem]:
    """Yield why a training of a section would not run as asked for."""
    try:
        training = config.training_of(name, section)
    except RefusedError:
        return  # said already
    place = partial(config.training_key, name, section)
    yield from _unfit_training(config, name, bounds, training, place)
    largest = Cell((conv(max(config.all_kernel_sizes())),) * len(EDGES))
    wholes = [Architecture(largest, bounds.network, bounds.images)]
    if section == "train_final" and config.nas_search.cells == "feedback":
        with suppress(ConfigError):  # said with the nets
            wholes.append(Architecture(FEEDBACK, bounds.network, bounds.images))
    for whole in wholes:
        problems = list(_phase_problems(name, training, whole, place))
        yield from problems
        if problems:
            return


def _phase_problems(
    name: str, training: TrainingConfig, whole: Architecture, place: Callable[[str], Key]
) -> Iterator[Problem]:
    """Yield why a net cannot be trained in the phases of a training."""
    last = whole
    for number, phase in enumerate(training.phases):
        key = (*place("phases"), str(number))
        try:
            macro.check_leading(whole.parts, phase.freeze, f"on data set {name}: it")
        except ConfigError as error:
            yield Problem((*key, "freeze"), str(error))
        try:
            where = f"on data set {name}: phases/{number}"
            last = phase_architecture(whole, phase, where)
        except ConfigError as error:
            yield Problem(key, str(error))
            return
    try:
        check_end(whole.network, last.network, f"on data set {name}")
    except ConfigError as error:
        yield Problem(place("phases"), str(error))


def finalist_problems(config: WorkflowConfig, name: str, bounds: Bounds) -> Iterator[Problem]:
    """Yield why the training of finalists would not run as asked for."""
    if config.nas_search.finalists is not None:
        how = config.nas_search.finalist_training or FinalistConfig()
        section = ("nas_search", "finalist_training", "training")
        yield from _unfit_training(config, name, bounds, how.training, lambda key: (*section, key))


def _unfit_training(
    config: WorkflowConfig,
    name: str,
    bounds: Bounds,
    training: TrainingConfig,
    place: Callable[[str], Key],
) -> Iterator[Problem]:
    """Yield what is wrong with batches, augmentation and weights of a training.

    Args:
        config: all of it.
        name: of the data set.
        bounds: its nets.
        training: its settings.
        place: returns the path of the key that sets a part of it.

    """
    yield from limits.batch_problems(config, name, place("batch_size"), training.batch_size)
    sizes = [phase.image_size or bounds.images.size for phase in training.phases]
    for size in dict.fromkeys(sizes or [bounds.images.size]):
        for option, reason in training.misfits(size):
            yield Problem(place(option), f"on data set {name}: {reason}")
    if training.uses_teacher and training.teacher is None:
        text = f"{training.objective} needs a teacher: name released weights"
        yield Problem(place("objective"), text)
    for option, path in training.weights().items():
        if not Path(path).is_file():
            text = f"{path} is missing: train it first, or correct the path"
            yield Problem(place(option), text)
