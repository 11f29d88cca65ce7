"""The user's own images: train/ and val/ or test/, each with one folder per class."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikernel.config import DatasetConfig
from spikernel.data import locate
from spikernel.data.collection import Collection, Pool
from spikernel.data.images import decode
from spikernel.data.manifest import Source
from spikernel.data.rules import image_size
from spikernel.errors import DataError

IMAGE_SIZE = None
CHANNELS = 3


def read(name: str, settings: DatasetConfig, data_dir: Path) -> Collection:
    """Return the images in colour, each resized and cropped to a square.

    With test/, it is the test split, and val/, if there, the validation split; without test/,
    val/ is the test split.

    Raises:
        DataError: a folder is missing or empty, or has other classes than train/.
    """
    side = image_size(name, settings)
    root = locate.own_folder(name, settings, data_dir)
    present = [part for part in ("train", "val", "test") if (root / part).is_dir()]
    if "train" not in present or len(present) < 2:
        raise DataError(
            f"{root} must hold the folder train/ and at least one of val/ and test/; "
            f"found {', '.join(present) or 'none of them'}"
        )
    listings = {part: _list(root / part) for part in present}
    classes = tuple(listings["train"].classes)
    if len(classes) < 2:
        raise DataError(f"{root / 'train'} holds one class folder; at least two are needed")
    for part in present[1:]:
        _check_classes(root / part, classes, tuple(listings[part].classes))
    pools = {part: _pool(listings[part].samples, side) for part in present}
    return Collection(
        classes=classes,
        channels=3,
        train=pools["train"],
        test=pools["test"] if "test" in pools else pools["val"],
        validation=pools.get("val") if "test" in pools else None,
        sources=tuple(_source(root / part, listings[part].samples, data_dir) for part in present),
    )


def _list(folder: Path) -> Any:
    """Return torchvision's listing of a folder: `classes`, and `samples` of path and label."""
    from torchvision.datasets import ImageFolder  # here only, see `reader.Reader`

    try:
        return ImageFolder(str(folder))
    except FileNotFoundError as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{folder}: {reason} One folder per class, with images in it, is needed"
        ) from None


def _check_classes(folder: Path, expected: tuple[str, ...], found: tuple[str, ...]) -> None:
    if found == expected:
        return
    problems = []
    for verb, names in (
        ("lacks", sorted(set(expected) - set(found))),
        ("has in addition", sorted(set(found) - set(expected))),
    ):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            problems.append(f"{verb} {', '.join(names[:3])}{more}")
    raise DataError(
        f"{folder}: the class folders differ from those of train/: it {' and '.join(problems)}"
    )


def _source(folder: Path, samples: list[tuple[str, int]], data_dir: Path) -> Source:
    names = [Path(path).relative_to(folder).as_posix() for path, _ in samples]
    return locate.source(folder, data_dir, "folder", locate.tree_hash(folder, names))


def _pool(samples: list[tuple[str, int]], side: int) -> Pool:
    labels = np.array([label for _, label in samples], dtype=np.int64)

    def image(index: int) -> NDArray[np.uint8]:
        path = samples[index][0]
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}") from None
        return decode(data, path, side, fit=True)

    return Pool(labels, image)
