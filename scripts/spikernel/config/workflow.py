"""The whole configuration of an experiment, as the Snakefile reads it."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, model_validator

from spikernel import registry
from spikernel.config.base import StrictModel
from spikernel.config.datasets import DatasetConfig, DatasetEntry
from spikernel.config.design import DesignConfig
from spikernel.config.export import ExportConfig
from spikernel.config.final import FinalConfig
from spikernel.config.impact import ImpactConfig
from spikernel.config.network import Convolutions, NetworkConfig
from spikernel.config.report import ReportConfig
from spikernel.config.search import SearchConfig
from spikernel.errors import ConfigError

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


def kernel_set_name(sizes: tuple[int, ...]) -> str:
    """Return the name of a kernel set in paths and tables, for instance `k1-3`."""
    return "k" + "-".join(str(size) for size in sorted(sizes))


class WorkflowConfig(StrictModel):
    """One experiment: its data sets and the settings of every step."""

    experiment: Name
    """Name of the folder under results/."""
    data_dir: str = "data"
    """Folder that holds, or receives, the data sets."""
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
                if name not in (kinds := registry.names("reader")):
                    raise ValueError(
                        f"unknown data set '{name}': known are {', '.join(kinds)}; for one of "
                        "your own set its kind, such as imagefolder"
                    )
                settings = {"kind": name, **settings}
            datasets[name] = settings
        return {**data, "datasets": datasets}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.datasets:
            raise ValueError("datasets must name at least one data set")
        self._check_designs()
        budget, budgets = self.export.memory_budget_mb, self.tradeoff_report.memory_budgets_mb
        if budget is not None and budget not in budgets:
            raise ValueError(
                f"export/memory_budget_mb {budget:g} is not among tradeoff_report/"
                f"memory_budgets_mb {list(budgets)}: take one of these"
            )
        return self

    def _check_designs(self) -> None:
        design, sizes = self.kernel_set_design, self.kernel_impact.kernel_sizes
        unmeasured = sorted(self.all_kernel_sizes() - set(sizes))
        if unmeasured:
            raise ValueError(
                f"kernel size {unmeasured[0]} of kernel_set_design is not measured: add it to "
                "kernel_impact/kernel_sizes"
            )
        if design.fixed:
            return
        possible = sum(math.comb(len(sizes), count) for count in set(design.sizes_per_set))
        possible -= len(design.baseline) in design.sizes_per_set
        if possible < design.keep:
            raise ValueError(
                f"kernel_set_design/keep is {design.keep}, but only {possible} sets beside the "
                f"baseline can be made of the sizes {list(sizes)}: lower keep or add sizes"
            )

    def _check_convolutions(self, convolutions: Convolutions, dataset: str) -> None:
        if isinstance(convolutions, str):
            return
        unused = sorted(set(convolutions) - self.all_kernel_sizes())
        if unused:
            raise ConfigError(
                f"config: network/convolutions of data set {dataset} names size {unused[0]}, which "
                "no kernel set holds: add it to kernel_impact/kernel_sizes or remove it"
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

    def sections(self) -> dict[str, StrictModel]:
        """Return every section that a step gets, by its path, the data sets' overrides applied.

        Raises:
            ConfigError: an override has an unknown key or a bad value, or the type of a
                convolution is given that no step uses.

        """
        found: dict[str, StrictModel] = {
            name: getattr(self, name)
            for name in ("kernel_set_design", "nas_search", "tradeoff_report", "export")
        }
        for name, entry in self.datasets.items():
            place = f"datasets/{name}"
            own = {field: getattr(entry, field) for field in DatasetConfig.model_fields}
            network = _override(self.network, entry.network, f"config: {place}/network")
            self._check_convolutions(network.convolutions, name)
            found[f"{place}/data"] = DatasetConfig(**own)
            found[f"{place}/network"] = network
            for step in ("kernel_impact", "train_final"):
                training, changes = getattr(self, step).training, getattr(entry, step)
                found[f"{place}/{step}"] = _override(training, changes, f"config: {place}/{step}")
        return found


Section = TypeVar("Section", bound=StrictModel)


def _override(base: Section, changes: Mapping[str, Any], where: str) -> Section:
    # A change that names a recipe or macro-structure starts from that, not from the section's.
    fresh = "recipe" in changes or "macro" in changes
    inherited = {} if fresh else base.model_dump(exclude_unset=True)
    return type(base).parse({**inherited, **changes}, where)
