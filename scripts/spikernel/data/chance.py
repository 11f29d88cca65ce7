"""The accuracy of guessing, by one rule for every step. No torch."""

from collections.abc import Sequence


def chance_percent(per_class: Sequence[int]) -> float:
    """Return the accuracy of giving every image the largest class of the images that are judged.

    Args:
        per_class: number of these images of each class, at least one in all.

    """
    return 100 * max(per_class) / sum(per_class)
