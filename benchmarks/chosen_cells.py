"""Which dense cells over {1, 3, 5, 7} scores and recorded runs choose, for `kernel_cells.py`.

Every shipped configuration with an exhaustive search over dense cells is read; for its baseline and
every kernel set that it may design, the best cell of each score that runs no net is taken, within
the budget and in the net of that configuration. What the impact of kernel sizes would leave of the
sets is not known before a run, so all of them count. Added are the cells of the runs whose records
lie in docs/measurements, which is where the choices of measured scores are found, and the reference
cells of `kernel_impact`. It takes two minutes; the list is kept in docs/measurements.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pandas as pd
from common import ROOT
from table_cells import KERNEL_SIZES, OTHERS
from tqdm import tqdm
from trained_cells import CLASSES

from spikernel import artifacts, cli, registry, tables
from spikernel.config import DesignConfig, ImpactConfig, NetworkConfig, SearchConfig
from spikernel.search.score import score_class
from spikernel.search.strategies import Space, plan
from spikernel.space.architecture import ImageShape
from spikernel.space.cell import Cell
from spikernel.space.operations import conv, operation_set
from spikernel.study import experiment as experiments
from spikernel.study.bounds import Bounds
from spikernel.study.planned_nets import likely_cell

RECORDS = ROOT / "docs" / "measurements"
CHOSEN = RECORDS / "chosen-cells.csv"


def main(
    output: Annotated[Path, "CSV to write: a cell, and what chose it"] = CHOSEN,
) -> None:
    """Write each chosen cell once, with everything that chose it."""
    found: dict[str, list[str]] = {}
    for chooser, cell in (*references(), *recorded(), *searched()):
        found.setdefault(cell.canonical().archid, []).append(chooser)
    rows = [
        {"archid": archid, "chosen_by": "; ".join(dict.fromkeys(choosers))}
        for archid, choosers in sorted(found.items())
        if is_dense(Cell.from_archid(archid))
    ]
    tables.write_csv(output, rows)
    print(f"{len(rows)} cells: {output}")


def read_chosen(path: Path = CHOSEN) -> list[str]:
    """Return the archids of the list."""
    return [str(archid) for archid in tables.read_csv(path, text=("archid",))["archid"]]


def is_dense(cell: Cell) -> bool:
    """Whether a cell has dense convolutions of the table's sizes, with the threshold of the net."""
    allowed = set(operation_set(KERNEL_SIZES, OTHERS))
    return allowed.issuperset(cell.operations) and not cell.has_feedback


def references() -> Iterator[tuple[str, Cell]]:
    """Yield the reference cells of `kernel_impact`."""
    for size in KERNEL_SIZES:
        roles = ImpactConfig().reference_cell
        yield "kernel_impact", Cell(tuple(conv(size) if role == "conv" else role for role in roles))


def recorded() -> Iterator[tuple[str, Cell]]:
    """Yield the cells of recorded runs of the study, and of trainings that were recorded."""
    for path in sorted(RECORDS.glob("*.csv")):
        table = pd.read_csv(path)
        if {"kernel_set", "rank", "archid"}.issubset(table.columns):
            for archid in table["archid"].drop_duplicates():
                yield path.stem, Cell.from_archid(archid)
    for path in sorted(RECORDS.glob("*.json")):
        record = artifacts.read_json(path)
        if {"archid", "test_accuracy_percent"} <= set(record):
            yield path.stem, Cell.from_archid(record["archid"])


def searched() -> Iterator[tuple[str, Cell]]:
    """Yield what scores that run no net choose in the searches of the shipped configurations."""
    scores = [name for name in registry.names("score") if not score_class(name).needs_images]
    for path in tqdm(sorted((ROOT / "config").glob("*.yaml")), disable=None):
        config = experiments.read(path)
        for dataset in config.datasets:
            if dataset not in CLASSES:
                continue
            sections = config.sections()
            network, search = sections[f"datasets/{dataset}/network"], config.nas_search
            assert isinstance(network, NetworkConfig)
            if network.convolutions != "dense" or search.strategy != "exhaustive":
                continue
            images = ImageShape(3, 32, CLASSES[dataset])
            for sizes in kernel_sets(config.kernel_set_design, search, network, images):
                space = Space.of(search, sizes, network, images)
                cells = plan(search, space).cells
                for score in scores:
                    scored = search.model_copy(update={"score": score})
                    yield f"{score} in {path.stem}", likely_cell(cells, scored, space)


def kernel_sets(
    design: DesignConfig, search: SearchConfig, network: NetworkConfig, images: ImageShape
) -> list[tuple[int, ...]]:
    """Return the baseline and every set that the configuration may design."""
    bounds = Bounds(search, network, images)
    return [design.baseline, *bounds.designable(design, KERNEL_SIZES)]


if __name__ == "__main__":
    cli.run(main)
