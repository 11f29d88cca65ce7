"""What was found in a data set's images that its user should know: said, and kept in a file."""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikernel import artifacts
from spikernel.data.cautions import FILE
from spikernel.data.collection import Collection
from spikernel.data.manifest import SplitFiles, SplitName

LOG = logging.getLogger(__name__)
KEPT = 1000
"""Pairs of equal images that the file names at most, for each pair of splits."""

DEEP = 2**15
"""Images of 16 bits of which none has such a grey level most likely hold fewer bits."""

Pairs = dict[tuple[SplitName, SplitName], list[tuple[int, int]]]
"""Splits -> places of equal images: that of the first in the first split, that of its copy."""
NamedPairs = dict[tuple[SplitName, SplitName], list[tuple[str, str]]]
"""The same with what to call the images."""


def report(
    folder: Path,
    dataset: str,
    collection: Collection,
    splits: Mapping[SplitName, SplitFiles],
    names: Mapping[SplitName, Callable[[int], str]],
) -> int:
    """Write the file, and a line to the log for each thing that may mislead.

    Args:
        folder: where the arrays lie, and the file goes.
        dataset: name of the data set.
        collection: what was read.
        splits: the stored splits.
        names: what to call the image at a place of each split.

    Returns:
        Number of pairs of equal images.
    """
    found = find_equal({split: folder / files.images for split, files in splits.items()})
    labels = {split: np.load(folder / files.labels) for split, files in splits.items()}
    pairs = _named(found, names)
    contradicting = _named(
        {
            (first, second): [(a, b) for a, b in places if labels[first][a] != labels[second][b]]
            for (first, second), places in found.items()
        },
        names,
    )
    remarks, on_white = collection.remarks, sorted(collection.remarks.on_white)
    lacking = {split: _lacking(collection.classes, files) for split, files in splits.items()}
    _say_lacking(dataset, len(collection.classes), lacking)
    _say_equal(dataset, pairs)
    _say_contradicting(dataset, contradicting)
    for what, listed in (
        ("left out, being no part of it", remarks.skipped),
        ("images laid on white, being transparent in places", on_white),
    ):
        if listed:
            LOG.warning("%s: %s: %d (%s)", dataset, what, len(listed), some(listed))
    if 0 < remarks.deepest < DEEP:
        LOG.warning(
            "%s: no image of 16 bits has a level above %d of 65,535: at most %d grey levels are "
            "left, so stretch them to 16 bits first",
            dataset,
            remarks.deepest,
            (remarks.deepest + 128) // 257 + 1,
        )
    record = {
        "equal_images": _listed(pairs),
        "equal_images_of_other_classes": _listed(contradicting),
        "classes_without_images": lacking,
        "skipped_files": remarks.skipped,
        "images_laid_on_white": on_white,
        "largest_level_of_16_bits": remarks.deepest,
    }
    artifacts.write_json(folder / FILE, record)
    return sum(map(len, pairs.values()))


def find_equal(images: Mapping[SplitName, Path]) -> Pairs:
    """Find images whose pixels are all equal, within each split and across every two.

    A copy counts once, whatever the number of images that it equals.

    Args:
        images: file of the images of each split, (N, C, H, W).
    """
    found: Pairs = {}
    places: dict[SplitName, dict[bytes, int]] = {}
    for split, path in images.items():
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        digests = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in array]
        for earlier, known in places.items():
            found[earlier, split] = [
                (known[digest], place) for place, digest in enumerate(digests) if digest in known
            ]
        own = places[split] = {}
        pairs = [(own.setdefault(digest, place), place) for place, digest in enumerate(digests)]
        found[split, split] = [(first, copy) for first, copy in pairs if first != copy]
    return found


def some(names: Sequence[str], most: int = 3) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _lacking(classes: Sequence[str], files: SplitFiles) -> list[str]:
    return [name for name, count in zip(classes, files.per_class, strict=True) if not count]


def _say_lacking(dataset: str, classes: int, lacking: Mapping[SplitName, Sequence[str]]) -> None:
    for split, names in lacking.items():
        if names:
            LOG.warning(
                "%s: classes without a %s image: %d of %d (%s): the %s accuracy says nothing of "
                "them: add images%s",
                dataset, split, len(names), classes, some(names), split,
                " or raise test_images" if split == "test" else "",
            )  # fmt: skip


def _named(found: Pairs, names: Mapping[SplitName, Callable[[int], str]]) -> NamedPairs:
    return {
        (first, second): [(names[first](a), names[second](b)) for a, b in places]
        for (first, second), places in found.items()
    }


def _listed(pairs: NamedPairs) -> dict[str, dict[str, Any]]:
    return {
        "/".join(dict.fromkeys(key)): {"count": len(found), "pairs": found[:KEPT]}
        for key, found in pairs.items()
    }


def _say_equal(dataset: str, pairs: NamedPairs) -> None:
    for (first, second), found in pairs.items():
        if not found:
            continue
        examples = _examples(found)
        if first == second:
            LOG.info(
                "%s: %s images that repeat another: %d (%s)", dataset, first, len(found), examples
            )
        else:
            LOG.warning(
                "%s: %s images that equal a %s image in every pixel: %d (%s): the %s "
                "accuracy is too high unless one of each pair is removed",
                dataset, second, first, len(found), examples, second,
            )  # fmt: skip


def _say_contradicting(dataset: str, pairs: NamedPairs) -> None:
    for (first, second), found in pairs.items():
        if found:
            LOG.warning(
                "%s: %s images that equal a %s image of another class in every pixel: %d (%s): "
                "one label of each pair is wrong: correct it, or remove the pair",
                dataset, second, first, len(found), _examples(found),
            )  # fmt: skip


def _examples(pairs: Sequence[tuple[str, str]]) -> str:
    return some([f"{copy} = {original}" for original, copy in pairs])
