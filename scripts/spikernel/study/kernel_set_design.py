"""Step 2: kernel sets from the measured impact of kernel sizes. No torch.

The rule, our choice because the paper's is not public. A random cell over a set uses each of
its sizes equally often, so a set is judged by means over its sizes:

* evidence = mean over the sizes of the size's validation accuracy, itself the mean over the
  controls that were run (plain: same width; iso_parameter: same parameters), in percent;
* cost = mean over the sizes of the weights of a convolution edge per pair of channels, at the
  channels of the first stage: k^2 where the size is dense, 1 + k^2 / C where it is depthwise
  separable, 2 k where it is factorised.

Sets are sorted into Pareto fronts (more evidence, less cost); earlier fronts first, within a
front more evidence first, then less cost, then fewer and smaller sizes. Sets none of whose cells
meets the search's budget are left out. The baseline is ranked among them, so that its place says
what the rule thinks of it, and is searched whatever its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd

from spikernel import artifacts, pareto, provenance
from spikernel.config import DesignConfig, NetworkConfig, SearchConfig, kernel_set_name
from spikernel.data import manifest
from spikernel.errors import ConfigError, TableError
from spikernel.space.operations import conv, convolution
from spikernel.study.bounds import Bounds
from spikernel.study.shapes import image_shape
from spikernel.tables import read_csv

RULE = (
    "Sets, the baseline among them, are sorted into Pareto fronts of evidence (mean validation "
    "accuracy of their sizes, averaged over the controls) and cost (mean weights per pair of "
    "channels of their sizes, k^2 where dense); earlier fronts first, then more evidence, then "
    "less cost. The first are searched, and the baseline in any case. Sets none of whose cells "
    "meets the budget of the search are left out."
)


@dataclass(frozen=True)
class KernelSet:
    """A set of kernel sizes with what speaks for it."""

    sizes: tuple[int, ...]
    evidence_percent: float
    cost: float
    front: int = 0


def evidence_by_size(impact: pd.DataFrame) -> dict[int, float]:
    """Return each kernel size's validation accuracy in percent, the mean over its controls."""
    means = impact.groupby("kernel_size")["val_accuracy_percent_mean"].mean().reset_index()
    return {
        int(size): float(accuracy)
        for size, accuracy in zip(
            means["kernel_size"], means["val_accuracy_percent_mean"], strict=True
        )
    }


@dataclass(frozen=True)
class Size:
    """A kernel size: the operation that stands for it, its evidence and its cost."""

    operation: str
    evidence_percent: float
    cost: float


def judge_sizes(impact: pd.DataFrame, network: NetworkConfig) -> dict[int, Size]:
    """Return evidence and cost of every kernel size that was measured."""
    judged = {}
    for size, accuracy in evidence_by_size(impact).items():
        operation = conv(size, network.convolutions)
        edge = convolution(operation)
        assert edge is not None
        cost = edge.weights(network.channels) / network.channels**2
        judged[size] = Size(operation, accuracy, cost)
    return judged


def judge(sizes: Sequence[int], judged: Mapping[int, Size]) -> KernelSet:
    """Return a set with its evidence and cost.

    Raises:
        TableError: the impact of one of its sizes was not measured.

    """
    unknown = [size for size in sizes if size not in judged]
    if unknown:
        raise TableError(
            f"kernel set {list(sizes)}: the impact of size {unknown[0]} was not measured: add it "
            "to kernel_impact/kernel_sizes"
        )
    return KernelSet(
        tuple(sizes),
        sum(judged[size].evidence_percent for size in sizes) / len(sizes),
        sum(judged[size].cost for size in sizes) / len(sizes),
    )


def rank(candidates: Sequence[KernelSet]) -> list[KernelSet]:
    """Sort sets by the rule; each comes back with the number of its front, from 1."""
    left, ranked, front = list(candidates), [], 1
    while left:
        flags = pareto.front([i.cost for i in left], [i.evidence_percent for i in left])
        best = [item for item, on_front in zip(left, flags, strict=True) if on_front]
        left = [item for item in left if item not in best]
        best.sort(key=lambda item: (-item.evidence_percent, item.cost, len(item.sizes), item.sizes))
        ranked += [KernelSet(i.sizes, i.evidence_percent, i.cost, front) for i in best]
        front += 1
    return ranked


