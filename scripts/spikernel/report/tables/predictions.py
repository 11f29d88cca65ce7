"""The class that a model gives to every test image (`predictions.npz`)."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikernel.data.chance import chance_percent
from spikernel.errors import TableError
from spikernel.report.tables.records import Key

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Predictions of one model and seed; N test images, in the order of their split."""

    label: Array
    """The right classes, [N]."""
    trained: Array
    """Classes that the trained net predicts, [N]."""
    int8: Array
    """Classes that its int8 model predicts, [N]; empty where there is none."""
    mistakes: Array
    """Places of images that the trained net gets wrong, the clearest mistake first, [K]."""
    pictures: Array
    """Those images, uint8 [K, C, H, W]."""

    def right(self, precision: str) -> Array:
        """Return which test images are predicted right, [N], with weights in a number format.

        As in the tables, only int8 differs from the trained net.
        """
        predicted: Array = self.int8 if precision == "int8" else self.trained
        return predicted == self.label


def read(path: Path) -> Predictions:
    """Read `predictions.npz`.

    Raises:
        TableError: the file is missing or damaged, or its arrays contradict each other.

    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = Predictions(
                label=archive["label"],
                trained=archive["trained"],
                int8=archive["int8"],
                mistakes=archive["mistakes"],
                pictures=archive["pictures"],
            )
    except FileNotFoundError:
        raise TableError(f"{path} is missing: run the step that makes it first") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise TableError(
            f"{path} is no archive of predictions ({error}): run the step deployment again"
        ) from None
    if len(found.trained) != len(found.label) or len(found.int8) not in (0, len(found.label)):
        raise TableError(f"{path}: its arrays differ in length: run the step deployment again")
    return found


def chance(found: Mapping[Key, Predictions]) -> dict[str, float]:
    """Return the accuracy of guessing on the test images of each data set, in percent.

    Args:
        found: predictions of models and seeds; those of a data set are of the same images.

    """
    return {
        dataset: chance_percent(np.bincount(own.label).tolist())
        for (dataset, *_), own in found.items()
    }
