import random

import pytest

from spikernel.errors import ConfigError
from spikernel.space.cell import Cell
from spikernel.space.enumeration import draw_cell
from spikernel.space.notation import (
    SPIKENAS_OPERATIONS,
    describe_cell,
    read_cell,
    read_snasnet,
    spikenas_cell,
    spikenas_id,
    write_snasnet,
)
from spikernel.space.operations import operation_set

# Rows of the public CIFAR10 table of SpikeNAS-Bench (github.com/tju-sun-lab/SpikeNAS-Bench):
# arch_id, then the operations on the edges 01, 02, 03, 12, 13, 23; l5 is lif0.5_conv3.
TABLE = """
2 l5 zero zero zero zero zero
11 skip l5 zero zero zero zero
329 l15 zero l10 l5 zero zero
1128 l10 zero zero l15 skip zero
1729 l15 zero l15 l10 l5 zero
2576 skip zero l10 zero l15 zero
3930 zero skip l5 skip skip skip
5031 skip skip skip zero l10 skip
6661 skip l5 skip l10 zero l5
9056 skip skip l5 l5 l15 l5
11920 zero l15 skip zero l15 l10
15603 l10 zero l15 l15 l15 l15
"""
NAMES = {
    "zero": "zero",
    "skip": "skip",
    "l5": "lif0.5_conv3",
    "l10": "lif1.0_conv3",
    "l15": "lif1.5_conv3",
}


@pytest.mark.parametrize(
    ("text", "archid"),
    [  # the two published backward cells, whose parameter counts test_counts checks
        ("0303 0030 2002 0200", "k3-k1r-k3-k3-k1r-k1"),
        ("0302 0030 3003 0000", "k3-k3r-k1-k3-zero-k3"),
        ("0014 0000 0000 0000", "zero-skip-avg-zero-zero-zero"),
    ],
)
def test_snasnets_published_cells(text: str, archid: str) -> None:
    cell = Cell.from_archid(archid)
    assert read_snasnet(text) == cell
    assert write_snasnet(cell) == text


def test_snasnet_round_trip() -> None:
    generator = random.Random(0)
    operations = operation_set((1, 3), ("zero", "skip", "avg"))
    for _ in range(200):
        cell = draw_cell(operations, generator, "feedback")
        assert read_snasnet(write_snasnet(cell)) == cell


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("0303 0030 2002", "four rows of four digits 0 to 4"),
        ("0303 0030 2002 020", "four rows of four digits 0 to 4"),
        ("0305 0030 2002 0200", "four rows of four digits 0 to 4"),
        ("", "four rows of four digits 0 to 4"),
        ("0303 0130 2002 0200", "node 1 has an edge to itself"),
        ("0303 0030 2002 0210", "nodes 2 and 3 have edges in both directions"),
    ],
)
def test_malformed_snasnet_cells_are_refused(text: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        read_snasnet(text)


def test_kernels_beyond_snasnets_can_not_be_written() -> None:
    with pytest.raises(ConfigError, match="notation has no 'k5'"):
        write_snasnet(Cell.from_archid("zero-zero-k5-zero-zero-zero"))


@pytest.mark.parametrize("row", TABLE.split("\n")[1:-1])
def test_rows_of_spikenas_bench(row: str) -> None:
    number, *short = row.split()
    cell = spikenas_cell(int(number))
    assert cell.operations == tuple(SPIKENAS_OPERATIONS[NAMES[name]] for name in short)
    assert spikenas_id(cell) == int(number)
    assert not cell.has_feedback


def test_spikenas_numbers_and_cells_are_one_to_one() -> None:
    every = [spikenas_cell(number) for number in range(5**6)]
    assert len(set(every)) == 5**6
    assert [spikenas_id(cell) for cell in every] == list(range(5**6))


def test_spikenas_thresholds_by_hand() -> None:
    """Digits from the least one: skip, 0.5, 1.0, 1.5, zero, 0.5."""
    number = 1 + 2 * 5 + 3 * 25 + 4 * 125 + 0 * 625 + 2 * 3125
    assert spikenas_cell(number).archid == "skip-k3t0.5-k3t1-k3t1.5-zero-k3t0.5"


def test_malformed_spikenas_cells_are_refused() -> None:
    for number in (-1, 5**6):
        with pytest.raises(ConfigError, match=f"arch_id {number}: expected 0 to 15624"):
            spikenas_cell(number)
    with pytest.raises(ConfigError, match="has forward edges only, with zero, skip, k3t0"):
        spikenas_id(Cell.from_archid("zero-skip-k5-zero-zero-zero"))
    with pytest.raises(ConfigError, match="has forward edges only"):
        spikenas_id(Cell.from_archid("skip-skip-k3-k3r-zero-skip"))


def test_one_cell_in_all_notations() -> None:
    # Edges 01 skip, 03 k3, 13 k3; lif1.0_conv3 is digit 3: 1 + 3 * 5^2 + 3 * 5^4 = 1951.
    described = describe_cell(read_cell("skip-zero-k3-zero-k3-zero"))
    assert described["snasnet"] == "0103 0003 0000 0000"
    assert described["spikenas_bench"] == "1951"
    assert read_cell(str(described["snasnet"])).archid == described["archid"]
    # SpikeNAS-Bench names the threshold that is the default of our nets.
    assert read_cell(str(described["spikenas_bench"])).archid == "skip-zero-k3t1-zero-k3t1-zero"


def test_a_notation_without_the_operation_has_no_name() -> None:
    described = describe_cell(Cell.from_archid("zero-zero-k5-zero-zero-zero"))
    assert described["snasnet"] is None
    assert described["spikenas_bench"] is None
    assert described["kernel_sizes"] == [5]
