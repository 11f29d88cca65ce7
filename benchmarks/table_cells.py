"""Which cells the table over kernel sizes holds: drawn by strata, without torch.

A stratum is a number of convolutions on the longest path (depth) with a number of convolutions in
all; there are twelve. Dense cells over {1, 3, 5, 7}, each distinct cell once, in four groups:

* `one_size`: one skeleton for each stratum, its convolutions all of one size, for every size. They
  say what the size is worth when all else is equal.
* `order`: the same skeletons, where they are two or three convolutions deep, with small kernels
  first and with large kernels first: the same sizes, so the same parameters at equal width.
* `random`: drawn as a search draws them; of the cells drawn for a stratum those that lie evenly
  along the order of their weights are kept.
* `chosen`: what the scores that run no net choose, and what recorded runs chose
  (`chosen_cells.py`).

Later came the groups `filled`, what a rule on width alone would take where cells fill a budget: few
weights, with and without skips beside them, and `first`, what `predicted_accuracy`, fitted to all
dense cells before, ranks first at equal width among all cells of one kernel set. Group `depthwise`
is over the depthwise separable sizes, two skeletons for each depth.

Within a stratum the order is drawn, and strata take turns, so that the first cells of the list are
spread over all of them, however few are trained.
"""

import itertools
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from spikernel.search.paths import convolution_paths
from spikernel.space.cell import Cell
from spikernel.space.enumeration import draw_cell
from spikernel.space.operations import AVG, SKIP, ZERO, conv, convolution, operation_set
from spikernel.space.patterns import EDGES

KERNEL_SIZES = (1, 3, 5, 7)
DEPTHWISE_SIZES = (3, 5, 7)
OTHERS = (ZERO, SKIP, AVG)
Stratum = tuple[int, int]
"""Convolutions on the longest path, and convolutions in all."""
STRATA: tuple[Stratum, ...] = tuple(
    (depth, count)
    for depth, counts in ((1, range(1, 5)), (2, range(2, 6)), (3, range(3, 7)))
    for count in counts
)
"""All that a cell of four nodes can have: four convolutions fit a cut, five leave a path of two."""
DEPTHWISE_STRATA: tuple[Stratum, ...] = ((1, 1), (1, 3), (2, 2), (2, 4), (3, 3), (3, 5))
RANDOM, DEPTHWISE_RANDOM = 5, 1
"""Random cells of a stratum."""
DRAWN = 40
"""Distinct cells of a stratum that random ones are taken from."""
SEED = 0
FILLED = (
    *("zero-zero-k1-zero-zero-zero", "k1-skip-skip-skip-skip-skip"),
    "k3-skip-skip-skip-skip-skip",
)
FIRST = (
    *("k3-zero-k1-k3-avg-k3", "k5-zero-k1-k5-avg-k5", "k7-zero-k1-k7-avg-k7"),
    *("k3-zero-skip-k5-avg-k5", "k3-zero-k1-k5-avg-k5"),
)
CHAINS = ("{}-zero-skip-zero-{}-zero", "{}-zero-skip-{}-zero-{}")
"""Two and three convolutions in a row, beside a skip."""
COURSES = {
    "rising": (0.5, 1.0, 1.5),
    "equal": (1.0, 1.0, 1.0),
    "falling": (1.5, 1.0, 0.5),
    "low": (0.5, 0.5, 0.5),
    "high": (1.5, 1.5, 1.5),
}
"""Thresholds along a chain of three; a chain of two has the first and the last."""


@dataclass(frozen=True)
class TableCell:
    """A cell of the table and the group that it was drawn for."""

    group: str
    cell: Cell

    @cached_property
    def stratum(self) -> Stratum:
        """Its stratum."""
        return stratum_of(self.cell)


def stratum_of(cell: Cell) -> Stratum:
    """Return depth and number of convolutions of a cell, both after clean-up."""
    cleaned = cell.cleaned()
    depth = max((len(path) for path in convolution_paths(cleaned)), default=0)
    return depth, len(cleaned.kernel_sizes())


def skeleton_of(cell: Cell) -> str:
    """Return the archid without kernel sizes, the same for all sizes and both names of nodes."""
    plain = re.sub(r"\b[kdf]\d+", "k1", cell.archid)
    return Cell.from_archid(plain).canonical().archid.replace("k1", "K")


def dense_cells(chosen: Iterable[str] = ()) -> list[TableCell]:
    """Return the dense cells, strata in turns.

    Args:
        chosen: archids of cells that scores or recorded runs chose.

    """
    found: dict[Cell, str] = {}
    for skeleton in _skeletons(STRATA):
        for size in KERNEL_SIZES:
            found.setdefault(_filled(skeleton, [conv(size)]), "one_size")
        for cell in _orders(skeleton):
            found.setdefault(cell, "order")
    operations = operation_set(KERNEL_SIZES, OTHERS)
    for cell in _random_cells(operations, STRATA, RANDOM, taken=found):
        found[cell] = "random"
    for archid in chosen:
        found.setdefault(Cell.from_archid(archid).canonical(), "chosen")
    return _in_turns(found)


