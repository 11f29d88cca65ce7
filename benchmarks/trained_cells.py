"""Tables of trained cells, the ground truth of scores: SpikeNAS-Bench's and our own.

SpikeNAS-Bench's (Sun et al., IEEE TAI 2025) has the columns arch_id, edge_01 .. edge_23, params
and test_acc_percent, for forward cells over zero, skip and LIF (threshold 0.5, 1.0 or 1.5) +
convolution 3x3, trained on CIFAR-10. Its rows were not all trained alike: rows that compute the
same function are worse by half a point and more where arch_id is below `LATE`, about a quarter of
the numbers (docs/proxy.md), so the others are a population of their own.

Our own (`kernel_cells.py`) has one row per training with the columns group, archid, seed,
params and test_accuracy_percent; a JSON file of the same name beside it holds network and data set.
Where there is a column control, one control is read at a time, and each row says its width.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import fmean

import numpy as np
from table_cells import skeleton_of

from spikernel import artifacts
from spikernel.config import NetworkConfig
from spikernel.errors import DataError, SpikernelError
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.notation import SPIKENAS_OPERATIONS
from spikernel.space.patterns import EDGES

SPLIT_SEED = 2026
"""Of the shuffle whose even places are the design half."""
LATE = 3906
"""First arch_id of the rows of SpikeNAS-Bench that agree with each other: 5^6 / 4."""
CLASSES = {"cifar10": 10, "cifar100": 100}
COLUMNS = tuple(f"edge_{low}{high}" for low, high in EDGES)

WIDTHS = {"structural": NetworkConfig(pool=2), "measured": NetworkConfig(channels=16, pool=2)}
"""SpikeNAS-Bench: its own width (C = 128), and a narrow one for scores that run the net."""


@dataclass(frozen=True)
class TrainedCell:
    """A cell and the accuracy that it was trained to."""

    cell: Cell
    params: int
    accuracies: tuple[float, ...]
    """Test accuracy of each seed in percent."""
    number: int | None = None
    """arch_id of SpikeNAS-Bench."""
    group: str | None = None
    """Part of our own table."""
    channels: int | None = None
    """Width of its net; None: that of the table's network."""
    val_accuracies: tuple[float, ...] = ()
    """Validation accuracy of each seed in percent, where the table has it."""

    @property
    def accuracy(self) -> float:
        """Mean test accuracy in percent."""
        return fmean(self.accuracies)

    @property
    def one_threshold(self) -> bool:
        """Whether every convolution on a path from input to output has threshold 1.0."""
        return all(edge.threshold in (None, 1.0) for edge in self.cell.cleaned().convolutions())

    @property
    def skeleton(self) -> str | None:
        """The cell without its kernel size, where all its convolutions have one by design."""
        sizes = len(set(self.cell.kernel_sizes()))
        one = self.group == "one_size" or (self.group == "depthwise" and sizes == 1)
        return skeleton_of(self.cell) if one else None

    def architecture(self, network: NetworkConfig, images: ImageShape) -> Architecture:
        """Return its net, at the width of its row."""
        if self.channels is not None:
            network = network.model_copy(update={"channels": self.channels})
        return Architecture(self.cell, network, images)


@dataclass(frozen=True)
class Table:
    """Trained cells, and the nets that structural and measured scores are to look at."""

    rows: list[TrainedCell]
    structural: NetworkConfig
    measured: NetworkConfig
    is_ours: bool
    dataset: str = "cifar10"

    @property
    def images(self) -> ImageShape:
        """Shape of the images that the cells were trained on."""
        return ImageShape(channels=3, size=32, classes=CLASSES[self.dataset])


def read_table(path: Path, control: str = "same_width") -> Table:
    """Read a table, sorted by the name of its cells.

    Args:
        path: the CSV.
        control: which rows are read, where there are several.

    Raises:
        DataError: the file cannot be read, a row is not of the expected form, or there is none of
            that control.

    """
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            lines = list(csv.DictReader(handle))
        if lines and "archid" in lines[0]:
            described = artifacts.read_json(path.with_suffix(".json"))
            network = NetworkConfig.parse(described["network"], "network")
            lines = [line for line in lines if line.get("control", "same_width") == control]
            if not lines:
                raise ValueError(f"there is no training of control {control}")
            dataset = described.get("dataset", {"kind": "cifar10"})["kind"]
            return Table(list(_own_cells(lines)), network, network, is_ours=True, dataset=dataset)
        lines.sort(key=lambda line: int(line["arch_id"]))
        rows = [_spikenas_cell(line) for line in lines]
        return Table(rows, WIDTHS["structural"], WIDTHS["measured"], is_ours=False)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError, SpikernelError) as error:
        raise DataError(f"{path} is not a table of trained cells: {error!r}") from None


def _own_cells(lines: Sequence[Mapping[str, str]]) -> Iterable[TrainedCell]:
    ordered = sorted(lines, key=lambda line: (line["archid"], int(line["seed"])))
    for archid, trainings in groupby(ordered, key=lambda line: line["archid"]):
        found = list(trainings)
        yield TrainedCell(
            Cell.from_archid(archid),
            int(found[0]["params"]),
            tuple(float(line["test_accuracy_percent"]) for line in found),
            group=found[0]["group"],
            channels=int(found[0]["channels"]) if "channels" in found[0] else None,
            val_accuracies=tuple(
                float(line["val_accuracy_percent"])
                for line in found
                if "val_accuracy_percent" in line
            ),
        )


def _spikenas_cell(line: Mapping[str, str]) -> TrainedCell:
    names = [line[column] for column in COLUMNS]
    unknown = set(names) - set(SPIKENAS_OPERATIONS)
    if unknown:
        raise ValueError(f"unknown operation '{min(unknown)}'")
    cell = Cell(tuple(SPIKENAS_OPERATIONS[name] for name in names))
    accuracy = float(line["test_acc_percent"])
    return TrainedCell(cell, int(line["params"]), (accuracy,), int(line["arch_id"]))


def split_half(rows: Sequence[TrainedCell], half: str) -> list[TrainedCell]:
    """Return all rows, or the design or the check half.

    SpikeNAS-Bench's: the even (design) or odd (check) places of one seeded shuffle. Our own: by a
    hash of the cell without its kernel sizes, so that cells which differ in them stay together,
    halves do not change when cells are added, and all controls and data sets have the same.
    """
    if half == "all":
        return list(rows)
    if all(row.group is not None for row in rows):
        return [row for row in rows if own_half(row.cell) == half]
    order = np.random.default_rng(SPLIT_SEED).permutation(len(rows))
    return [rows[place] for place in order[0 if half == "design" else 1 :: 2]]


def own_half(cell: Cell) -> str:
    """Return the half of our own tables that a cell belongs to."""
    text = f"{SPLIT_SEED} {skeleton_of(cell)}"
    return ("design", "check")[hashlib.sha256(text.encode()).digest()[0] % 2]
