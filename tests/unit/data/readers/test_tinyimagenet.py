import dataclasses
import hashlib
import io
import logging
import re
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spikernel.config import DatasetConfig
from spikernel.data.readers import tinyimagenet
from spikernel.data.splits import load_split
from spikernel.errors import DataError
from spikernel.study.prepare_data import prepare

SETTINGS = DatasetConfig(kind="tinyimagenet")
WNIDS = ("n03", "n01", "n02")  # wnids.txt is not sorted either
COLOURS = {"n01": (200, 30, 30), "n02": (30, 200, 30), "n03": (30, 30, 200)}
VAL = ("n02", "n01", "n03", "n01", "n02", "n03")


def jpeg(colour, mode="RGB", side=64):
    buffer = io.BytesIO()
    Image.new(mode, (side, side), colour).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, count in {"CLASSES": 3, "TRAIN_PER_CLASS": 4, "TEST_PER_CLASS": 2}.items():
        monkeypatch.setattr(tinyimagenet, name, count)
    root = tmp_path / "data" / "tiny-imagenet-200"
    for wnid, colour in COLOURS.items():
        images = root / "train" / wnid / "images"
        images.mkdir(parents=True)
        (root / "train" / wnid / f"{wnid}_boxes.txt").write_text("")
        for number in range(4):
            (images / f"{wnid}_{number}.JPEG").write_bytes(jpeg(colour))
    (root / "train" / "n01" / "images" / "n01_2.JPEG").write_bytes(jpeg(77, "L"))
    (root / "val" / "images").mkdir(parents=True)
    for number, wnid in enumerate(VAL):
        (root / "val" / "images" / f"val_{number}.JPEG").write_bytes(jpeg(COLOURS[wnid]))
    rows = [f"val_{number}.JPEG\t{wnid}\t0\t32\t44\t62\n" for number, wnid in enumerate(VAL)]
    (root / "val" / "val_annotations.txt").write_text("".join(rows))
    (root / "wnids.txt").write_text("\n".join(WNIDS) + "\n")
    (root / "test" / "images").mkdir(parents=True)
    (root / "test" / "images" / "test_0.JPEG").write_bytes(jpeg((1, 2, 3)))
    monkeypatch.setattr(tinyimagenet, "FOLDER_SHA256", folder_hash(root))
    return root


def folder_hash(root):
    """Return the hash of a folder, by the command of data/README.md."""
    readme = Path(__file__).parents[4] / "data" / "README.md"
    command = re.search(r"^find wnids\.txt.*", readme.read_text(), re.MULTILINE)[0]
    done = subprocess.run(command, shell=True, cwd=root, capture_output=True, text=True)
    return done.stdout.split()[0]


def pack(root, monkeypatch):
    path = root.parent / "tiny-imagenet-200.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for item in root.rglob("*"):
            archive.write(item, item.relative_to(root.parent))
    for item in sorted(root.rglob("*"), reverse=True):
        item.rmdir() if item.is_dir() else item.unlink()
    root.rmdir()
    pin(path, monkeypatch)
    return path


def pin(path, monkeypatch):
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    archive = dataclasses.replace(tinyimagenet.ARCHIVE, md5=md5)
    monkeypatch.setattr(tinyimagenet, "ARCHIVE", archive)


def check(collection):
    assert collection.classes == ("n01", "n02", "n03")
    assert collection.train.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert collection.test.labels.tolist() == [1, 0, 2, 0, 1, 2]
    for pool in (collection.train, collection.test):
        for index, label in enumerate(pool.labels):
            image = pool.image(index)
            assert (image.shape, image.dtype) == ((3, 64, 64), np.uint8)
            if pool is collection.train and index == 2:
                assert (image == 77).all(), "a grey image has three equal channels"
            else:
                assert image.mean((1, 2)).argmax() == label


def test_annotations_arrange_the_test_split(folder):
    collection = tinyimagenet.read("tinyimagenet", SETTINGS, folder.parent)
    check(collection)
    (source,) = collection.sources
    assert (source.file, source.origin) == ("tiny-imagenet-200", "folder")


def test_archive_is_read_in_place(folder, monkeypatch):
    path = pack(folder, monkeypatch)
    collection = tinyimagenet.read("tinyimagenet", SETTINGS, path.parent)
    check(collection)
    (source,) = collection.sources
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert source.origin == "archive"
    assert list(path.parent.iterdir()) == [path]


ALTERED = DatasetConfig(kind="tinyimagenet", accept_altered=True)


