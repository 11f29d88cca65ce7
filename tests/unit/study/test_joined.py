"""Cells given by hand: every edge lies on a way from the input to the output."""

import pytest

from spikernel.errors import ConfigError
from spikernel.space.cell import Cell
from spikernel.study.joined import check_joined


@pytest.mark.parametrize(
    ("archid", "clean"),
    [
        ("zero-zero-k3-k3-zero-zero", "zero-zero-k3-zero-zero-zero"),  # nothing reaches node 1
        ("k3-zero-k3-zero-zero-zero", "zero-zero-k3-zero-zero-zero"),  # nothing leaves it
    ],
)
def test_an_edge_beside_all_paths_is_refused(archid: str, clean: str) -> None:
    with pytest.raises(ConfigError, match=f"write {clean}, which computes the same"):
        check_joined(Cell.from_archid(archid))
    check_joined(Cell.from_archid(clean))
