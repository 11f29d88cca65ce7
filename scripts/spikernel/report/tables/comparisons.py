"""Which models the test images tell apart: McNemar's exact test on every pair of a data set.

Of each model the seed that would be exported takes part, the best by validation accuracy: the
test compares two nets on the same images, not two ways to train.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from spikernel import tables
from spikernel.errors import TableError
from spikernel.report.tables import intervals, predictions
from spikernel.report.tables.predictions import Predictions
from spikernel.report.tables.records import Deployment, Key, named

COLUMNS = (
    *("dataset", "precision", "kernel_set", "rank", "width", "seed"),
    *("other_kernel_set", "other_rank", "other_width", "other_seed"),
    *("images", "only_this_right", "only_other_right", "p_value", "told_apart"),
)
"""Columns of comparisons.csv: a pair of models of a data set, in one number format."""

Model = tuple[str, int, float]
"""Kernel set, rank and width."""


def by_key(deployments: Sequence[Path], files: Sequence[Path]) -> dict[Key, Predictions]:
    """Read predictions; whose they are, the deployment.json beside them says.

    Raises:
        TableError: a file has no deployment.json beside it, or one of them cannot be trusted.

    """
    records = {path.parent: Deployment.read(path) for path in deployments}
    found = {}
    for path in sorted(files):
        record = records.get(path.parent)
        if record is None:
            raise TableError(f"{path}: no deployment.json beside it was given")
        read = predictions.read(path)
        if len(read.label) != record.test_images:
            raise TableError(
                f"{path} holds {len(read.label)} images, deployment.json beside it "
                f"{record.test_images}: run the step deployment again"
            )
        if max(part.max() for part in (read.label, read.trained)) >= len(record.classes):
            raise TableError(
                f"{path} holds classes that deployment.json beside it does not name: run the step "
                "deployment again"
            )
        found[record.key] = read
    return found


def table(models: pd.DataFrame, found: Mapping[Key, Predictions]) -> pd.DataFrame:
    """Compare every pair of models of each data set, as trained and in int8.

    Pairs of which a model has no predictions are left out.

    Args:
        models: rows of models.csv.
        found: predictions of models and seeds, from `by_key`.

    Raises:
        TableError: the predictions of a data set are not of the same images.

    """
    rows = []
    for dataset, part in models.groupby("dataset"):
        best = [best_seed(group) for _, group in part.groupby(["kernel_set", "rank", "width"])]
        known = [(key, found[key]) for key in best if key in found]
        for (first, one), (second, other) in combinations(known, 2):
            if one.label.tolist() != other.label.tolist():
                raise TableError(
                    f"predictions of {named(first)} and {named(second)} are of other test images: "
                    "run the step deployment again; runs whose data are split otherwise cannot be "
                    "compared"
                )
            for precision in ("fp32", "int8") if len(one.int8) and len(other.int8) else ("fp32",):
                right, right_other = one.right(precision), other.right(precision)
                counts = int((right & ~right_other).sum()), int((right_other & ~right).sum())
                p_value = intervals.mcnemar(*counts)
                values = (
                    *(dataset, precision, *first[1:], *second[1:], len(right), *counts),
                    *(p_value, p_value < intervals.LEVEL),
                )
                rows.append(dict(zip(COLUMNS, values, strict=True)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def best_seed(seeds: pd.DataFrame) -> Key:
    """Return the key of the seed of a model that would be exported."""
    row = seeds.sort_values(["val_accuracy_percent", "seed"], ascending=[False, True]).iloc[0]
    return (str(row["dataset"]), *model_of(row.to_dict()), int(row["seed"]))


def model_of(row: Mapping[Any, Any], prefix: str = "") -> Model:
    """Return what names the model of a row within its data set.

    Args:
        row: with the columns of a model.
        prefix: of the names of these columns.

    """
    kernel_set, rank, width = (row[f"{prefix}{name}"] for name in ("kernel_set", "rank", "width"))
    return str(kernel_set), int(rank), float(width)


def alike(compared: pd.DataFrame, precision: str) -> dict[tuple[str, Model], list[Model]]:
    """Return, by data set and model, the models that are not told apart from it.

    A model that was compared with others, all of them told apart from it, has an empty list.

    Args:
        compared: from `table` or `read`.
        precision: number format of the weights; all but int8 are as trained.

    """
    wanted = "int8" if precision == "int8" else "fp32"
    found: dict[tuple[str, Model], list[Model]] = {}
    for row in tables.records(compared[compared["precision"] == wanted]):
        this, other = model_of(row), model_of(row, "other_")
        for model, rival in ((this, other), (other, this)):
            rivals = found.setdefault((row["dataset"], model), [])
            if not row["told_apart"]:
                rivals.append(rival)
    return found


def to_csv(compared: pd.DataFrame) -> str:
    """Return the text of comparisons.csv."""
    return tables.to_csv(compared, booleans=("told_apart",))


def read(path: Path) -> pd.DataFrame:
    """Read comparisons.csv.

    Raises:
        TableError: the file cannot be read, a column is missing, or a cell does not fit.

    """
    text = ("dataset", "precision", "kernel_set", "other_kernel_set")
    return tables.read_csv(
        path,
        text=text,
        numbers=[name for name in COLUMNS if name not in (*text, "told_apart")],
        booleans=("told_apart",),
    )
