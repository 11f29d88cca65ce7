"""What a trained net and a prepared data set must agree in."""

from pathlib import Path

from spikernel.data.manifest import Manifest
from spikernel.errors import DataError
from spikernel.inference.released import Preprocessing
from spikernel.space.architecture import Architecture
from spikernel.study.shapes import image_shape


def check_fit(
    architecture: Architecture, preprocessing: Preprocessing, manifest: Manifest, path: Path
) -> None:
    """Check that a trained net reads the images of a prepared data set.

    Args:
        architecture: the net's.
        preprocessing: the net's, with its classes.
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
    if tuple(preprocessing.classes) != tuple(manifest.classes):
        raise DataError(f"{path}: its classes are not those that the net was trained on")


def is_same_split(preprocessing: Preprocessing, manifest: Manifest) -> bool:
    """Whether a net was trained on the training split of a data set, as far as its file says."""
    known = preprocessing.train_sha256
    return known is None or known == manifest.splits["train"].images_sha256


def check_split(preprocessing: Preprocessing, manifest: Manifest, path: Path) -> None:
    """Refuse a data set that is split otherwise than the one that a net was trained on.

    Raises:
        DataError: the net may have been trained on images of its other splits.

    """
    if not is_same_split(preprocessing, manifest):
        raise DataError(
            f"{path}: this data set is split otherwise than the one that the net was trained on, "
            "so its other splits may hold images that the net has seen: prepare the data with the "
            "training's settings"
        )
