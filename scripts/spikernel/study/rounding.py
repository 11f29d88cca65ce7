"""How far two accuracies of the same weights on the same images may lie apart. No torch."""

MOST_SHARE = 0.001
"""Of the images. Another device, one pass in place of binary steps, and a normalisation that is
folded add the same numbers in another order, which turns few classes: in docs/measurements, one
pass and binary steps differ on 2 of 10,000 test images at most."""
MOST_IMAGES = 3
"""The same on few images."""


def images_apart(first_percent: float, second_percent: float, images: int) -> int:
    """Return on how many of the images more one accuracy is right than the other."""
    return round(abs(first_percent - second_percent) * images / 100)


def most_apart(images: int) -> int:
    """Return how many that may be by rounding alone."""
    return max(MOST_IMAGES, round(MOST_SHARE * images))