def test_flipped_bit_is_refused_unless_accepted(folder, caplog):
    path = folder / "val" / "images" / "val_3.JPEG"
    data = bytearray(path.read_bytes())
    data[-200] ^= 1  # the image can still be decoded
    path.write_bytes(data)
    found, expected = folder_hash(folder), tinyimagenet.FOLDER_SHA256
    difference = (
        f"tiny-imagenet-200 is not the published data set: .* is {found}, expected {expected}"
    )
    with pytest.raises(DataError, match=f"{difference}; unpack the archive again, or set accept"):
        tinyimagenet.read("t", SETTINGS, folder.parent)
    with caplog.at_level(logging.WARNING):
        collection = tinyimagenet.read("t", ALTERED, folder.parent)
    assert re.search(f"{difference}; it is taken because", caplog.text)
    check(collection)
    assert collection.sources[0].sha256 == found


def test_accepted_folder_may_hold_another_number_of_images(folder, tmp_path):
    (folder / "train" / "n01" / "images" / "n01_2.JPEG").unlink()
    short_annotations(folder)
    manifest = tmp_path / "out" / "manifest.json"
    prepare("t", ALTERED, folder.parent, manifest)
    assert len(load_split(manifest, "test").labels) == 5


def test_litter_is_left_out_and_named(folder):
    litter = ["train/n01/images/._n01_0.JPEG", "train/n02/images/Thumbs.db", "val/images/.DS_Store"]
    for name in litter:
        (folder / name).write_bytes(b"litter")
    collection = tinyimagenet.read("t", SETTINGS, folder.parent)
    check(collection)
    assert collection.remarks.skipped == litter


def test_digest_is_that_of_the_official_folder():
    assert tinyimagenet.FOLDER_SHA256 in (Path(__file__).parents[4] / "data/README.md").read_text()


def test_end_to_end(folder, tmp_path):
    manifest = tmp_path / "out" / "manifest.json"
    prepare("tiny", SETTINGS, folder.parent, manifest)
    assert load_split(manifest, "train").images.shape == (9, 3, 64, 64)
    assert load_split(manifest, "validation").labels.tolist() == [0, 1, 2]
    assert load_split(manifest, "test").labels.tolist() == [1, 0, 2, 0, 1, 2]


def remove_annotations(root):
    (root / "val" / "val_annotations.txt").unlink()


def unknown_class(root):
    path = root / "val" / "val_annotations.txt"
    path.write_text(path.read_text().replace("n03", "n99", 1))


def missing_test_image(root):
    (root / "val" / "images" / "val_4.JPEG").unlink()


def missing_train_image(root):
    (root / "train" / "n02" / "images" / "n02_1.JPEG").unlink()


def short_annotations(root):
    path = root / "val" / "val_annotations.txt"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def two_classes(root):
    (root / "wnids.txt").write_text("n01\nn02\n")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove_annotations, r"val_annotations.txt cannot be read \(No such file"),
        (unknown_class, "val_annotations.txt, line 3: 'n99' is not a class of wnids.txt"),
        (missing_test_image, "line 5: .*val_4.JPEG is missing"),
        (missing_train_image, "train has 3 images of class n02, expected 4"),
        (short_annotations, "val has 1 images of class n03, expected 2"),
        (two_classes, "wnids.txt names 2 classes, expected 3"),
    ],
)
def test_incomplete_folders(folder, spoil, message):
    spoil(folder)
    with pytest.raises(DataError, match=message):
        tinyimagenet.read("tinyimagenet", SETTINGS, folder.parent)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no image", "n01_1.JPEG is not a readable image"),
        (jpeg((1, 2, 3))[:-300], "n01_1.JPEG is not a readable image"),
        (jpeg((1, 2, 3), side=32), "n01_1.JPEG is 32x32 pixels, expected 64x64"),
    ],
)
def test_bad_images_are_named(folder, tmp_path, data, message):
    (folder / "train" / "n01" / "images" / "n01_1.JPEG").write_bytes(data)
    with pytest.raises(DataError, match=message):
        prepare("tiny", ALTERED, folder.parent, tmp_path / "manifest.json")


def test_zip_that_is_no_zip(folder, monkeypatch):
    path = pack(folder, monkeypatch)
    path.write_bytes(b"PK no zip")
    pin(path, monkeypatch)
    with pytest.raises(DataError, match=r"tiny-imagenet-200\.zip cannot be unpacked"):
        tinyimagenet.read("tinyimagenet", SETTINGS, path.parent)
