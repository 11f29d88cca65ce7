"""The chosen models image by image: which classes they confuse, and what they get wrong."""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.image import imsave
from numpy.typing import NDArray

from spikernel import tables
from spikernel.report.page.page_evidence import Heat
from spikernel.report.tables import comparisons, intervals
from spikernel.report.tables.predictions import Predictions
from spikernel.report.tables.records import Deployment, Key, named
from spikernel.report.tables.table import Column, Table, accuracy, count, interval, table

MOST_CLASSES = 20
"""Up to so many classes the page shows the whole confusion matrix."""
_MOST_PIXELS = 48
"""Longest side of a picture; larger ones lose rows and columns."""

_CLASSES = (
    Column("class", "class"),
    Column("images", "images", count, "number"),
    Column("right", "right", count, "number"),
    Column("accuracy %", "accuracy", accuracy, "number"),
    Column("95 % interval", "", lambda r: interval(r["low"], r["high"]), "number", by="low"),
    Column("most often taken for", "", lambda row: row["confused"]),
)


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A test image that the model gets wrong."""

    source: str
    """The picture as a data URI."""
    label: str
    predicted: str


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One model and seed on every test image."""

    title: str
    text: str
    confusion: Heat | None
    """Rows: right class; columns: predicted class; None where there are too many classes."""
    classes: Table
    """Accuracy of each class, the worst first."""
    mistakes: tuple[Mistake, ...]


def build(
    chosen: Mapping[str, Mapping[str, Any]],
    models: pd.DataFrame,
    found: Mapping[Key, Predictions],
    deployments: Mapping[Key, Deployment],
) -> list[Judged]:
    """Return the chosen model of each data set, with the seed that would be exported.

    Args:
        chosen: from `spikernel.report.page.headlines.chosen`.
        models: rows of models.csv.
        found: predictions of models and seeds; a model without is left out.
        deployments: the records that name the classes.

    """
    judged = []
    for dataset, row in chosen.items():
        own = models[
            (models["dataset"] == dataset)
            & (models["kernel_set"] == row["kernel_set"])
            & (models["rank"] == row["rank"])
            & (models["width"] == row["width"])
        ]
        key = comparisons.best_seed(own)
        if key in found:
            judged.append(_judge(key, found[key], deployments[key].classes))
    return judged


def _judge(key: Key, found: Predictions, classes: Sequence[str]) -> Judged:
    confused = np.zeros((len(classes), len(classes)), int)
    np.add.at(confused, (found.label, found.trained), 1)
    wrong = len(found.label) - int(confused.trace())
    text = f"As trained, it gets {count(wrong)} of {count(len(found.label))} test images wrong."
    if len(found.int8):
        changed = int((found.int8 != found.trained).sum())
        text += f" Its int8 model gives another class than it on {count(changed)}."
    return Judged(
        title=named(key),
        text=text,
        confusion=_matrix(confused, classes) if len(classes) <= MOST_CLASSES else None,
        classes=_per_class(confused, classes),
        mistakes=tuple(
            Mistake(
                source=_picture(pixels),
                label=classes[found.label[place]],
                predicted=classes[found.trained[place]],
            )
            for place, pixels in zip(found.mistakes, found.pictures, strict=True)
        ),
    )


def _matrix(confused: NDArray[np.int_], classes: Sequence[str]) -> Heat:
    def cell(images: int, total: int) -> tuple[str, float]:
        # The root makes a few images visible beside the many on the diagonal.
        return (count(images), math.sqrt(images / total)) if images else ("", 0.0)

    return Heat(
        caption="Test images by class (rows) and predicted class (columns)",
        corner="class",
        columns=tuple(classes),
        rows=tuple(
            (name, tuple(cell(int(images), int(row.sum())) for images in row))
            for name, row in zip(classes, confused, strict=True)
        ),
    )


def _per_class(confused: NDArray[np.int_], classes: Sequence[str]) -> Table:
    images, right = confused.sum(1), confused.diagonal()
    rows = pd.DataFrame({"class": list(classes), "images": images, "right": right})
    rows = rows.assign(confused=_taken_for(confused, classes))[images > 0]
    rows = rows.assign(accuracy=100 * rows["right"] / rows["images"])
    low, high = intervals.wilson(rows["accuracy"], rows["images"].astype(float))
    rows = rows.assign(low=low, high=high).sort_values("accuracy", kind="stable")
    return table("Accuracy of each class, the worst first", _CLASSES, tables.records(rows))


def _taken_for(confused: NDArray[np.int_], classes: Sequence[str]) -> list[str]:
    """Return for each class the one that it is most often taken for, and how often."""
    others = confused.copy()
    np.fill_diagonal(others, 0)
    return [
        f"{classes[row.argmax()]} ({count(int(row.max()))})" if row.any() else "–" for row in others
    ]


def _picture(pixels: NDArray[np.uint8]) -> str:
    """Return an image, uint8 [C, H, W], as a data URI of a PNG file."""
    step = math.ceil(max(pixels.shape[1:]) / _MOST_PIXELS)
    small = pixels[:, ::step, ::step]
    colours = 3 if len(small) == 3 else 1
    shown = np.ascontiguousarray(np.broadcast_to(small[:colours], (3, *small.shape[1:])))
    buffer = BytesIO()
    imsave(buffer, shown.transpose(1, 2, 0).copy(), format="png")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
