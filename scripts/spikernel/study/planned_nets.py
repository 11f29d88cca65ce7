"""Which nets an experiment trains, and how often, as far as it is known before anything has run."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch

from spikernel.config import (
    FinalistConfig,
    NetworkConfig,
    SearchConfig,
    TrainingConfig,
    WorkflowConfig,
    kernel_set_name,
)
from spikernel.search.finalists import rung_sizes
from spikernel.search.score import score_class
from spikernel.search.strategies import Space, plan, rank_order
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.macro import scaled
from spikernel.study.bounds import Bounds
from spikernel.study.reference_net import ANCHOR, reference_architecture

RULES = (
    *("kernel_impact", "nas_search", "nas_search_shard", "finalist_rung", "train_final"),
    "deployment",
)
"""Rules whose jobs run nets, in the order of a study."""


def search_rule(search: SearchConfig) -> str:
    """Return the rule whose jobs score cells; to merge those of shards takes seconds."""
    return "nas_search" if search.shards == 1 else "nas_search_shard"


@dataclass(frozen=True)
class PlannedNet:
    """An architecture, and the jobs that train it."""

    rule: Literal["kernel_impact", "finalist_rung", "train_final"]
    architecture: Architecture
    training: TrainingConfig
    jobs: float
    """How many; not whole where several nets stand for jobs whose cells are not known yet."""
    searches: float = 0
    """Searches that choose it."""
    candidates: int = 0
    """Cells that each of them scores."""
    trainings: float = 1
    """Nets of this kind that a job trains, one after the other."""


def planned_nets(config: WorkflowConfig, dataset: str, images: ImageShape) -> list[PlannedNet]:
    """Return every kind of net that an experiment trains on a data set.

    Args:
        config: the experiment.
        dataset: one of its data sets.
        images: their shape.

    Raises:
        ConfigError: a net does not fit the images, or a search is too large.
        BudgetError: no cell of a set that is searched meets the budget.

    """
    sections = config.sections()
    network, impact, final = (
        sections[f"datasets/{dataset}/{name}"]
        for name in ("network", "kernel_impact", "train_final")
    )
    assert isinstance(network, NetworkConfig)
    assert isinstance(impact, TrainingConfig)
    assert isinstance(final, TrainingConfig)
    bounds = Bounds(config.nas_search, network, images)
    searched = dict(_searched_nets(config, final, bounds))
    return [
        *_reference_nets(config, impact, bounds),
        *_finalists(config, searched.values()),
        *_at_widths(config, searched),
    ]


def _reference_nets(
    config: WorkflowConfig, training: TrainingConfig, bounds: Bounds
) -> Iterator[PlannedNet]:
    impact = config.kernel_impact
    for control, size in itertools.product(impact.controls, impact.kernel_sizes):
        if size != ANCHOR or control == impact.controls[0]:
            architecture = reference_architecture(
                impact.reference_cell, size, control, bounds.network, bounds.images
            )
            yield PlannedNet("kernel_impact", architecture, training, len(impact.seeds))


def _searched_nets(
    config: WorkflowConfig, training: TrainingConfig, bounds: Bounds
) -> Iterator[tuple[str, PlannedNet]]:
    """Yield what the searches over each set find, and what the set would be called if fixed."""
    final, search = config.train_final, config.nas_search
    for sizes, share in kernel_set_shares(config, bounds).items():
        space = Space.of(search, sizes, bounds.network, bounds.images)
        cells = plan(search, space).cells
        architecture = space.architecture(likely_cell(cells, search, space))
        jobs = share * final.ranks * len(final.seeds)
        scored = min(len(cells), search.prefilter or len(cells))
        net = PlannedNet("train_final", architecture, training, jobs, share, scored)
        yield kernel_set_name(sizes), net


def _at_widths(config: WorkflowConfig, searched: Mapping[str, PlannedNet]) -> Iterator[PlannedNet]:
    """Yield the final nets. A set that may be designed has its share in the widths of all such."""
    names = config.kernel_sets()
    for name, net in searched.items():
        possible = [name] if name in names else names[1:]
        found = Counter(itertools.chain(*map(config.train_final.widths_of, possible)))
        # Searches are counted, and timed, with the width that is nearest to theirs.
        for place, width in enumerate(sorted(found, key=lambda width: abs(width - 1))):
            network = scaled(net.architecture.network, width)
            yield replace(
                net,
                architecture=replace(net.architecture, network=network),
                jobs=net.jobs * found[width] / len(possible),
                searches=0 if place else net.searches,
            )


def _finalists(config: WorkflowConfig, searched: Iterable[PlannedNet]) -> Iterator[PlannedNet]:
    """Yield the nets of every rung of every search, with its likely cell for all finalists."""
    best, how = config.nas_search.finalists, config.nas_search.finalist_training or FinalistConfig()
    if best is None:
        return
    for net in searched:
        first = min(best + how.beside, net.candidates)
        sizes = rung_sizes(first, len(how.rungs), how.reduction_factor)
        for epochs, finalists in zip(how.rungs, sizes, strict=True):
            training = how.training.model_copy(update={"epochs": epochs})
            yield PlannedNet(
                "finalist_rung",
                net.architecture,
                training,
                jobs=net.searches * how.shards,
                trainings=finalists * len(how.seeds) / how.shards,
            )


def kernel_set_shares(config: WorkflowConfig, bounds: Bounds) -> dict[tuple[int, ...], float]:
    """Return how many of the searches are over each set of kernel sizes.

    Which sets will be designed is not known; each possible one has the same share in them.
    """
    design = config.kernel_set_design
    certain = dict.fromkeys((design.baseline, *design.fixed), 1.0)
    if design.fixed:
        return certain
    possible = bounds.designable(design, config.kernel_impact.kernel_sizes)
    return certain | {sizes: design.keep / len(possible) for sizes in possible}


def likely_cell(cells: list[Cell], search: SearchConfig, space: Space) -> Cell:
    """Return the cell that a search among these would choose by a score that needs no images.

    It is the search's own score where it is such a one, else the default.
    """
    own = score_class(search.score)
    chosen = score_class(SearchConfig().score) if own.needs_images else own
    score = chosen(search, [], torch.device("cpu"))

    return min(
        cells, key=lambda cell: rank_order(score.score(space.architecture(cell)), cell, space)
    )