def depthwise_cells() -> list[TableCell]:
    """Return the depthwise separable cells, strata in turns."""
    found: dict[Cell, str] = {}
    for skeleton in _skeletons(DEPTHWISE_STRATA):
        for size in DEPTHWISE_SIZES:
            found.setdefault(_filled(skeleton, [conv(size, "depthwise")]), "depthwise")
    operations = operation_set(DEPTHWISE_SIZES, OTHERS, "depthwise")
    for cell in _random_cells(operations, DEPTHWISE_STRATA, DEPTHWISE_RANDOM, taken=found):
        found[cell] = "depthwise"
    return _in_turns(found)


def threshold_cells() -> list[TableCell]:
    """Return every chain of 3x3 convolutions with every course of thresholds."""
    found = []
    for chain in CHAINS:
        count = chain.count("{}")
        for first, middle, last in COURSES.values():
            course = (first, last) if count == 2 else (first, middle, last)
            archid = chain.format(*(conv(3, threshold=value) for value in course))
            found.append(TableCell("thresholds", Cell.from_archid(archid).canonical()))
    return found


def _skeletons(strata: Sequence[Stratum]) -> list[str]:
    """Return one for each stratum, with K for a convolution, drawn as a search draws cells."""
    pools = _drawn(operation_set((3,), OTHERS), strata, 1, taken=())
    return [pools[stratum][0].archid.replace(conv(3), "K") for stratum in strata]


def _filled(skeleton: str, operations: Sequence[str]) -> Cell:
    """Give the convolutions of a skeleton their operations, edge by edge, over and over."""
    endless = itertools.cycle(operations)
    return Cell.from_archid(re.sub("K", lambda _: next(endless), skeleton)).canonical()


def _orders(skeleton: str) -> Iterator[Cell]:
    """Yield a skeleton with small and with large kernels first, if it is two or more deep."""
    edges = [place for place, name in enumerate(skeleton.split("-")) if name == "K"]
    count = len(edges)
    if stratum_of(_filled(skeleton, [conv(3)]))[0] < 2:
        return
    # Input first: by the sum of an edge's nodes, which grows along every path.
    places = sorted(range(count), key=lambda index: sum(EDGES[edges[index]]))
    sizes = [3] * (count // 2) + [5] * (count % 2) + [7] * (count // 2)
    for course in (sizes, sizes[::-1]):
        given = dict(zip(places, course, strict=True))
        yield _filled(skeleton, [conv(given[index]) for index in range(count)])


def later_cells() -> list[TableCell]:
    """Return the cells of groups `filled` and `first`, which come after the others."""
    groups = {"filled": FILLED, "first": FIRST}
    return [
        TableCell(group, Cell.from_archid(archid))
        for group, archids in groups.items()
        for archid in archids
    ]


def large_first(cell: Cell) -> bool:
    """Whether the convolution nearest to a cell's input has a larger kernel than the last one."""
    found = [
        (source + target, edge.size)
        for source, target, name in cell.connections()
        if (edge := convolution(name)) is not None
    ]
    return min(found)[1] > max(found)[1]


def _random_cells(
    operations: Sequence[str], strata: Sequence[Stratum], count: int, taken: Iterable[Cell]
) -> Iterator[Cell]:
    pools = _drawn(operations, strata, DRAWN, taken)
    for stratum in strata:
        ordered = sorted(pools[stratum], key=lambda cell: (_weights(cell), cell.archid))
        for place in range(count):
            yield ordered[(2 * place + 1) * len(ordered) // (2 * count)]


def _weights(cell: Cell) -> int:
    """Return the weights of a cell's convolutions in a net of 64 channels."""
    return sum(edge.weights(64) for edge in cell.convolutions())


def _drawn(
    operations: Sequence[str], strata: Sequence[Stratum], count: int, taken: Iterable[Cell]
) -> dict[Stratum, list[Cell]]:
    """Draw until each stratum has `count` distinct cells that are not taken."""
    generator, known = random.Random(SEED), set(taken)
    pools: dict[Stratum, list[Cell]] = {stratum: [] for stratum in strata}
    while any(len(pool) < count for pool in pools.values()):
        cell = draw_cell(operations, generator)
        pool = pools.get(stratum_of(cell))
        if pool is not None and len(pool) < count and cell not in known:
            known.add(cell)
            pool.append(cell)
    return pools


def _in_turns(found: dict[Cell, str]) -> list[TableCell]:
    cells = [TableCell(group, cell) for cell, group in found.items()]
    random.Random(SEED).shuffle(cells)
    strata = [[item for item in cells if item.stratum == each] for each in STRATA]
    turns = itertools.chain.from_iterable(itertools.zip_longest(*strata))
    return [item for item in turns if item is not None]
