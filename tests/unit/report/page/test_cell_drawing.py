"""Drawings of cells: an edge for every operation, told apart without colour."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from spikernel.report.page import cell_drawing
from spikernel.space.cell import Cell

ARCHID = "k3-skip-k1-zero-avg-k7r"


def drawn(archid: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(cell_drawing.draw(Cell.from_archid(archid))))


def edges(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {
        group.get("class", ""): group for group in root if group.get("class", "").startswith("edge")
    }


def test_one_edge_for_every_operation_but_zero() -> None:
    root = drawn(ARCHID)
    kinds = [group.get("class") for group in root if group.get("class", "").startswith("edge")]
    assert sorted(kinds, key=str) == [
        *("edge avg", "edge conv", "edge conv", "edge conv feedback", "edge skip"),
    ]
    words = [text.text for text in root.iter("text")]
    assert words == ["3×3", "skip", "1×1", "avg", "7×7", "in", "1", "2", "out"]


def test_readers_that_do_not_see_it_are_told() -> None:
    assert drawn(ARCHID).get("aria-label") == (
        f"Cell {ARCHID}: in to 1 3×3, in to 2 skip, in to out 1×1, 1 to out avg, "
        "out to 2 7×7 at the next time step"
    )


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_larger_kernels_are_thicker(size: int) -> None:
    root = drawn(f"zero-zero-k{size}-zero-zero-zero")
    width = edges(root)["edge conv"].find("path").get("stroke-width")  # type: ignore[union-attr]
    assert float(width or 0) == pytest.approx(1.4 + 0.7 * size, abs=0.05)


def test_operations_are_written_in_words() -> None:
    names = ("skip", "avg", "k1", "d7", "k3t0.5")
    assert [cell_drawing.operation_text(name) for name in names] == [
        *("skip", "avg", "1×1", "d 7×7", "3×3 θ0.5"),
    ]


def test_a_long_text_stands_above_its_edge() -> None:
    heights = {
        text.text: float(text.get("y") or 0)
        for text in drawn("k11-zero-zero-d11-zero-k3").iter("text")
    }
    assert heights["11×11"] == heights["3×3"] == heights["in"]
    assert heights["d 11×11"] == heights["in"] - 16


def test_nodes_without_an_edge_are_faint() -> None:
    root = drawn("zero-zero-k3-zero-zero-zero")
    nodes = [group.get("class") for group in root if "node" in group.get("class", "")]
    assert nodes == ["node", "node unused", "node unused", "node"]


def test_arrows_end_at_their_node() -> None:
    root = drawn("k3-zero-zero-zero-zero-zero")
    tip = edges(root)["edge conv"].find("polygon").get("points").split()[0]  # type: ignore[union-attr]
    x, y = map(float, tip.split(","))
    # Node 1 stands at (126, 98) with radius 14; the tip touches its left side.
    assert x == pytest.approx(126 - 15, abs=0.2)
    assert y == pytest.approx(98, abs=0.2)


def test_copies_may_stand_on_one_page() -> None:
    assert not re.search(r"\bid=", str(cell_drawing.draw(Cell.from_archid(ARCHID))))


def test_file_of_its_own_has_its_colours() -> None:
    found = ElementTree.fromstring(cell_drawing.as_file(Cell.from_archid(ARCHID)))
    assert found.tag == "{http://www.w3.org/2000/svg}svg"
    css = found[0].text or ""
    assert "--accent: #" in css
    assert "var(--accent)" in css
