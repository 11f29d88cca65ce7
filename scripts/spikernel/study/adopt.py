"""Whether finished results that were made elsewhere are what this project would make now.

Snakemake keeps what it knows of each file in `.snakemake/metadata`. Results that come without it
have to be told from results of other code, settings or data before they may count as finished.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from spikernel import code, provenance, verification
from spikernel.config.base import StrictModel
from spikernel.errors import DataError
from spikernel.study import experiment

SECTIONS: dict[str, dict[str, str]] = {
    "kernel_impact": {"training": "datasets/{dataset}/kernel_impact"},
    "kernel_set_design": {
        "design": "kernel_set_design",
        "network": "datasets/{dataset}/network",
    },
    "nas_search": {"search": "nas_search", "network": "datasets/{dataset}/network"},
    "finalist_ranking": {
        "training": "finalist_training",
        "network": "datasets/{dataset}/network",
    },
    "train_final": {
        "training": "datasets/{dataset}/train_final",
        "network": "datasets/{dataset}/network",
    },
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
        DataError: files are missing or altered, or were made with other settings or other code.

    """
    config = experiment.read(settings.config)
    folder = settings.results / config.experiment
    compared = verification.verify(folder)
    sections = config.sections()
    faults = []
    for path in verification.records(folder):
        record = provenance.read(path, "step", "settings", "outputs")
        dataset = path.relative_to(folder).parts[0]
        if record.get("code_digest") != code.digest(record["step"], record.get("parts", ())):
            faults.append(f"{path.parent}: made by other code")
        for key, section in SECTIONS.get(record["step"], {}).items():
            expected = sections[section.format(dataset=dataset)]
            if not _same(expected, record["settings"].get(key)):
                faults.append(f"{path.parent}: made with other settings of {key}")
    if faults:
        raise DataError(
            f"{len(faults)} results of {folder} are not what {settings.config} makes with this "
            "code; run snakemake to make them anew:\n  " + "\n  ".join(faults)
        )
    print(f"{compared} files are as their jobs wrote them, with these settings and this code")


def _same(expected: StrictModel, recorded: Any) -> bool:
    """Whether recorded settings are those expected; what was added since has its default."""
    return isinstance(recorded, dict) and type(expected).parse(recorded, "record") == expected
