"""What an experiment will cost on this machine: hours of each rule, memory and disk.

Or on a device that is not there, from its FLOP alone: see `spikernel.study.flop_estimate`.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from spikernel import provenance
from spikernel.config import DatasetConfig, SearchConfig, WorkflowConfig
from spikernel.data import manifest as manifests
from spikernel.data.manifest import Manifest
from spikernel.errors import ConfigError
from spikernel.report.tables import markdown
from spikernel.report.tables.table import Column, count, duration, significant, table
from spikernel.space.counts import memory_mb, parameter_count
from spikernel.study import experiment, flop_estimate, own_files, recorded
from spikernel.study.cluster_profile import Profile, read_profile
from spikernel.study.data_ahead import collection_ahead, manifest_ahead
from spikernel.study.planned_nets import RULES, PlannedNet, planned_nets, search_rule
from spikernel.study.shapes import image_shape
from spikernel.study.step_time import RuleTimes, time_nets

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Inputs:
    """Files read."""

    config: Annotated[Path, "experiment, for instance config/demo.yaml"]
    results: Annotated[Path, "folder of results; data prepared there are counted"] = Path("results")
    profile: Annotated[Path | None, "profile of a cluster, for instance profiles/slurm"] = None


@dataclass(frozen=True)
class Settings:
    """How the experiment will be run."""

    cores: Annotated[int, "what snakemake will get as --cores"] = os.cpu_count() or 1
    device_flops: Annotated[
        float | None, "time nothing; FLOP/s that a device is assumed to sustain, e.g. 2e14"
    ] = None


@dataclass(frozen=True)
class RuleCost:
    """What the jobs of a rule cost on one data set."""

    dataset: str
    rule: str
    jobs: float
    longest: float
    """Seconds of the longest job."""
    seconds: float
    """Seconds of all jobs, one after the other."""
    memory_gb: float
    """Peak of a job in GB (10^9 bytes)."""
    gpu_gb: float
    """The same of the GPU's memory."""


@dataclass(frozen=True)
class Cost:
    """What an experiment costs."""

    rules: tuple[RuleCost, ...]
    jobs_at_once: int
    data_mb: float
    """Prepared arrays in MB (10^6 bytes)."""
    weights_mb: float
    """Weights of all models."""
    state_mb: float
    """Largest state of an unfinished training."""

    @property
    def seconds(self) -> float:
        """Time until all is done; rules wait for each other, their jobs run side by side."""
        return sum(
            max(rule.longest, rule.seconds / min(self.jobs_at_once, max(1, rule.jobs)))
            for rule in self.rules
        )


COLUMNS = (
    Column("data set", "dataset"),
    Column("rule", "rule"),
    Column("jobs", "jobs", count, "number"),
    Column("longest job", "longest", duration, "number"),
    Column("all jobs, hours", "seconds", lambda seconds: significant(seconds / 3600, 2), "number"),
    Column("peak memory, GB", "memory_gb", lambda size: significant(size, 2), "number"),
    Column("of the GPU, GB", "gpu_gb", lambda size: significant(size, 2), "number"),
)


def run(inputs: Inputs, settings: Settings) -> None:
    """Print hours per rule, memory and disk; with a profile of a cluster node hours, too.

    Raises:
        SpikernelError: the configuration is not valid, data are missing, or memory is too small.

    """
    if settings.cores < 1:
        raise ConfigError(f"--cores must be at least 1, got {settings.cores}")
    config = experiment.read(inputs.config)
    if settings.device_flops is not None:
        found = {name: _manifest(config, name, inputs.results) for name in config.datasets}
        print(flop_estimate.describe(flop_estimate.costs(config, found), settings.device_flops))
        return
    profile = None if inputs.profile is None else read_profile(inputs.profile)
    cost = estimate(config, inputs.results, settings.cores)
    print(describe(cost))
    if profile is not None:
        print(describe_on_cluster(cost, profile))


