"""The pictures of the gallery, and the measurements that they are drawn from."""

from pathlib import Path
from xml.etree import ElementTree

import gallery

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "gallery"


def test_the_pictures_are_in_step_with_the_measurements() -> None:
    drawn = dict(gallery.pictures(ROOT / "docs" / "measurements"))
    assert {path.stem for path in FOLDER.iterdir()} == set(drawn)
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    for name, text in drawn.items():
        assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == text, "run `make gallery`"
        assert f"](gallery/{name}.svg)" in page


def test_a_cell_is_a_whole_file() -> None:
    found = ElementTree.fromstring(gallery.cell("k3-zero-skip-k1r-zero-k5"))
    assert found.tag == "{http://www.w3.org/2000/svg}svg"
    css = found[0].text or ""
    assert "var(--accent)" in css
    assert "--accent: #" in css
