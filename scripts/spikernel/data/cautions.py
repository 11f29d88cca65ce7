"""What a reader of an accuracy must know of the images behind it, from `findings.json`.

Read by the process that controls a workflow, so without NumPy.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from spikernel import artifacts

FILE = "findings.json"
"""Name of the file, which lies beside the manifest."""
_WORDS = {"train": "training"}


def read(path: Path) -> tuple[str, ...]:
    """Return one sentence, without its full stop, for each thing that misleads.

    Args:
        path: findings.json of prepare_data.

    Raises:
        SpikernelError: the file is missing or damaged.

    """
    record = artifacts.read_object(path, "equal_images")
    # Files of earlier versions do not name the classes.
    contradicting = record.get("equal_images_of_other_classes", {})
    without = record.get("classes_without_images", {})
    return (*_copies(record["equal_images"]), *_contradicting(contradicting), *_lacking(without))


def by_dataset(paths: Iterable[Path]) -> dict[str, tuple[str, ...]]:
    """Return the sentences of several files by data set; experiments may share one.

    Args:
        paths: `<dataset>/prepare_data/findings.json`, wherever.

    Raises:
        SpikernelError: a file is missing or damaged.

    """
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(paths):
        dataset = path.parents[1].name
        found[dataset] = tuple(dict.fromkeys((*found.get(dataset, ()), *read(path))))
    return found


def _copies(equal: dict[str, dict[str, int]]) -> Iterator[str]:
    for splits, found in equal.items():
        # One split alone: its copies do not tell a net anything of another split.
        if "/" in splits and found["count"]:
            yield _pairs(splits, found["count"])


def _contradicting(equal: dict[str, dict[str, int]]) -> Iterator[str]:
    for splits, found in equal.items():
        if found["count"]:
            yield _pairs(splits, found["count"], " of another class")


def _pairs(splits: str, count: int, kind: str = "") -> str:
    names = [_WORDS.get(name, name) for name in splits.split("/")]
    images = f"{names[-1]} image{'s' * (count > 1)}"
    verb = "equal" if count > 1 else "equals"
    return f"{count:,} {images} {verb} a {names[0]} image{kind} in every pixel"


def _lacking(without: dict[str, list[str]]) -> Iterator[str]:
    for split, names in without.items():
        if names:
            classes = f"{len(names):,} class{'es' * (len(names) > 1)}"
            verb = "have" if len(names) > 1 else "has"
            yield f"{classes} {verb} no {_WORDS.get(split, split)} image (first: {names[0]})"
