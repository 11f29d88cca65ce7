"""Equal images, left out files and classes without images, through the step itself."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spikernel.config import DatasetConfig
from spikernel.data import cautions, findings
from spikernel.study.prepare_data import prepare

SETTINGS = DatasetConfig(kind="imagefolder", image_size=8)


def save(path: Path, level: int, mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), level).convert(mode).save(path)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Write images of one grey level each, all different."""
    root = tmp_path / "pets"
    level = 0
    for part, count in (("train", 3), ("val", 2), ("test", 2)):
        for name in ("cat", "dog"):
            for number in range(count):
                save(root / part / name / f"{number}.png", level)
                level += 1
    return root


def run(pets: Path, caplog: pytest.LogCaptureFixture) -> tuple[dict[str, Any], list[str]]:
    folder = pets.parent / "out"
    with caplog.at_level(logging.INFO):
        prepare("pets", SETTINGS, pets.parent, folder / "manifest.json")
    record = json.loads((folder / findings.FILE).read_text())
    return record, [entry.getMessage() for entry in caplog.records]


def test_different_images(pets: Path, caplog: pytest.LogCaptureFixture) -> None:
    record, lines = run(pets, caplog)
    assert lines == ["pets: 6 train, 4 validation, 4 test images of 2 classes, all different"]
    none = {"count": 0, "pairs": []}
    splits = ("train", "validation", "test", "train/validation", "train/test", "validation/test")
    assert record == {
        "classes_without_images": {"train": [], "validation": [], "test": []},
        "equal_images": dict.fromkeys(splits, none),
        "equal_images_of_other_classes": dict.fromkeys(splits, none),
        "skipped_files": [],
        "images_laid_on_white": [],
        "largest_level_of_16_bits": 0,
    }


def test_copies_within_and_across_splits(pets: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(pets / "train" / "cat" / "copy.bmp", 0)  # of train/cat/0.png, as another format
    save(pets / "test" / "dog" / "copy.png", 0)  # the class is another, too
    save(pets / "test" / "cat" / "0.png", 6)  # is val/cat/0.png
    record, lines = run(pets, caplog)
    found = {key: value["pairs"] for key, value in record["equal_images"].items() if value["count"]}
    assert found == {
        "train": [["train/cat/0.png", "train/cat/copy.bmp"]],
        "train/test": [["train/cat/0.png", "test/dog/copy.png"]],
        "validation/test": [["val/cat/0.png", "test/cat/0.png"]],
    }
    assert lines[0] == (
        "pets: train images that repeat another: 1 (train/cat/copy.bmp = train/cat/0.png)"
    )
    assert (
        "pets: test images that equal a train image in every pixel: 1 (test/dog/copy.png = "
        "train/cat/0.png): the test accuracy is too high unless one of each pair is removed"
    ) in lines
    assert "all different" not in lines[-1]
    levels = [entry.levelname for entry in caplog.records]
    assert sorted(levels) == ["INFO", "INFO", "WARNING", "WARNING", "WARNING"]


def test_copies_whose_labels_contradict_each_other(
    pets: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(pets / "train" / "dog" / "copy.png", 0)  # is train/cat/0.png
    save(pets / "test" / "dog" / "copy.png", 0)
    save(pets / "test" / "cat" / "copy.png", 0)  # of one label with the first of its copies
    record, lines = run(pets, caplog)
    assert {key: found["count"] for key, found in record["equal_images"].items()} == {
        "train": 1, "validation": 0, "train/validation": 0, "test": 1, "train/test": 2,
        "validation/test": 0,
    }  # fmt: skip
    found = record["equal_images_of_other_classes"]
    assert {key: value["pairs"] for key, value in found.items() if value["count"]} == {
        "train": [["train/cat/0.png", "train/dog/copy.png"]],
        "train/test": [["train/cat/0.png", "test/dog/copy.png"]],
        "test": [["test/cat/copy.png", "test/dog/copy.png"]],
    }
    assert (
        "pets: train images that equal a train image of another class in every pixel: 1 "
        "(train/dog/copy.png = train/cat/0.png): one label of each pair is wrong: correct it, or "
        "remove the pair"
    ) in lines
    assert cautions.read(pets.parent / "out" / findings.FILE) == (
        "2 test images equal a training image in every pixel",
        "1 training image equals a training image of another class in every pixel",
        "1 test image equals a training image of another class in every pixel",
        "1 test image equals a test image of another class in every pixel",
    )


def test_a_test_split_copied_from_train(pets: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("cat", "dog"):
        for number in range(2):
            image = Image.open(pets / "train" / name / f"{number}.png")
            image.save(pets / "test" / name / f"{number}.png")
    record, lines = run(pets, caplog)
    assert record["equal_images"]["train/test"]["count"] == 4
    assert lines[0].startswith("pets: test images that equal a train image in every pixel: 4 (")
    assert "test/dog/0.png = train/dog/0.png and 1 more)" in lines[0]


def test_copies_are_counted_once_each(tmp_path: Path) -> None:
    files = {"train": [5, 5, 5, 1], "validation": [5, 2], "test": [5, 2, 2]}
    paths = {}
    for split, levels in files.items():
        paths[split] = tmp_path / f"{split}.npy"
        np.save(paths[split], np.array(levels, np.uint8).reshape(-1, 1, 1, 1))
    assert findings.find_equal(paths) == {
        ("train", "train"): [(0, 1), (0, 2)],
        ("validation", "validation"): [],
        ("test", "test"): [(1, 2)],
        ("train", "validation"): [(0, 0)],
        ("train", "test"): [(0, 0)],
        ("validation", "test"): [(0, 0), (1, 1), (1, 2)],
    }


def test_left_out_and_transparent_files(pets: Path, caplog: pytest.LogCaptureFixture) -> None:
    (pets / "train" / "cat" / "Thumbs.db").touch()
    (pets / "test" / "dog" / "._0.png").touch()
    save(pets / "holdout" / "cat" / "0.png", 200)
    (pets / "README.txt").touch()
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 100))
    clear.save(pets / "val" / "dog" / "0.png")
    record, lines = run(pets, caplog)
    skipped = ["README.txt", "holdout/", "train/cat/Thumbs.db", "test/dog/._0.png"]
    assert record["skipped_files"] == skipped
    assert record["images_laid_on_white"] == ["val/dog/0.png"]
    assert lines[:2] == [
        "pets: left out, being no part of it: 4 (README.txt, holdout/, train/cat/Thumbs.db and 1 "
        "more)",
        "pets: images laid on white, being transparent in places: 1 (val/dog/0.png)",
    ]


def test_fewer_test_images_than_classes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = DatasetConfig(kind="digits", test_images=6)
    with caplog.at_level(logging.INFO):
        prepare("digits", settings, tmp_path, tmp_path / "manifest.json")
    (warning,) = (entry.getMessage() for entry in caplog.records if entry.levelname == "WARNING")
    labels = np.load(tmp_path / "test_labels.npy")
    lacking = [str(label) for label in range(10) if label not in labels]
    assert len(lacking) == 4
    assert warning == (
        f"digits: classes without a test image: 4 of 10 ({', '.join(lacking[:3])} and 1 more): the "
        "test accuracy says nothing of them: add images or raise test_images"
    )
