"""The whole configuration of an experiment, as the Snakefile reads it."""

import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from spikernel.config.base import StrictModel
from spikernel.config.datasets import DatasetConfig, DatasetEntry
from spikernel.config.design import DesignConfig
from spikernel.config.export import ExportConfig
from spikernel.config.final import FinalConfig
from spikernel.config.finalists import FinalistConfig
from spikernel.config.impact import ImpactConfig
from spikernel.config.network import NetworkConfig
from spikernel.config.problems import Key, Problem, RefusedError, fault, sound
from spikernel.config.report import ReportConfig
from spikernel.config.search import SearchConfig
from spikernel.config.training import TrainingConfig

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


def kernel_set_name(sizes: tuple[int, ...]) -> str:
    """Return the name of a kernel set in paths and tables, for instance `k1-3`."""
    return "k" + "-".join(str(size) for size in sorted(sizes))


class WorkflowConfig(StrictModel):
    """One experiment: its data sets and the settings of every step."""

    experiment: Name
    """Name of the folder under results/."""
    data_dir: Annotated[str, AfterValidator(os.path.expanduser)] = "data"
    """Folder that holds, or receives, the data sets; a leading `~` is your home."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto` takes a GPU where there is one; `cuda` fails where there is none."""
    threads: int = Field(default=1, ge=1)
    """CPU threads of each job that trains or scores."""
    datasets: dict[Name, DatasetEntry]
    """Data sets by name, with their own settings."""
    network: NetworkConfig = NetworkConfig()
    """Macro-structure and neurons."""
    kernel_impact: ImpactConfig = ImpactConfig()
    """Step 1."""
    kernel_set_design: DesignConfig = DesignConfig()
    """Step 2."""
    nas_search: SearchConfig = SearchConfig()
    """Step 3."""
    train_final: FinalConfig = FinalConfig()
    """Step 4."""
    tradeoff_report: ReportConfig = ReportConfig()
    """Step 5."""
    export: ExportConfig = ExportConfig()
    """Step 6."""

    @model_validator(mode="before")
    @classmethod
    def _name_built_in_datasets(cls, data: Any) -> Any:
        """Let `cifar10:` alone mean the built-in data set of that name."""
        if not isinstance(data, dict) or not isinstance(data.get("datasets"), dict):
            return data
        datasets = {}
        for name, given in data["datasets"].items():
            settings = {} if given is None else given
            if isinstance(settings, dict) and "kind" not in settings:
                settings = {"kind": name, **settings}
            datasets[name] = settings
        return {**data, "datasets": datasets}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.datasets:
            raise fault("datasets must name at least one data set", "datasets")
        return self

    def problems(self) -> Iterator[Problem]:
        """Yield what each section allows, but not beside the others."""
        yield from sound(self._kernel_problems())
        for name in self.datasets:
            for section in ("kernel_impact", "train_final", "network"):
                yield from sound(self._section_problems(name, section))
        yield from sound(self._width_problems())
        yield from sound(self._budget_problems())

    def _kernel_problems(self) -> Iterator[Problem]:
        unmeasured = self.all_kernel_sizes() - set(self.kernel_impact.kernel_sizes)
        for size in sorted(unmeasured):
            yield Problem(
                ("kernel_impact", "kernel_sizes"),
                f"kernel size {size} of kernel_set_design is not measured: add it",
            )

    def _budget_problems(self) -> Iterator[Problem]:
        budget, budgets = self.export.memory_budget_mb, self.tradeoff_report.memory_budgets_mb
        if budget is not None and budget not in budgets:
            yield Problem(
                ("export", "memory_budget_mb"),
                f"{budget:g} is not among tradeoff_report/memory_budgets_mb {list(budgets)}: take "
                "one of these",
            )

    def _width_problems(self) -> Iterator[Problem]:
        by_set = self.train_final.widths
        for name in sorted({*by_set} - {*self.kernel_sets()}) if isinstance(by_set, dict) else ():
            yield Problem(
                ("train_final", "widths", name),
                "there is no such kernel set; there are " + ", ".join(self.kernel_sets()),
            )
        bounds, widest = self.nas_search.budget, self.all_widths()[-1]
        if (bounds.max_params or bounds.max_memory_mb) and widest > bounds.width:
            yield Problem(
                ("train_final", "widths"),
                f"nets of width {widest:g} may be beyond nas_search/budget, whose bounds are for "
                f"width {bounds.width:g}: set nas_search/budget/width to {widest:g}, or remove it",
            )

    def _section_problems(self, name: str, section: str) -> Iterator[Problem]:
        try:
            found = self._section_of(name, section)
        except RefusedError as error:
            above = ("datasets", name, section)
            yield from (Problem((*above, *item.key), item.message) for item in error.problems)
        else:
            if isinstance(found, NetworkConfig):
                yield from self._unused_convolutions(name, found)

    def _unused_convolutions(self, name: str, network: NetworkConfig) -> Iterator[Problem]:
        by_size = network.convolutions if isinstance(network.convolutions, dict) else {}
        for size in sorted(set(by_size) - self.all_kernel_sizes()):
            yield Problem(
                self.network_key(name, "convolutions"),
                f"network/convolutions of data set {name} names size {size}, which no kernel set "
                "holds: add it to kernel_impact/kernel_sizes or remove it",
            )

    def all_kernel_sizes(self) -> set[int]:
        """Return every kernel size that a step may use."""
        design = self.kernel_set_design
        return {*self.kernel_impact.kernel_sizes, *design.baseline}.union(*design.fixed)

    def kernel_sets(self) -> list[str]:
        """Return the names of all kernel sets, known before anything has run.

        Fixed sets are named by their sizes; a designed set by its place in the ranking.
        """
        design = self.kernel_set_design
        if design.fixed:
            names = [kernel_set_name(sizes) for sizes in design.fixed]
        else:
            names = [f"design-{place}" for place in range(1, design.keep + 1)]
        baseline = kernel_set_name(design.baseline)
        return [baseline, *(name for name in dict.fromkeys(names) if name != baseline)]

    def all_widths(self) -> list[float]:
        """Return every width at which a cell is trained, the smallest first."""
        widths = self.train_final.widths
        if isinstance(widths, tuple):
            return sorted(widths)
        return sorted({*itertools.chain(*map(self.train_final.widths_of, self.kernel_sets()))})

    def sections(self) -> dict[str, StrictModel]:
        """Return every section that a step gets, by its path, the data sets' overrides applied.

        Raises:
            RefusedError: an override has an unknown key or a bad value.

        """
        found: dict[str, StrictModel] = {
            name: getattr(self, name) for name in ("kernel_set_design", "tradeoff_report", "export")
        }
        # Apart, so that neither finalists nor their training touch what is scored.
        scored = {"finalists": None, "finalist_training": None}
        found["nas_search"] = self.nas_search.model_copy(update=scored)
        found["finalist_training"] = self.nas_search.finalist_training or FinalistConfig()
        for name, entry in self.datasets.items():
            own = {field: getattr(entry, field) for field in DatasetConfig.model_fields}
            found[f"datasets/{name}/data"] = DatasetConfig(**own)
            for section in ("network", "kernel_impact", "train_final"):
                found[f"datasets/{name}/{section}"] = self._section_of(name, section)
        return found

    def network_of(self, dataset: str) -> NetworkConfig:
        """Return the macro-structure for a data set.

        Raises:
            RefusedError: its override has an unknown key or a bad value.

        """
        return _override(self.network, self.datasets[dataset].network, "network")

    def _section_of(self, dataset: str, section: str) -> StrictModel:
        if section == "network":
            return self.network_of(dataset)
        return self.training_of(dataset, section)

    def training_of(self, dataset: str, section: str) -> TrainingConfig:
        """Return how `kernel_impact` or `train_final` trains on a data set.

        Raises:
            RefusedError: its override has an unknown key or a bad value.

        """
        training: TrainingConfig = getattr(self, section).training
        return _override(training, getattr(self.datasets[dataset], section), section)

    def training_key(self, dataset: str, section: str, key: str) -> Key:
        """Return the path of the key that sets a part of a training for a data set."""
        own = key in getattr(self.datasets[dataset], section)
        return ("datasets", dataset, section, key) if own else (section, "training", key)

    def network_key(self, dataset: str, key: str) -> Key:
        """Return the path of the key that sets a part of the macro-structure for a data set."""
        own = key in self.datasets[dataset].network
        return ("datasets", dataset, "network", key) if own else ("network", key)


Section = TypeVar("Section", bound=StrictModel)


def _override(base: Section, changes: Mapping[str, Any], where: str) -> Section:
    # A change that names a recipe or macro-structure starts from that, not from the section's.
    fresh = "recipe" in changes or "macro" in changes
    inherited = {} if fresh else base.model_dump(exclude_unset=True)
    return base.parse({**inherited, **changes}, where)
