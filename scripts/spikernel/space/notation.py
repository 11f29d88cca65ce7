"""Cells in the notations of others: SNASNet's matrices and SpikeNAS-Bench's integers.

SNASNet (Kim et al., ECCV 2022; option `cnt_mat` of its published code) writes a cell as four
rows of four digits, for instance `0303 0030 2002 0200`: row = source, column = target, digit =
index into `SNASNET_DIGITS`; above the diagonal stand forward edges, below it feedback edges.

SpikeNAS-Bench (Sun et al., IEEE TAI 2025; github.com/tju-sun-lab/SpikeNAS-Bench) numbers its
5^6 = 15,625 forward cells. In base 5, least significant digit first, the digits of an arch_id
are the operations, as places in `SPIKENAS_OPERATIONS`, on the edges 01, 02, 03, 12, 13, 23.
This holds for all 7,812 architectures of its public table.
"""

from spikernel.errors import ConfigError
from spikernel.space.cell import Cell
from spikernel.space.operations import AVG, SKIP, ZERO, conv
from spikernel.space.patterns import EDGES, OUTPUT

SNASNET_DIGITS = (ZERO, SKIP, "k1", "k3", AVG)
"""Operation of each digit of SNASNet's matrices."""

SPIKENAS_OPERATIONS = {
    "zero": ZERO,
    "skip": SKIP,
    "lif0.5_conv3": conv(3, threshold=0.5),
    "lif1.0_conv3": conv(3, threshold=1.0),
    "lif1.5_conv3": conv(3, threshold=1.5),
}
"""SpikeNAS-Bench's names of operations, in the order of their digits, and ours."""

_SPIKENAS_DIGITS = tuple(SPIKENAS_OPERATIONS.values())
_DEFAULT_THRESHOLD = {conv(3): conv(3, threshold=1.0)}
_NODES = range(OUTPUT + 1)


def read_cell(text: str) -> Cell:
    """Read a cell from an archid, SNASNet's matrix or SpikeNAS-Bench's integer.

    Raises:
        ConfigError: it is none of the three.

    """
    if text.strip().isdecimal():
        return spikenas_cell(int(text))
    if "-" in text:
        return Cell.from_archid(text.strip())
    return read_snasnet(text)


def describe_cell(cell: Cell) -> dict[str, str | bool | list[int] | None]:
    """Return the names of a cell in every notation that has one, as written and canonical.

    SpikeNAS-Bench names the threshold of every convolution; one without its own is taken to have
    1.0, the default of our nets.
    """
    operations = {_DEFAULT_THRESHOLD.get(name, name) for name in cell.operations}
    spikenas = None
    if not cell.has_feedback and operations <= set(_SPIKENAS_DIGITS):
        spikenas = str(spikenas_id(cell))
    snasnet = write_snasnet(cell) if set(cell.operations) <= set(SNASNET_DIGITS) else None
    return {
        "archid": cell.archid,
        "snasnet": snasnet,
        "spikenas_bench": spikenas,
        "accepted": cell.accepted,
        "canonical": cell.canonical().archid,
        "kernel_sizes": cell.canonical().kernel_sizes(),
    }


def read_snasnet(text: str) -> Cell:
    """Read a cell from SNASNet's notation; nothing is cleaned up.

    Raises:
        ConfigError: these are not four rows of digits 0 to 4, or an edge leads from a node to
            itself, or a pair has an edge in both directions.

    """
    rows = text.split()
    digits = {str(digit) for digit in range(len(SNASNET_DIGITS))}
    if [len(row) for row in rows] != [len(_NODES)] * len(_NODES) or set("".join(rows)) - digits:
        raise ConfigError(f"SNASNet cell '{text}': expected four rows of four digits 0 to 4")
    loops = [node for node in _NODES if rows[node][node] != "0"]
    if loops:
        raise ConfigError(f"SNASNet cell '{text}': node {loops[0]} has an edge to itself")
    operations, feedback = [], []
    for low, high in EDGES:
        forward, back = int(rows[low][high]), int(rows[high][low])
        if forward and back:
            raise ConfigError(
                f"SNASNet cell '{text}': nodes {low} and {high} have edges in both directions"
            )
        operations.append(SNASNET_DIGITS[forward or back])
        feedback.append(back != 0)
    return Cell(tuple(operations), tuple(feedback))


def write_snasnet(cell: Cell) -> str:
    """Write a cell in SNASNet's notation.

    Raises:
        ConfigError: an operation is not one of SNASNet's.

    """
    matrix = [["0"] * len(_NODES) for _ in _NODES]
    for source, target, operation in cell.connections():
        if operation not in SNASNET_DIGITS:
            raise ConfigError(
                f"cell {cell.archid}: SNASNet's notation has no '{operation}', only "
                f"{', '.join(SNASNET_DIGITS)}"
            )
        matrix[source][target] = str(SNASNET_DIGITS.index(operation))
    return " ".join("".join(row) for row in matrix)


def spikenas_cell(arch_id: int) -> Cell:
    """Return an architecture of SpikeNAS-Bench as a cell; nothing is cleaned up.

    Raises:
        ConfigError: there is no architecture of that number.

    """
    base = len(_SPIKENAS_DIGITS)
    if not 0 <= arch_id < base ** len(EDGES):
        raise ConfigError(
            f"SpikeNAS-Bench arch_id {arch_id}: expected 0 to {base ** len(EDGES) - 1}"
        )
    digits = [arch_id // base**place % base for place in range(len(EDGES))]
    return Cell(tuple(_SPIKENAS_DIGITS[digit] for digit in digits))


def spikenas_id(cell: Cell) -> int:
    """Return the arch_id of a cell; a `k3` without its own threshold counts as threshold 1.0.

    Raises:
        ConfigError: an operation is not one of SpikeNAS-Bench's, or the cell has feedback.

    """
    operations = [_DEFAULT_THRESHOLD.get(name, name) for name in cell.operations]
    if cell.has_feedback or not set(operations) <= set(_SPIKENAS_DIGITS):
        raise ConfigError(
            f"cell {cell.archid}: SpikeNAS-Bench has forward edges only, with "
            f"{', '.join(_SPIKENAS_DIGITS)}"
        )
    base = len(_SPIKENAS_DIGITS)
    return sum(_SPIKENAS_DIGITS.index(name) * base**place for place, name in enumerate(operations))