def estimate(config: WorkflowConfig, results: Path, cores: int) -> Cost:
    """Time the nets of an experiment and add up what its jobs cost.

    Args:
        config: the experiment, checked.
        results: folder of results; images that are prepared there are counted, others as they are
            published or lie in their folder.
        cores: for jobs side by side.

    Raises:
        SpikernelError: see `run`.

    """
    rules: list[RuleCost] = []
    data_mb = weights_mb = state_mb = 0.0
    for dataset in config.datasets:
        manifest = _manifest(config, dataset, results)
        images = sum(split.count for split in manifest.splits.values())
        data_mb += images * (manifest.channels * manifest.image_size**2 + 8) / 1e6
        nets = planned_nets(config, dataset, image_shape(manifest))
        for rule in dict.fromkeys(net.rule for net in nets):
            chosen = [net for net in nets if net.rule == rule]
            LOG.info("timing %d nets of %s on %s", len(chosen), rule, dataset)
            times = time_nets(chosen, manifest, config.nas_search, config.device, config.threads)
            rules += _rule_costs(dataset, chosen, times, config.nas_search)
            state_mb = max(state_mb, *(net.state_bytes / 1e6 for net in times.nets))
        weights_mb += sum(net.jobs * _weights_mb(net) for net in chosen)
    on_gpu = any(rule.gpu_gb for rule in rules)
    at_once = 1 if on_gpu else max(1, cores // config.threads)
    rules.sort(key=lambda cost: (list(config.datasets).index(cost.dataset), RULES.index(cost.rule)))
    return Cost(tuple(rules), at_once, data_mb, weights_mb, state_mb)


def _weights_mb(net: PlannedNet) -> float:
    return memory_mb(parameter_count(net.architecture).total, "fp32")


def _manifest(config: WorkflowConfig, dataset: str, results: Path) -> Manifest:
    path = results / config.experiment / dataset / "prepare_data" / "manifest.json"
    data = config.sections()[f"datasets/{dataset}/data"]
    assert isinstance(data, DatasetConfig)
    record = path.with_name(provenance.RECORD)
    if path.exists() and record.exists():
        made = provenance.read(record, "settings")["settings"]
        # Images of one's own that were added since are counted anew.
        now = own_files.found(dataset, data, Path(config.data_dir))
        unchanged = now is None or made.get(own_files.KEY) in (None, now)
        if unchanged and recorded.same(data, made, recorded.NO_SETTINGS):
            return manifests.read(path)
    return manifest_ahead(dataset, data, collection_ahead(dataset, data, Path(config.data_dir)))


def _rule_costs(
    dataset: str, nets: Sequence[PlannedNet], times: RuleTimes, search: SearchConfig
) -> list[RuleCost]:
    """Return what the rules cost that train and search these nets; a search is split in shards."""
    jobs = [net.jobs for net in nets]
    work: dict[str, tuple[list[float], list[float]]] = {
        nets[0].rule: (
            jobs,
            [net.trainings * time.train for net, time in zip(nets, times.nets, strict=True)],
        )
    }
    if nets[0].rule == "train_final":
        shards = search.shards
        scores = [n.candidates * t.score / shards for n, t in zip(nets, times.nets, strict=True)]
        work = {
            search_rule(search): ([net.searches * shards for net in nets], scores),
            "train_final": (jobs, [time.train + time.test for time in times.nets]),
            "deployment": (jobs, [time.deploy for time in times.nets]),
        }
    return [
        RuleCost(
            dataset=dataset,
            rule=rule,
            jobs=sum(numbers),
            longest=times.start + max(seconds),
            seconds=sum(n * (times.start + s) for n, s in zip(numbers, seconds, strict=True)),
            memory_gb=times.memory_bytes / 1e9,
            gpu_gb=times.gpu_bytes / 1e9,
        )
        for rule, (numbers, seconds) in work.items()
    ]


def describe(cost: Cost) -> str:
    """Return the cost as a table and three lines."""
    columns = COLUMNS if any(rule.gpu_gb for rule in cost.rules) else COLUMNS[:-1]
    rows = markdown.render(table("", columns, map(asdict, cost.rules)))
    jobs = "one job after the other"
    if cost.jobs_at_once > 1:
        jobs = f"{cost.jobs_at_once} jobs at once, if they do not slow each other down"
    memory = cost.jobs_at_once * max(rule.memory_gb for rule in cost.rules)
    return (
        f"{rows}\nTime: about {duration(cost.seconds)} on this machine, {jobs}; tables, exports "
        f"and figures take minutes more.\nMemory: up to {significant(memory, 2)} GB.\n"
        f"Disk: {significant(cost.data_mb)} MB of images, {significant(cost.weights_mb)} MB of "
        f"weights, up to {significant(cost.state_mb)} MB for each unfinished training."
    )


def describe_on_cluster(cost: Cost, profile: Profile) -> str:
    """Return node hours where each job has a node, and which jobs outlast their first attempt."""
    lines, gpu_hours = [], 0.0
    for rule in cost.rules:
        asked = profile.asked(rule.rule)
        gpu_hours += rule.seconds / 3600 if asked.get("gpu") else 0
        minutes = profile.first_minutes(rule.rule)
        if minutes is not None and rule.longest > 60 * minutes:
            lines.append(
                f"{rule.rule} on {rule.dataset}: a job of {duration(rule.longest)} outlasts its "
                f"first {minutes} min: raise runtime in set-resources"
            )
    hours = sum(rule.seconds for rule in cost.rules) / 3600
    total = (
        f"Cluster: {significant(hours, 2)} node hours, {significant(gpu_hours, 2)} of them of jobs "
        f"that ask for a GPU, if a node is as fast as this machine and has one job; at most "
        f"{profile.jobs} jobs at once."
    )
    return "\n".join([total, *lines])
