"""The pictures of the README: which are drawn, of what, and always the same bytes."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from report_experiment import make, write_json
from stored import SINGLE, finished

import measurements
import pictures


def test_every_picture_of_a_run(tmp_path: Path) -> None:
    measurements.add(finished(make(tmp_path, ["cifar10"])), tmp_path)
    drawn = pictures.by_run(tmp_path)
    assert [picture.name for part in drawn.values() for picture in part] == [
        *("accuracy-against-memory", "trial-kernel-impact", "trial-cifar10-cell"),
    ]
    impact, cell = drawn["trial"]
    for text in ("CIFAR-10", "plain (same width)", "iso_parameter (same parameters)"):
        assert text in impact.svg
    assert "Cell k5-skip-k3-zero-k5-avg: " in cell.svg
    assert cell.caption.endswith("chosen on CIFAR-10 within 40 MB, in `trial`")
    # A file of its own has every colour that its rules name.
    assert "--accent: #" in cell.svg
    for picture in (*drawn[""], impact, cell):
        assert ElementTree.fromstring(picture.svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert pictures.by_run(tmp_path) == drawn


def test_single_trainings_are_drawn_beside_published_results(tmp_path: Path) -> None:
    write_json(tmp_path / "cifar10-a.json", SINGLE)
    picture = pictures.accuracy_against_memory(tmp_path)
    assert picture is not None
    for text in ("single trainings {3}", "SpiKernel (paper)", "SNASNet-Fw", "10 M parameters"):
        assert text in picture.svg.replace("&lt;", "<")
    assert picture.markdown.endswith("](docs/pictures/accuracy-against-memory.svg)")


@pytest.mark.parametrize("dataset", ["digits", "cifar10_smoke"])
def test_nothing_is_drawn_of_other_data_sets(tmp_path: Path, dataset: str) -> None:
    measurements.add(finished(make(tmp_path, [dataset])), tmp_path)
    assert pictures.by_run(tmp_path) == {"": [], "trial": []}
