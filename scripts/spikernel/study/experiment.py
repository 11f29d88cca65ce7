"""The configuration of an experiment, checked as a whole before anything runs. No torch."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from spikernel import registry
from spikernel.config import FinalistConfig, TrainingConfig, WorkflowConfig, strict_yaml
from spikernel.config.problems import Key, Place, Problem, RefusedError, sound
from spikernel.data.rules import check_datasets, image_size
from spikernel.errors import BudgetError, ConfigError
from spikernel.search.rules import check_search
from spikernel.space import macro
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import CellCounter
from spikernel.space.operations import conv
from spikernel.space.patterns import EDGES
from spikernel.space.phase_architecture import check_end, phase_architecture
from spikernel.study import limits
from spikernel.study.bounds import Bounds
from spikernel.study.joined import check_joined
from spikernel.study.reference_net import reference_architecture
from spikernel.study.sound_part import sound_part


def read(path: Path) -> WorkflowConfig:
    """Read the configuration file of an experiment, and check all of it.

    Raises:
        ConfigError: it cannot be read, or is no YAML; or a line for each thing that is wrong.

    """
    document = strict_yaml.read(path)
    return parse(document.data, document.place)


def parse(data: Any, place: Place) -> WorkflowConfig:
    """Return the configuration of an experiment, all of it checked.

    Where fields are wrong, the rest is checked as far as it does not depend on them.

    Args:
        data: what a file or a command line gives.
        place: of its keys, for messages.

    Raises:
        RefusedError: a line for each thing that is wrong.

    """
    try:
        config = WorkflowConfig.parse(data, place)
    except RefusedError as error:
        rest = sound_part(data, error.problems)
        others = () if rest is None else _problems(rest)
        raise RefusedError([*error.problems, *others], place) from None
    check(config, place)
    return config


def check(config: WorkflowConfig, place: Place) -> None:
    """Find what would stop an experiment later, after hours of training.

    Raises:
        RefusedError: a line for each thing that is wrong.

    """
    problems = list(_problems(config))
    if problems:
        raise RefusedError(problems, place)


def _problems(config: WorkflowConfig) -> Iterator[Problem]:
    yield from config.problems()
    yield from sound(_image_problems(config))
    yield from sound(_score_problems(config))
    for name in config.datasets:
        yield from sound(_dataset_problems(config, name))


def _image_problems(config: WorkflowConfig) -> Iterator[Problem]:
    try:
        check_datasets(config)
    except RefusedError as error:
        yield from error.problems


def _score_problems(config: WorkflowConfig) -> Iterator[Problem]:
    for name in config.datasets:
        try:
            network = config.network_of(name)
        except ConfigError:
            continue  # said elsewhere
        try:
            check_search(config.nas_search, network)
        except ConfigError as error:
            yield Problem(("nas_search",), str(error).removeprefix("config: nas_search: "))
            return


def _dataset_problems(config: WorkflowConfig, name: str) -> Iterator[Problem]:
    bounds = _bounds(config, name)
    if bounds is None:
        return
    try:
        CellCounter(bounds.network, bounds.images)
    except ConfigError as error:
        yield _network_problem(config, name, error)
        return
    for section in ("kernel_impact", "train_final"):
        yield from sound(_training_problems(config, name, bounds, section))
    yield from sound(_finalist_problems(config, name))
    yield from sound(_net_problems(config, name, bounds))
    yield from sound(limits.search_problems(config, name))
    unfit = list(_width_problems(config, name, bounds))
    yield from unfit
    if not unfit:
        yield from sound(_search_problems(config, name, bounds))
        yield from sound(limits.size_problems(config, name, bounds))


def _network_problem(config: WorkflowConfig, name: str, error: ConfigError) -> Problem:
    """Return why the macro-structure does not suit a data set, under the first key it names."""
    part = re.search(r"network/(\w+)", str(error))
    key = config.network_key(name, part[1]) if part else ("datasets", name)
    return Problem(key, f"on data set {name}: {error}")


def _bounds(config: WorkflowConfig, name: str) -> Bounds | None:
    """Return the nets that a data set allows; None where it is refused already."""
    settings = config.datasets[name]
    try:
        network, side = config.network_of(name), image_size(name, settings)
    except ConfigError:
        return None
    if max(config.all_kernel_sizes()) > side:
        return None
    # Of a kind that does not say, the least: the counts below are then lower bounds.
    images = ImageShape(
        channels=registry.literal("reader", settings.kind, "CHANNELS", 1),
        size=side,
        classes=registry.literal("reader", settings.kind, "CLASSES", 2),
    )
    return Bounds(config.nas_search, network, images)


def _width_problems(config: WorkflowConfig, name: str, bounds: Bounds) -> Iterator[Problem]:
    """Yield why final nets of a width cannot be built, or are the same as those of another."""
    if config.nas_search.budget.fill:
        return  # which channels the cells have is known once they are searched
    widths, bounded = config.all_widths(), config.nas_search.budget.width
    found: dict[int, float] = {}
    for width in dict.fromkeys((*widths, bounded)):
        key = ("train_final", "widths") if width in widths else ("nas_search", "budget", "width")
        try:
            network = bounds.network.scaled(width)
            CellCounter(network, bounds.images)
        except ConfigError as error:
            yield Problem(key, f"on data set {name}: {error}")
            continue
        other = found.setdefault(network.channels, width)
        if other != width and width in widths:
            yield Problem(
                key,
                f"on data set {name}: widths {other:g} and {width:g} both give {network.channels} "
                "channels: remove one",
            )


def _training_problems(
    config: WorkflowConfig, name: str, bounds: Bounds, section: str
) -> Iterator[Problem]:
    """Yield why a training of a section would not run as asked for."""
    try:
        training = config.training_of(name, section)
    except RefusedError:
        return  # said already
    place = partial(config.training_key, name, section)
    yield from _unfit_training(config, name, training, place)
    parts = macro.parts(bounds.network, bounds.images.channels, bounds.images.size)
    largest = conv(max(config.all_kernel_sizes()))
    whole = Architecture(Cell((largest,) * len(EDGES)), bounds.network, bounds.images)
    last = whole
    for number, phase in enumerate(training.phases):
        key = (*place("phases"), str(number))
        try:
            macro.check_leading(parts, phase.freeze, f"on data set {name}: it")
        except ConfigError as error:
            yield Problem((*key, "freeze"), str(error))
        try:
            where = f"on data set {name}: phases/{number + 1}"
            last = phase_architecture(whole, phase, where)
        except ConfigError as error:
            yield Problem(key, str(error))
            return
    try:
        check_end(whole.network, last.network, f"on data set {name}")
    except ConfigError as error:
        yield Problem(place("phases"), str(error))


def _finalist_problems(config: WorkflowConfig, name: str) -> Iterator[Problem]:
    """Yield why the training of finalists would not run as asked for."""
    if config.nas_search.finalists is not None:
        how = config.nas_search.finalist_training or FinalistConfig()
        section = ("nas_search", "finalist_training", "training")
        yield from _unfit_training(config, name, how.training, lambda key: (*section, key))


def _unfit_training(
    config: WorkflowConfig, name: str, training: TrainingConfig, place: Callable[[str], Key]
) -> Iterator[Problem]:
    """Yield what is wrong with batches and weights of a training.

    Args:
        config: all of it.
        name: of the data set.
        training: its settings.
        place: returns the path of the key that sets a part of it.

    """
    yield from limits.batch_problems(config, name, place("batch_size"), training.batch_size)
    if training.objective == "distil" and training.teacher is None:
        yield Problem(place("objective"), "distil needs a teacher: name released weights")
    for option, path in training.weights().items():
        if not Path(path).is_file():
            text = f"{path} is missing: train it first, or correct the path"
            yield Problem(place(option), text)


def _net_problems(config: WorkflowConfig, name: str, bounds: Bounds) -> Iterator[Problem]:
    """Yield why a reference net, or one with feedback where it is searched, cannot be built."""
    impact, network, images = config.kernel_impact, bounds.network, bounds.images
    try:
        check_joined(Cell(tuple(role.replace("conv", "k1") for role in impact.reference_cell)))
    except ConfigError as error:
        yield Problem(("kernel_impact", "reference_cell"), str(error))
    else:
        try:
            for control in impact.controls:
                for size in impact.kernel_sizes:
                    reference_architecture(impact.reference_cell, size, control, network, images)
        except ConfigError as error:
            yield _network_problem(config, name, error)
    if config.nas_search.cells == "feedback":
        try:
            Architecture(Cell.from_archid("k1-k1-k1-k1r-k1-k1"), network, images)
        except ConfigError as error:
            yield Problem(("nas_search", "cells"), f"on data set {name}: {error}")


def _search_problems(config: WorkflowConfig, name: str, bounds: Bounds) -> Iterator[Problem]:
    """Yield which kernel sets have no cell in budget, too few to be trained, or too many."""
    design, ranks = config.kernel_set_design, config.train_final.ranks
    refused = False
    for sizes in dict.fromkeys((design.baseline, *design.fixed)):
        try:
            bounds.check(sizes)
        except (BudgetError, ConfigError) as error:
            yield _search_problem(name, error)
            refused = True
            continue
        count = bounds.candidates(sizes, ranks) if ranks > 1 else 1
        if count < ranks:
            yield Problem(
                ("train_final", "ranks"),
                f"is {ranks}, but the search of kernel set {list(sizes)} on data set {name} has "
                f"only {count} candidates: lower it, or widen the search",
            )
    if design.fixed or refused:
        return
    try:
        possible = bounds.designable(design, config.kernel_impact.kernel_sizes)
    except ConfigError as error:
        yield _search_problem(name, error)
        return
    if len(possible) < design.keep:
        yield Problem(
            ("kernel_set_design", "keep"),
            f"is {design.keep}, but only {len(possible)} sets beside the baseline can be made of "
            f"the measured sizes so that a cell meets nas_search/budget on data set {name}: lower "
            "it, measure more sizes or raise the budget",
        )


def _search_problem(name: str, error: BudgetError | ConfigError) -> Problem:
    key = "budget" if isinstance(error, BudgetError) else "strategy"
    return Problem(("nas_search", key), f"on data set {name}: {error}")
