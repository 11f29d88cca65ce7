import itertools

import pytest

from spikernel.errors import ConfigError
from spikernel.space.cell import Cell, Neurons
from spikernel.space.operations import Convolution, conv, convolution, kernel_size, operation_set
from spikernel.space.patterns import EDGES


def test_archid_round_trip_names_edges_in_order() -> None:
    cell = Cell.from_archid("k3-k1r-skip-zero-avg-k5")
    assert cell.archid == "k3-k1r-skip-zero-avg-k5"
    assert cell.connections() == [
        (0, 1, "k3"),
        (2, 0, "k1"),  # feedback: from node 2 back to node 0
        (0, 3, "skip"),
        (1, 3, "avg"),
        (2, 3, "k5"),
    ]
    assert cell.has_feedback
    assert cell.kernel_sizes() == [3, 1, 5]


def test_zero_has_no_direction() -> None:
    assert Cell(("zero",) * 6, (True,) * 6) == Cell(("zero",) * 6)


@pytest.mark.parametrize("archid", ["k3-k3", "k3-k2-skip-zero-avg-k5", "k3-pool-zero-zero-zero-k1"])
def test_malformed_archids_are_refused(archid: str) -> None:
    with pytest.raises(ConfigError):
        Cell.from_archid(archid)


def test_clean_up_removes_nodes_off_every_path() -> None:
    # Node 1 receives but never sends; node 2 sends but never receives.
    cell = Cell.from_archid("k3-zero-skip-zero-zero-k3")
    assert cell.cleaned().archid == "zero-zero-skip-zero-zero-zero"
    # 0 -> 1 -> 2 -> 3: every node is on a path, nothing changes.
    chain = Cell.from_archid("k3-zero-skip-k3-zero-k3")
    assert chain.cleaned() == chain
    # 0 -> 1 -> 2 and no further: neither node reaches the output.
    dead_end = Cell.from_archid("k3-zero-skip-k3-zero-zero")
    assert dead_end.cleaned().archid == "zero-zero-skip-zero-zero-zero"


def test_feedback_edges_keep_a_node_alive() -> None:
    # 0 -> 1 -> 2, and from 2 back to 0: both nodes reach the output through time.
    cell = Cell.from_archid("k3-k1r-skip-k3-zero-zero")
    assert cell.cleaned() == cell
    # Node 1 only gets feedback and sends nothing.
    dead_end = Cell.from_archid("zero-zero-skip-zero-k3r-zero")
    assert dead_end.cleaned().archid == "zero-zero-skip-zero-zero-zero"


def test_middle_nodes_exchange_names_only_where_no_edge_joins_them() -> None:
    one = Cell.from_archid("k1-k3-skip-zero-avg-skip")
    other = Cell.from_archid("k3-k1-skip-zero-skip-avg")
    assert one.canonical() == other.canonical()
    joined = Cell.from_archid("k1-k3-skip-k1-avg-skip")
    assert joined.canonical() == joined


def test_canonical_is_idempotent_and_keeps_what_is_computed() -> None:
    for choice in itertools.product(("zero", "skip", "k3"), repeat=len(EDGES)):
        cell = Cell(choice)
        once = cell.canonical()
        assert once.canonical() == once
        assert sorted(once.cleaned().operations) == sorted(cell.cleaned().operations)


def test_operation_names() -> None:
    assert conv(7) == "k7"
    assert kernel_size("k11") == 11
    assert kernel_size("avg") is None
    assert operation_set((5, 1), ("zero", "skip")) == ("zero", "skip", "k1", "k5")
    with pytest.raises(ConfigError, match="odd and positive, got 2"):
        conv(2)


def test_types_of_convolution() -> None:
    assert [conv(7, kind) for kind in ("dense", "depthwise", "factorised")] == ["k7", "d7", "f7"]
    assert convolution("d7") == Convolution("depthwise", 7)
    assert conv(1, "depthwise") == "k1"  # a 1x1 convolution has no other form
    assert operation_set((7, 3), ("zero",), {7: "depthwise"}) == ("zero", "k3", "d7")
    cell = Cell.from_archid("d7-f5r-skip-zero-avg-k3")
    assert cell.archid == "d7-f5r-skip-zero-avg-k3"
    assert cell.kernel_sizes() == [7, 5, 3]
    assert cell.neurons() == {Neurons(0): 1, Neurons(2): 2}
    for wrong in ("d1", "f1", "d4", "x3", "d"):
        with pytest.raises(ConfigError, match=f"unknown edge operation '{wrong}'"):
            convolution(wrong)


def test_thresholds_of_convolutions() -> None:
    assert conv(3, threshold=0.5) == "k3t0.5"
    assert conv(7, "depthwise", 1) == "d7t1"
    assert convolution("k3t0.5") == Convolution("dense", 3, 0.5)
    assert operation_set((1, 3), ("zero",), thresholds=(1.5, 0.5)) == (
        "zero", "k1t0.5", "k1t1.5", "k3t0.5", "k3t1.5",
    )  # fmt: skip
    cell = Cell.from_archid("k3t0.5-k1t1.5-skip-k3t1r-zero-k3")
    assert cell.archid == "k3t0.5-k1t1.5-skip-k3t1r-zero-k3"
    # Both convolutions that leave node 0 have a threshold of their own: two layers of neurons.
    assert cell.neurons() == {
        Neurons(0, 0.5): 1, Neurons(0, 1.5): 1, Neurons(2, None): 1, Neurons(2, 1.0): 1,
    }  # fmt: skip
    assert [layer.name for layer in cell.neurons()] == ["0t0_5", "0t1_5", "2", "2t1"]
    assert [Neurons(0, near).name for near in (1.000001, 10.0)] == ["0t1_000001", "0t10"]
    for wrong in ("k3t0", "k3t1.0", "k3t.5", "k3t", "skipt1", "k3t-1", "k4t1"):
        with pytest.raises(ConfigError, match=f"unknown edge operation '{wrong}'"):
            convolution(wrong)
    with pytest.raises(ConfigError, match="a threshold must be positive, got -1"):
        conv(3, threshold=-1)


@pytest.mark.parametrize(("name", "weights"), [("k7", 196), ("d7", 102), ("f7", 56), ("k1", 4)])
def test_weights_by_hand(name: str, weights: int) -> None:
    # Two channels: 2 * 2 * 49; 2 * 2 + 2 * 49; 2 * 2 * 7 + 2 * 2 * 7; 2 * 2.
    found = convolution(name)
    assert found is not None
    assert found.weights(2) == weights
