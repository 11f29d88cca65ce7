"""Folders of images, archives and image files that cannot be what they are given as."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from runner import Row, check, rows

COMMAND = (
    "prepare_data --dataset mine --data '{kind: imagefolder, image_size: 8}' --data-dir data "
    "--manifest out/manifest.json"
)
NINE = range(1, 10)


def _png(level: int) -> bytes:
    pixels = np.full((8, 8), 20 * level, np.uint8)
    pixels[level % 8] = 255
    return _encoded(Image.fromarray(pixels), "PNG")


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


IMAGES: dict[str, str | bytes] = {
    f"data/mine/{split}/{label}/{place}.png": _png(place)
    for split, places in (("train", NINE), ("test", (10, 11)))
    for label in ("cat", "dog")
    for place in places
}
ODD = "data/mine/train/cat/odd"
PIXELS = np.arange(64, dtype=np.uint8).reshape(8, 8)
GREY = Image.fromarray(PIXELS)
FRAMES = [Image.fromarray(np.roll(PIXELS, shift)) for shift in (1, 2)]


def _image(name: str, ending: str, data: bytes, expected: str) -> Row:
    """A row of a data set with one more image."""
    return Row(name, COMMAND, expected, {**IMAGES, f"{ODD}.{ending}": data})


def _without(part: str) -> dict[str, str | bytes]:
    return {name: data for name, data in IMAGES.items() if part not in name}


def _settings(name: str, settings: str, expected: str) -> Row:
    command = COMMAND.replace("image_size: 8", settings)
    return Row(name, command, expected, IMAGES)


def _cifar(name: str, expected: str, files: dict[str, str | bytes]) -> Row:
    command = (
        "prepare_data --dataset cifar10 --data '{kind: cifar10}' --data-dir data "
        "--manifest out/manifest.json"
    )
    return Row(name, command, expected, files)


def _tiny(name: str, expected: str, files: dict[str, str | bytes]) -> Row:
    command = (
        "prepare_data --dataset tinyimagenet --data '{kind: tinyimagenet}' --data-dir data "
        "--manifest out/manifest.json"
    )
    return Row(name, command, expected, files)


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("cifar-10-batches-bin/data_batch_1.bin"))
    return buffer.getvalue()


def _dangling(folder: Path) -> None:
    (folder / f"{ODD}.png").symlink_to("nothing.png")


def _empty_class(folder: Path) -> None:
    (folder / "data/mine/train/emu").mkdir()
    (folder / "data/mine/test/emu").mkdir()


def _file_as_data_dir(folder: Path) -> None:
    (folder / "data").write_text("in the way")


def _made(
    name: str, make: Callable[[Path], None], expected: str, files: dict[str, str | bytes] = IMAGES
) -> Row:
    return Row(name, COMMAND, expected, files, make)


PNG = _png(1)
FOLDERS = [
    Row("no folder", COMMAND, "must hold the folder train/ and at least one of val/ and test/"),
    Row("no training folder", COMMAND, "found test", _without("/train/")),
    Row("no test folder", COMMAND, "must hold the folder train/", _without("/test/")),
    Row("one class", COMMAND, "holds one class folder; at least two", _without("/dog/")),
    Row("class lacks in test", COMMAND, "it lacks dog", _without("test/dog/")),
    Row(
        "class added in test", COMMAND, "it has in addition emu",
        {**IMAGES, "data/mine/test/emu/1.png": PNG},
    ),
    Row(
        "image in no class", COMMAND, "lies in no class folder: move it into one",
        {**IMAGES, "data/mine/train/1.png": PNG},
    ),
    Row("video", COMMAND, "is of no format that is read", {**IMAGES, f"{ODD}.mp4": b"\0" * 99}),
    _made("empty class", _empty_class, "emu holds no image: add some, or remove the folder"),
    _made("link to nothing", _dangling, "odd.png cannot be read: No such file or directory"),
    _made("data folder is a file", _file_as_data_dir, "data is not a folder: set data_dir", {}),
    Row(
        "one image of a class", COMMAND, "no class has two training images",
        {name: data for name, data in IMAGES.items() if "train" not in name or "/1.png" in name},
    ),
    _settings("subset too large", "image_size: 8, train_images: 99", "asks for 99 images, but the"),
    _settings("subset too small", "image_size: 8, train_images: 2", "none is left for validation"),
    _settings("test too large", "image_size: 8, test_images: 9", "test_images asks for 9 images"),
    _settings("absolute folder", "image_size: 8, folder: /mine", "folder must be relative to data"),
    _settings("other folder", "image_size: 8, folder: yours", "yours must hold the folder train/"),
]  # fmt: skip
FILES = [
    _image("empty file", "png", b"", "odd.png is not a readable image"),
    _image("text as image", "jpg", b"not an image at all", "odd.jpg is not a readable image"),
    _image("torn png", "png", PNG[: len(PNG) // 2], "odd.png is not a readable image"),
    _image(
        "torn jpeg", "jpg", _encoded(GREY.convert("RGB").resize((64, 64)), "JPEG")[:-300],
        "is not a readable image",
    ),
    _image(
        "several images", "gif",
        _encoded(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:]),
        "holds several images: keep one of them",
    ),
    _image(
        "real numbers", "tif", _encoded(Image.fromarray(PIXELS.astype(np.float32)), "TIFF"),
        "holds grey levels whose largest value is not known: save it with 8 or 16 bits",
    ),
    _image(
        "32 bits", "tif", _encoded(Image.fromarray(PIXELS.astype(np.int32)), "TIFF"),
        "holds grey levels whose largest value is not known",
    ),
    _image("bomb", "png", PNG[:16] + b"\x00\x01\x00\x00" * 2 + PNG[24:], "is not a readable image"),
]  # fmt: skip
BATCHES, TINY = "data/cifar-10-batches-bin", "data/tiny-imagenet-200"
ARCHIVES = [
    _cifar("batch missing", "data_batch_1.bin cannot be read", {f"{BATCHES}/readme.html": "x"}),
    _cifar("batch short", "data_batch_1.bin is truncated: 3073", {
        f"{BATCHES}/data_batch_1.bin": b"\0" * 3073
    }),
    _cifar("batch long", "is too long: 30730001 bytes, expected 30730000", {
        f"{BATCHES}/data_batch_1.bin": b"\0" * 30730001
    }),
    _cifar("batch altered", "is not the published file: its", {
        f"{BATCHES}/data_batch_1.bin": b"\0" * 30730000
    }),
    _cifar("pickle altered", "is not the published file", {
        "data/cifar-10-batches-py/data_batch_1": b"\x80\x02}."
    }),
    _cifar("other archive", "is not the published archive: its MD5 is", {
        "data/cifar-10-binary.tar.gz": _archive()
    }),
    _tiny("other zip", "is not the published archive", {"data/tiny-imagenet-200.zip": b"PK\5\6"}),
    _tiny("empty folder", "wnids.txt cannot be read (No such file", {f"{TINY}/readme": "x"}),
    _tiny("few classes", "names 1 classes, expected 200", {f"{TINY}/wnids.txt": "n01443537\n"}),
]  # fmt: skip
ROWS = [*FOLDERS, *FILES, *ARCHIVES]


@rows(ROWS)
def test_data(row: Row, tmp_path: Path) -> None:
    check(row, tmp_path)
