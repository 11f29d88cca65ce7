from spikernel.search.paths import forward_paths
from spikernel.space.cell import Cell


def test_every_path_within_a_time_step_is_found() -> None:
    assert forward_paths(Cell.from_archid("k1-k3-skip-k5-avg-k7")) == [
        ("k1", "k5", "k7"), ("k1", "avg"), ("k3", "k7"), ("skip",),
    ]  # fmt: skip
    assert forward_paths(Cell.from_archid("k1-k3-zero-k5r-zero-k7")) == [("k3", "k7")]
    assert forward_paths(Cell.from_archid("k1-k3-zero-k5-zero-zero")) == []
