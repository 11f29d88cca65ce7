import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from spikernel.data.class_folders import list_images
from spikernel.errors import DataError

IMAGES = ("cat/1.png", "cat-2/1.PNG", "cat/deep/0.gif", "dog/9.jpeg", "dog/10.tif")


def make(root: Path, names: Iterable[str]) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def test_images_come_class_by_class_and_folder_by_folder(tmp_path: Path) -> None:
    found = list_images(make(tmp_path, IMAGES))
    assert found.classes == ("cat", "cat-2", "dog")
    assert found.images == (
        ("cat/1.png", 0),
        ("cat/deep/0.gif", 0),
        ("cat-2/1.PNG", 1),
        ("dog/10.tif", 2),
        ("dog/9.jpeg", 2),
    )
    assert found.skipped == ()


def test_order_is_that_of_torchvision(tmp_path: Path) -> None:
    from torchvision.datasets import ImageFolder

    names = [name for name in IMAGES if not name.endswith(".gif")]
    theirs = ImageFolder(str(make(tmp_path, names)))
    ours = list_images(tmp_path)
    assert [(str(tmp_path / name), label) for name, label in ours.images] == theirs.samples
    assert list(ours.classes) == theirs.classes


LITTER = (
    ".DS_Store", "labels.csv", ".ipynb_checkpoints/1-checkpoint.png", "cat/._1.png",
    "cat/Thumbs.db", "cat/notes.TXT", "cat/__MACOSX/1.png", "dog/@eaDir/9.jpeg",
)  # fmt: skip


def test_litter_and_texts_are_left_out_and_named(tmp_path: Path) -> None:
    found = list_images(make(tmp_path, [*IMAGES, *LITTER]))
    assert found.classes == ("cat", "cat-2", "dog")
    assert len(found.images) == len(IMAGES)
    assert sorted(found.skipped) == sorted(LITTER)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cat/2.heic", r"cat/2.heic is of no format that is read \(.jpg, .*\): convert or remove"),
        ("cat/3.zip", r"cat/3.zip is of no format"),
        ("2.avif", r"2.avif is of no format"),
        ("cat/1", r"cat/1 is of no format"),
        ("2.png", r"2.png lies in no class folder: move it into one"),
        ("owl/._1.png", r"owl holds no image: add some, or remove the folder"),
    ],
)
def test_nothing_else_is_dropped(tmp_path: Path, name: str, message: str) -> None:
    make(tmp_path, [*IMAGES, name])
    with pytest.raises(DataError, match=message):
        list_images(tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (b"caf\xe9", r"the name of the class folder 'caf\\udce9' is not UTF-8: rename it$"),
        (b"two\nlines", r"the name of the class folder 'two\\nlines' has a line break: rename it$"),
        (b"one line\r", r"the name of the class folder 'one line\\r' has a line break: rename it$"),
    ],
)
def test_names_that_no_text_file_can_hold(tmp_path: Path, name: bytes, message: str) -> None:
    """In Latin-1, an e with an acute accent is the byte E9, which no UTF-8 text ends with."""
    list_images(make(tmp_path, [*IMAGES, "caf\N{LATIN SMALL LETTER E WITH ACUTE}/1.png"]))
    make(tmp_path, [f"{os.fsdecode(name)}/1.png"])
    with pytest.raises(DataError, match=message):
        list_images(tmp_path)


def test_no_class_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no class folder"):
        list_images(make(tmp_path, [".git/config"]))
    with pytest.raises(DataError, match="cannot be read: No such file"):
        list_images(tmp_path / "train")
