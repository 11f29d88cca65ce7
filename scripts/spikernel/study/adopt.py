"""Whether finished results that were made elsewhere are what this project would make now.

Snakemake keeps what it knows of each file in `.snakemake/metadata`. Results that come without it
have to be told from results of other code, settings or data before they may count as finished.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from spikernel import code, provenance, verification
from spikernel.config import WorkflowConfig
from spikernel.errors import DataError
from spikernel.study import experiment, planned_files, recorded


@dataclass(frozen=True)
class Section:
    """Which settings of the configuration a record holds."""

    path: str
    without: tuple[str, ...] = ()
    """Keys that say nothing of the result, or are no settings."""


NETWORK = Section("datasets/{dataset}/network")
ALL = ""
"""Stands for the recorded settings as a whole."""

SECTIONS: dict[str, dict[str, Section]] = {
    "prepare_data": {ALL: Section("datasets/{dataset}/data", recorded.NO_SETTINGS)},
    "kernel_impact": {
        # The control decides the channels; kernel_set_design records those of the configuration.
        "network": Section(NETWORK.path, ("channels",)),
        "training": Section("datasets/{dataset}/kernel_impact"),
    },
    "kernel_set_design": {
        "design": Section("kernel_set_design"),
        "network": NETWORK,
        "search": Section("nas_search", ("score", "shards")),
    },
    "nas_search": {"search": Section("nas_search"), "network": NETWORK},
    "finalist_ranking": {"training": Section("finalist_training"), "network": NETWORK},
    "train_final": {"training": Section("datasets/{dataset}/train_final"), "network": NETWORK},
    "tradeoff_table": {ALL: Section("tradeoff_report", ("published_points",))},
    "tradeoff_report": {ALL: Section("tradeoff_report")},
    "export": {ALL: Section("export", ("enabled",))},
}
"""Step -> key of its recorded settings -> the section of the configuration it was made from."""


@dataclass(frozen=True)
class Settings:
    """Which results are asked for."""

    config: Annotated[Path, "experiment, for instance config/demo.yaml"]
    results: Annotated[Path, "folder that holds the experiment's folder"] = Path("results")


def run(settings: Settings) -> None:
    """Print how many files are those that the configuration and this code would make.

    Raises:
        DataError: files are missing or altered, were made with other settings, from other files or
            by other code, or are of nothing that the configuration has.

    """
    config = experiment.read(settings.config)
    folder = settings.results / config.experiment
    compared = verification.verify(folder)
    faults = list(_faults(config, folder))
    if faults:
        raise DataError(
            f"{len(faults)} results of {folder} are not what {settings.config} makes with this "
            "code; where nothing else is said, run snakemake to make them anew:\n  "
            + "\n  ".join(faults)
        )
    print(f"{compared} files are as their jobs wrote them, with these settings and this code")


def _faults(config: WorkflowConfig, folder: Path) -> Iterator[str]:
    planned = {Path(name) for name in planned_files.records(config)}
    places = {name.parent for name in planned}
    for path in verification.records(folder):
        record = provenance.read(path, "step", "settings", "inputs")
        name = path.relative_to(folder)
        by_hand = _exported_by_hand(config, name.parent)
        if name not in planned and not by_hand:
            yield f"{path.parent}: not of this configuration: delete it"
            continue
        if record.get("code_digest") != code.digest(record["step"], record.get("parts", ())):
            again = ": delete it, or run export_models again" if by_hand else ""
            yield f"{path.parent}: made by other code{again}"
        for key in () if by_hand else _differing(config, name.parts[0], record):
            yield f"{path.parent}: made with other settings of {key}"
        for source in _sources(config, record):
            if source.parent not in places and not _exported_by_hand(config, source.parent):
                yield f"{path.parent}: made from {source}, which is not of this configuration"


def _exported_by_hand(config: WorkflowConfig, place: Path) -> bool:
    """Whether a folder is one that export_models makes, with settings of its own."""
    return place.match("export-*") and place.parent.as_posix() in config.datasets


def _differing(config: WorkflowConfig, dataset: str, record: dict[str, Any]) -> Iterator[str]:
    """Yield the recorded settings that are not those of the configuration."""
    sections, settings = config.sections(), record["settings"]
    for key, section in SECTIONS.get(record["step"], {}).items():
        found = settings if key == ALL else settings.get(key)
        expected = sections[section.path.format(dataset=dataset)]
        if not recorded.same(expected, found, section.without):
            yield key or record["step"]
    # What is no section of its own.
    plain = {
        "kernel_impact": ("reference_cell", list(config.kernel_impact.reference_cell)),
        "finalist_ranking": ("finalists", config.nas_search.finalists),
    }
    if record["step"] in plain:
        key, value = plain[record["step"]]
        if settings.get(key) != value:
            yield key


def _sources(config: WorkflowConfig, record: dict[str, Any]) -> Iterator[Path]:
    """Yield the files of the same experiment that a job of Snakemake read, below its folder.

    Without the parts of searches and of finalists, which have no record of their own.
    """
    for path in map(Path, record["inputs"]):
        if path.parts[:2] == ("results", config.experiment) and path.suffix != ".jsonl":
            yield Path(*path.parts[2:])
