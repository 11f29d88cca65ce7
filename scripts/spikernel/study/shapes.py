"""What a net and the images of a prepared data set must agree in. No torch."""

from collections.abc import Sequence
from pathlib import Path

from spikernel.data.manifest import Manifest
from spikernel.errors import DataError
from spikernel.space.architecture import Architecture, ImageShape


def image_shape(manifest: Manifest) -> ImageShape:
    """Return the shape of a prepared data set's images."""
    return ImageShape(manifest.channels, manifest.image_size, len(manifest.classes))


def check_fit(
    architecture: Architecture, classes: Sequence[str], manifest: Manifest, path: Path
) -> None:
    """Check that a trained net reads the images of a prepared data set.

    Args:
        architecture: the net's.
        classes: names of the classes that it was trained on.
        manifest: of the data set.
        path: of the manifest, for the message.

    Raises:
        DataError: the images have another shape, or the classes are others.

    """
    made_for, found = (
        f"{shape.channels} x {shape.size} x {shape.size}"
        for shape in (architecture.images, image_shape(manifest))
    )
    if made_for != found:
        raise DataError(f"{path}: its images are {found}, those the net was made for {made_for}")
    if tuple(classes) != tuple(manifest.classes):
        raise DataError(f"{path}: its classes are not those that the net was trained on")
