"""Choices of images that keep the share of every class, drawn with a seed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def holdout(labels: NDArray[np.int64], fraction: float, seed: int | Sequence[int]) -> Indices:
    """Choose a share of every class to keep aside.

    A class of n images gives `fraction` * n of them, rounded half up, but at least one and at
    most n - 1; a class of a single image gives none.

    Args:
        labels: class of every image, shape (N,).
        fraction: share between 0 and 1.
        seed: seed of the draw.

    Returns:
        Ascending indices of the chosen images.
    """
    sizes = np.bincount(labels)
    wanted = np.floor(fraction * sizes + 0.5).astype(np.int64)
    return _draw(labels, np.minimum(np.maximum(wanted, 1), np.maximum(sizes - 1, 0)), seed)


def subset(labels: NDArray[np.int64], total: int, seed: int | Sequence[int]) -> Indices:
    """Choose exactly `total` images, divided among the classes by largest remainder.

    Of equal remainders, the class with the smaller index is served first.

    Args:
        labels: class of every image, shape (N,).
        total: number of images, from 0 to N.
        seed: seed of the draw.

    Returns:
        Ascending indices of the chosen images, shape (total,).

    Raises:
        ValueError: more images are wanted than there are.
    """
    if not 0 <= total <= len(labels):
        raise ValueError(f"{total} of {len(labels)} images cannot be chosen")
    sizes = np.bincount(labels).astype(np.int64)
    # Integers throughout: a quota that a float rounds would make the division ambiguous.
    wanted, remainders = np.divmod(sizes * total, max(len(labels), 1))
    missing = total - int(wanted.sum())
    wanted[np.argsort(-remainders, kind="stable")[:missing]] += 1
    return _draw(labels, wanted, seed)


def without(count: int, chosen: Indices) -> Indices:
    """Return the ascending indices below `count` that are not among `chosen`."""
    left = np.ones(count, dtype=bool)
    left[chosen] = False
    return np.flatnonzero(left)


def _draw(labels: NDArray[np.int64], wanted: Indices, seed: int | Sequence[int]) -> Indices:
    """Draw `wanted[c]` images of every class c.

    The whole class is shuffled whatever is wanted of it, so that with one seed a smaller
    choice lies within a larger one.
    """
    generator = np.random.default_rng(seed)
    chosen = [np.empty(0, dtype=np.int64)]
    for label, number in enumerate(wanted):
        members = generator.permutation(np.flatnonzero(labels == label))
        chosen.append(members[:number])
    return np.sort(np.concatenate(chosen))
