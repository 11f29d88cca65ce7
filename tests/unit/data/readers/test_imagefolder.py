import shutil

import numpy as np
import pytest
from PIL import Image

from spikernel.config import DatasetConfig
from spikernel.data.readers import imagefolder
from spikernel.data.splits import load_split
from spikernel.errors import DataError
from spikernel.study.prepare_data import prepare

SETTINGS = DatasetConfig(kind="imagefolder", image_size=16)
GREY = {"cat": 60, "dog": 180}
LEVEL = {"train": 0, "val": 10, "test": 20}


def fill(root, **counts):
    """Write `counts[part]` plain images per class, whose grey level tells class and part."""
    for part, count in counts.items():
        for name, grey in GREY.items():
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                image = Image.new("L", (24, 40), grey + LEVEL[part])
                image.save(folder / f"{number}.png")
    return root


def levels(split):
    return sorted(set(split.images.ravel().tolist()))


def run(tmp_path):
    manifest = tmp_path / "out" / "manifest.json"
    prepare("pets", SETTINGS, tmp_path, manifest)
    return {name: load_split(manifest, name) for name in ("train", "validation", "test")}


@pytest.mark.parametrize(("largest", "said"), [(4095, True), (65535, False)])
def test_twelve_bits_in_files_of_sixteen_are_named(tmp_path, caplog, largest, said):
    fill(tmp_path / "pets", train=6, test=2)
    deep = Image.fromarray(np.full((24, 40), largest, np.uint16))
    deep.save(tmp_path / "pets" / "train" / "cat" / "0.png")
    with caplog.at_level("WARNING"):
        run(tmp_path)
    # (4095 + 128) // 257 + 1 levels are left.
    found = "no image of 16 bits has a level above 4095 of 65,535: at most 17 grey levels"
    assert (found in caplog.text) == said


@pytest.mark.parametrize(
    ("counts", "expected", "sizes"),
    [
        ({"train": 6, "test": 2}, ([60, 180], [60, 180], [80, 200]), (10, 2, 4)),
        ({"train": 6, "val": 2}, ([60, 180], [60, 180], [70, 190]), (10, 2, 4)),
        ({"train": 6, "val": 3, "test": 2}, ([60, 180], [70, 190], [80, 200]), (12, 6, 4)),
    ],
)
def test_which_folder_becomes_which_split(tmp_path, counts, expected, sizes):
    fill(tmp_path / "pets", **counts)
    splits = run(tmp_path)
    assert tuple(levels(split) for split in splits.values()) == expected
    assert tuple(len(split.labels) for split in splits.values()) == sizes
    assert splits["train"].images.shape[1:] == (3, 16, 16)
    manifest = splits["train"].manifest
    assert manifest.classes == ("cat", "dog")
    assert [source.file for source in manifest.source] == [
        f"pets/{part}" for part in ("train", "val", "test") if part in counts
    ]


def test_short_side_is_resized_and_the_centre_kept(tmp_path):
    root = fill(tmp_path / "pets", train=2, test=1)
    pixels = np.zeros((32, 96, 3), np.uint8)
    pixels[:, 32:64] = (250, 120, 10)  # the centre square
    Image.fromarray(pixels).save(root / "test" / "cat" / "0.png")
    image = imagefolder.read("pets", SETTINGS, tmp_path).test.image(0)
    assert image.shape == (3, 16, 16)
    # The outermost columns are mixed with the neighbours that were cut away.
    assert (image[:, :, 1:-1] == np.array([250, 120, 10]).reshape(3, 1, 1)).all()


def test_constant_channel_can_be_normalised(tmp_path):
    root = fill(tmp_path / "pets", train=2, test=1)
    for path in (root / "train").rglob("*.png"):
        Image.new("RGB", (16, 16), (0, 5, 255)).save(path)
    manifest = run(tmp_path)["train"].manifest
    assert manifest.mean == pytest.approx((0, 5 / 255, 1))
    assert manifest.sd == pytest.approx((1 / 255,) * 3)


def no_folder(root):
    shutil.rmtree(root)


def train_only(root):
    shutil.rmtree(root / "test")


def other_class(root):
    (root / "test" / "dog").rename(root / "test" / "dgo")


def empty_class(root):
    for path in (root / "train" / "dog").iterdir():
        path.unlink()


def no_classes(root):
    shutil.rmtree(root / "train")
    (root / "train").mkdir()


def one_class(root):
    shutil.rmtree(root / "train" / "dog")


def unreadable(root):
    (root / "train" / "cat" / "1.png").write_text("no image")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_folder, r"pets must hold the folder train/ .*found none of them"),
        (train_only, r"pets must hold the folder train/ and .*val/ and test/; found train"),
        (other_class, r"test: .* differ .*: it lacks dog and has in addition dgo"),
        (empty_class, r"train/dog holds no image"),
        (no_classes, r"train holds no class folder"),
        (one_class, r"train holds one class folder; at least two"),
        (unreadable, r"cat/1.png is not a readable image .*: replace or remove it"),
    ],
)
def test_bad_folders(tmp_path, spoil, message):
    spoil(fill(tmp_path / "pets", train=3, test=1))
    with pytest.raises(DataError, match=message) as caught:
        run(tmp_path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "manifest.json").exists()
