"""What an experiment will cost on a device that is not there: its FLOP, at an assumed rate.

Counted are convolutions and linear layers (`spikernel.space.flop`), of trainings by
`spikernel.training.phases.FLOP_RULE`. Nothing is timed, so that loading of data, normalisation,
neurons, small kernels and the start of jobs are not in it: a job never takes less.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial

import torch

from spikernel.config import SearchConfig, WorkflowConfig
from spikernel.data.manifest import Manifest
from spikernel.errors import ConfigError
from spikernel.network.spiking_net import SpikingNet
from spikernel.report.tables import markdown
from spikernel.report.tables.table import Column, count, significant, table
from spikernel.search.score import score_class
from spikernel.space.flop import forward_flop
from spikernel.study.planned_nets import RULES, PlannedNet, planned_nets, search_rule
from spikernel.study.shapes import image_shape
from spikernel.training.phases import make_phases


@dataclass(frozen=True)
class RuleFlop:
    """FLOP of the jobs of a rule on one data set."""

    dataset: str
    rule: str
    jobs: float
    flop: float
    """Of all jobs."""


def costs(config: WorkflowConfig, manifests: Mapping[str, Manifest]) -> list[RuleFlop]:
    """Return the FLOP of every rule that runs nets.

    Args:
        config: the experiment, checked.
        manifests: of each data set.

    Raises:
        SpikernelError: see `planned_nets`; or a training does not fit its net.

    """
    found: dict[tuple[str, str], RuleFlop] = {}
    for dataset, manifest in manifests.items():
        for net in planned_nets(config, dataset, image_shape(manifest)):
            for rule, jobs, flop in _work(net, manifest, config.nas_search):
                before = found.get((dataset, rule), RuleFlop(dataset, rule, 0, 0))
                added = RuleFlop(dataset, rule, before.jobs + jobs, before.flop + jobs * flop)
                found[dataset, rule] = added
    places = {dataset: place for place, dataset in enumerate(manifests)}
    return sorted(
        (cost for cost in found.values() if cost.jobs),
        key=lambda cost: (places[cost.dataset], RULES.index(cost.rule)),
    )


def _work(
    net: PlannedNet, manifest: Manifest, search: SearchConfig
) -> Iterator[tuple[str, float, float]]:
    """Yield the rules that run a net, with their jobs and the FLOP of each job."""
    counts = {name: split.count for name, split in manifest.splits.items()}
    forward = forward_flop(net.architecture)
    trained = training_flop(net, counts["train"], counts["validation"])
    if net.rule != "train_final":
        yield net.rule, net.jobs, net.trainings * trained
        return
    if score_class(search.score).needs_images:
        scored = net.candidates * search.batches * search.batch_size * forward
        yield search_rule(search), net.searches * search.shards, scored / search.shards
    yield "train_final", net.jobs, trained + counts["test"] * forward
    yield "deployment", net.jobs, (counts["validation"] + counts["test"]) * forward


def training_flop(net: PlannedNet, train_images: int, validation_images: int) -> int:
    """Return the FLOP of one training, with a validation after every epoch.

    Raises:
        ConfigError: a phase does not fit the net or the images.

    """
    with torch.device("meta"):  # its weights are not needed
        phases = make_phases(SpikingNet(net.architecture), net.training)
    validated = validation_images * forward_flop(net.architecture)
    return sum(
        phase.settings.epochs * (train_images * phase.flop_per_image + validated)
        for phase in phases
    )


def describe(found: list[RuleFlop], device_flops: float) -> str:
    """Return the cost as a table and what it rests on.

    Args:
        found: from `costs`.
        device_flops: FLOP per second that the device is assumed to sustain.

    Raises:
        ConfigError: the rate is not positive.

    """
    if not device_flops > 0:
        raise ConfigError(f"--device-flops must be positive, got {device_flops:g}")
    hours = partial(_hours, device_flops)
    columns = (
        Column("data set", "dataset"),
        Column("rule", "rule"),
        Column("jobs", "jobs", count, "number"),
        Column("all jobs, PFLOP", "flop", lambda flop: significant(flop / 1e15), "number"),
        Column("all jobs, hours", "flop", hours, "number"),
    )
    rows = markdown.render(table("", columns, map(asdict, found)))
    total = sum(cost.flop for cost in found)
    return (
        f"{rows}\nEstimate, from FLOP alone, nothing was timed: about {hours(total)} h of one "
        f"device that is assumed to sustain {device_flops / 1e12:g} TFLOP/s; it will not be less."
    )


def _hours(device_flops: float, flop: float) -> str:
    return significant(flop / device_flops / 3600, 2)
