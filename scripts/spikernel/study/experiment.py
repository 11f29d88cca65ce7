"""The configuration of an experiment, checked as a whole before anything runs. No torch."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spikernel import registry
from spikernel.config import (
    NetworkConfig,
    WorkflowConfig,
    strict_yaml,
)
from spikernel.config.problems import Place, Problem, RefusedError, sound
from spikernel.data.reader import channels_of
from spikernel.data.rules import check_datasets, image_size
from spikernel.errors import BudgetError, ConfigError
from spikernel.search.rules import check_search
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import CellCounter
from spikernel.space.macro import scaled
from spikernel.study import limits
from spikernel.study.bounds import Bounds
from spikernel.study.joined import check_joined
from spikernel.study.reference_net import reference_architecture
from spikernel.study.sound_part import sound_part
from spikernel.study.training_problems import FEEDBACK, finalist_problems, training_problems


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
    stem = list(_stem_problems(config, name, bounds.network))
    if stem:
        yield from stem
        return
    for section in ("kernel_impact", "train_final"):
        yield from sound(training_problems(config, name, bounds, section))
    yield from sound(finalist_problems(config, name, bounds))
    yield from sound(_net_problems(config, name, bounds))
    yield from sound(limits.search_problems(config, name))
    unfit = list(_width_problems(config, name, bounds))
    yield from unfit
    if not unfit:
        yield from sound(_search_problems(config, name, bounds))
        yield from sound(limits.size_problems(config, name, bounds))


def _stem_problems(config: WorkflowConfig, name: str, network: NetworkConfig) -> Iterator[Problem]:
    """Yield why the stem cannot follow the channels of nets that have others than `network`."""
    if config.nas_search.budget.fill:
        varied = "nas_search/budget/fill gives each cell"
    elif "iso_parameter" in config.kernel_impact.controls:
        varied = "control iso_parameter of kernel_impact gives each kernel size"
    else:
        return
    is_fixed = network.stem_channels is not None
    if (is_fixed or network.stem_weights == "whitened") and not (
        is_fixed and network.early_transition
    ):
        yield Problem(
            config.network_key(name, "stem_channels" if is_fixed else "stem_weights"),
            f"on data set {name}: the stem's channels are fixed, and {varied} channels of its own: "
            "set stem_channels and early_transition, or leave both keys of the stem out",
        )


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
    # Of a kind that does not say how many classes, the least: the counts are then lower bounds.
    images = ImageShape(
        channels=channels_of(settings.kind),
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
            network = scaled(bounds.network, width)
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
            Architecture(FEEDBACK, network, images)
        except ConfigError as error:
            yield Problem(("nas_search", "cells"), f"on data set {name}: {error}")
        else:
            if network.time_steps == 1:
                text = f"on data set {name}: feedback reaches the next time step, and there is one"
                yield Problem(("nas_search", "cells"), f"{text}: search forward cells")


def _search_problems(config: WorkflowConfig, name: str, bounds: Bounds) -> Iterator[Problem]:
    """Yield which kernel sets have no cell in budget, too few to be trained, or too many."""
    design, ranks = config.kernel_set_design, config.train_final.ranks
    refused, few = False, list[Problem]()
    for sizes in dict.fromkeys((design.baseline, *design.fixed)):
        try:
            bounds.check(sizes)
        except (BudgetError, ConfigError) as error:
            yield _search_problem(name, error)
            refused = True
            continue
        few = list(_rank_problems(name, bounds, sizes, ranks))
        yield from few
    if design.fixed or refused:
        return
    try:
        possible = bounds.designable(design, config.kernel_impact.kernel_sizes)
    except ConfigError as error:
        yield _search_problem(name, error)
        return
    # Of those that may be designed, the first says enough.
    if not few:
        others = (list(_rank_problems(name, bounds, sizes, ranks)) for sizes in possible)
        yield from next(filter(None, others), ())
    if len(possible) < design.keep:
        yield Problem(
            ("kernel_set_design", "keep"),
            f"is {design.keep}, but only {len(possible)} sets beside the baseline can be made of "
            f"the measured sizes so that a cell meets nas_search/budget on data set {name}: lower "
            "it, measure more sizes or raise the budget",
        )


def _rank_problems(
    name: str, bounds: Bounds, sizes: tuple[int, ...], ranks: int
) -> Iterator[Problem]:
    count = bounds.candidates(sizes, ranks) if ranks > 1 else 1
    if count < ranks:
        yield Problem(
            ("train_final", "ranks"),
            f"is {ranks}, but the search of kernel set {list(sizes)} on data set {name} has only "
            f"{count} candidates: lower it, or widen the search",
        )


def _search_problem(name: str, error: BudgetError | ConfigError) -> Problem:
    key = "budget" if isinstance(error, BudgetError) else "strategy"
    return Problem(("nas_search", key), f"on data set {name}: {error}")
