"""The pictures of the gallery; that they are in step with the measurements, test_readme.py says."""

from pathlib import Path
from xml.etree import ElementTree

import gallery
import measurements

ROOT = Path(__file__).parents[3]


def test_every_picture_is_on_the_page() -> None:
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    drawn = gallery.pictures(ROOT / measurements.FOLDER)
    assert len(drawn) == page.count("](gallery/") == 2
    for path, text in drawn.items():
        assert f"]({path.removeprefix('docs/')})" in page
        assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"


def test_nothing_is_drawn_where_the_run_is_not_stored(tmp_path: Path) -> None:
    assert gallery.pictures(tmp_path) == {}