def design(impact: pd.DataFrame, settings: DesignConfig, bounds: Bounds) -> list[dict[str, object]]:
    """Return the sets to search, the baseline first, each with its reason.

    Raises:
        TableError: a needed kernel size was not measured.
        ConfigError: there are fewer possible sets than `keep`.
        BudgetError: no cell of the baseline or of a fixed set meets the budget.

    """
    judged = judge_sizes(impact, bounds.network)
    baseline = judge(settings.baseline, judged)
    for sizes in (settings.baseline, *settings.fixed):
        bounds.check(sizes)
    if settings.fixed:
        others = [judge(sizes, judged) for sizes in settings.fixed if sizes != settings.baseline]
        return [
            _entry(kernel_set_name(baseline.sizes), baseline, "baseline", "always searched"),
            *(
                _entry(kernel_set_name(item.sizes), item, "fixed", "fixed in the configuration")
                for item in others
            ),
        ]
    possible = [judge(sizes, judged) for sizes in bounds.designable(settings, list(judged))]
    if len(possible) < settings.keep:
        raise ConfigError(
            f"kernel_set_design/keep is {settings.keep}, but only {len(possible)} sets that meet "
            f"nas_search/budget can be made of the sizes {sorted(judged)}: lower keep, measure "
            "more sizes or raise the budget"
        )
    ranked = rank([baseline, *possible])
    places = {item.sizes: place for place, item in enumerate(ranked, start=1)}

    def entry(name: str, item: KernelSet, origin: str, note: str = "") -> dict[str, object]:
        place = places[item.sizes]
        reason = f"{note}front {item.front}, place {place} of {len(ranked)}: "
        return _entry(name, item, origin, reason + _evidence(item, baseline, judged), place)

    own = ranked[places[baseline.sizes] - 1]
    designed = [item for item in ranked if item.sizes != baseline.sizes][: settings.keep]
    return [
        entry(kernel_set_name(baseline.sizes), own, "baseline", "always searched; "),
        *(entry(f"design-{number}", item, "designed") for number, item in enumerate(designed, 1)),
    ]


def _evidence(item: KernelSet, baseline: KernelSet, judged: Mapping[int, Size]) -> str:
    """Return in words what speaks for a set."""
    sizes = (judged[size] for size in item.sizes)
    return (
        ", ".join(f"{size.operation} {size.evidence_percent:.2f} %" for size in sizes)
        + f"; mean {item.evidence_percent:.2f} % (baseline {baseline.evidence_percent:.2f} %)"
        + f", cost {item.cost:.1f} (baseline {baseline.cost:.1f})"
    )


def _entry(
    name: str, item: KernelSet, origin: str, reason: str, place: int | None = None
) -> dict[str, object]:
    return {
        "name": name,
        "sizes": list(item.sizes),
        "origin": origin,
        "evidence_percent": item.evidence_percent,
        "cost": item.cost,
        "place": place,
        "reason": reason,
    }


@dataclass(frozen=True)
class Inputs:
    """Files read."""

    impact: Annotated[Path, "impact.csv of kernel_impact_table"]
    manifest: Annotated[Path, "manifest.json of prepare_data"]


@dataclass(frozen=True)
class Outputs:
    """The file written."""

    kernel_sets: Annotated[Path, "kernel_sets.json to write"]


@dataclass(frozen=True)
class Settings:
    """The rule's settings, and what decides whether a set's cells fit the search's budget."""

    design: Annotated[DesignConfig, "settings of the step"] = DesignConfig()
    network: Annotated[NetworkConfig, "macro-structure, with types of convolution"] = (
        NetworkConfig()
    )
    search: Annotated[SearchConfig, "settings of nas_search, with its budget"] = SearchConfig()


def run(inputs: Inputs, outputs: Outputs, settings: Settings) -> None:
    """Read `impact.csv` of one data set and write `kernel_sets.json`."""
    watch = provenance.Stopwatch()
    provenance.check(provenance.paths_of(inputs))
    impact = read_csv(
        inputs.impact,
        text=("dataset", "control"),
        numbers=("kernel_size", "val_accuracy_percent_mean"),
    )
    if impact.empty:
        raise TableError(f"{inputs.impact} has no rows: run kernel_impact again")
    data = manifest.read(inputs.manifest)
    measured_on = set(impact["dataset"])
    if measured_on != {data.dataset}:
        raise TableError(
            f"{inputs.impact} was measured on {', '.join(sorted(measured_on))}, but "
            f"{inputs.manifest} is of {data.dataset}: give files of one data set"
        )
    bounds = Bounds(settings.search, settings.network, image_shape(data))
    sets = design(impact, settings.design, bounds)
    artifacts.write_json(outputs.kernel_sets, {"dataset": data.dataset, "rule": RULE, "sets": sets})
    provenance.write(
        outputs.kernel_sets.with_name(provenance.RECORD),
        step="kernel_set_design",
        settings=provenance.plain(settings),
        inputs=provenance.paths_of(inputs),
        outputs=provenance.paths_of(outputs),
        seconds=watch.seconds(),
    )


def read_kernel_sizes(path: Path, name: str) -> tuple[int, ...]:
    """Return the sizes of one set of `kernel_sets.json`.

    Raises:
        TableError: there is no set of that name, or the file lists no sets.

    """
    listed = artifacts.read_object(path, "sets")["sets"]
    try:
        sets = {str(item["name"]): tuple(map(int, item["sizes"])) for item in listed}
    except (KeyError, TypeError, ValueError):
        raise TableError(
            f"{path}: 'sets' must list kernel sets by name and sizes: run kernel_set_design again"
        ) from None
    if name not in sets:
        raise TableError(f"{path}: no kernel set '{name}'; it holds {', '.join(sets)}")
    return sets[name]
