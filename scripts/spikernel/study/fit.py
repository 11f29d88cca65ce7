"""What a trained net and a prepared data set must agree in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikernel.data.manifest import Manifest
from spikernel.errors import DataError
from spikernel.inference.released import Preprocessing
from spikernel.space.architecture import Architecture
from spikernel.study.rounding import images_apart, most_apart
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


def check_split(preprocessing: Preprocessing, manifest: Manifest, path: Path) -> None:
    """Refuse a data set that is split otherwise than the one that a net was trained on.

    Raises:
        DataError: the net may have been trained on images of its other splits.

    """
    if not preprocessing.is_of_split(manifest):
        raise DataError(
            f"{path}: this data set is split otherwise than the one that the net was trained on, "
            "so its other splits may hold images that the net has seen: prepare the data with the "
            "training's settings"
        )


def check_metrics(
    architecture: Architecture,
    accuracy_percent: float,
    images: int,
    metrics: Mapping[str, Any],
    path: Path,
) -> None:
    """Refuse weights that are not those whose training wrote `metrics.json`.

    Args:
        architecture: the net's.
        accuracy_percent: that it has now on the test split.
        images: how many that has.
        metrics: what the file holds.
        path: of the file, for the message.

    Raises:
        DataError: the cell is another, or the accuracy.

    """
    archid = architecture.cell.archid
    if archid != metrics["archid"]:
        raise DataError(
            f"{path} is of cell {metrics['archid']}, the weights are of {archid}: they come from "
            "two trainings: give those of one"
        )
    recorded = metrics["test_accuracy_percent"]
    if images_apart(accuracy_percent, recorded, images) > most_apart(images):
        raise DataError(
            f"{path} says {recorded:.2f} % of the test images, the weights beside it reach "
            f"{accuracy_percent:.2f} %: they were altered or are of another training: train again, "
            "or fetch them again"
        )
