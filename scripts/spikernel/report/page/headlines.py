"""The main result of each data set: the model of the largest budget, and what it can claim."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from spikernel import tables
from spikernel.report.tables import comparisons, headline
from spikernel.report.tables.table import accuracy, at_least, count, interval, significant

_MODEL = ("kernel_set", "rank", "width", "archid")


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The main result on one data set."""

    dataset: str
    accuracy: str
    text: str
    archid: str
    remarks: tuple[str, ...]


def chosen(selected: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return, per data set, the model of the largest budget and the least that selects it.

    Data sets none of whose models meets a budget are left out.

    Args:
        selected: rows of selection.csv.

    """
    found = {}
    for dataset, rows in selected[selected["fits"]].groupby("dataset"):
        best = tables.records(rows)[-1]
        same = rows[(rows[list(_MODEL)] == [best[key] for key in _MODEL]).all(axis=1)]
        found[str(dataset)] = {**best, "budget_mb": same["budget_mb"].min()}
    return found


def build(
    selected: pd.DataFrame,
    refused: Mapping[tuple[str, comparisons.Model], int],
    published: pd.DataFrame,
    precision: str,
    cautions: Mapping[str, tuple[str, ...]],
) -> list[Headline]:
    """Return the headline of every data set.

    Args:
        selected: rows of selection.csv.
        refused: models whose steps of binary spikes are too many, from
            `spikernel.report.tables.headline.refused`.
        published: published results to compare with, may be empty.
        precision: number format that the selection is for.
        cautions: what misleads in the images of a data set, from `spikernel.data.cautions`.

    """
    best = chosen(selected)
    found = []
    for dataset, rows in ((str(name), part) for name, part in selected.groupby("dataset")):
        row = best.get(dataset)
        if row is None:
            found.append(_none(dataset, rows["smallest_memory_mb"].min()))
        elif steps := refused.get(headline.model_of(row)):
            found.append(_refusal(row, steps))
        else:
            found.append(_headline(row, published, precision, cautions.get(dataset, ())))
    return found


def _none(dataset: str, smallest_mb: float) -> Headline:
    smallest = at_least(smallest_mb)
    text = f"No trained model fits a memory budget: the smallest needs {smallest} MB."
    return Headline(dataset=dataset, accuracy="–", text=text, archid="", remarks=())


def _refusal(row: dict[str, Any], steps: int) -> Headline:
    text = (
        f"The model within a budget of {significant(row['budget_mb'])} MB runs {steps} steps of "
        f"binary spikes; as at most {headline.MOST_STEPS} count, its accuracy is no headline. The "
        "tables below have it."
    )
    archid = f"{row['kernel_set']} · {row['archid']}"
    return Headline(dataset=row["dataset"], accuracy="–", text=text, archid=archid, remarks=())


def _headline(
    row: dict[str, Any], published: pd.DataFrame, precision: str, cautions: tuple[str, ...]
) -> Headline:
    text = (
        f"test accuracy in {significant(row['memory_mb'])} MB of weights "
        f"({precision}, {count(row['params'])} parameters), within a budget of "
        f"{significant(row['budget_mb'])} MB"
    )
    reached = accuracy(row["test_accuracy_percent_mean"], row["test_accuracy_percent_sd"])
    paper = published[(published["dataset"] == row["dataset"]) & published["params_is_upper_bound"]]
    compared = (
        f"Published by the SpiKernel paper: {accuracy(other['test_accuracy_percent'])} % "
        f"with fewer than {significant(other['params_m'])} M parameters."
        for other in tables.records(paper)
    )
    return Headline(
        dataset=row["dataset"],
        accuracy=f"{reached} %",
        text=text,
        archid=f"{row['kernel_set']} · {row['archid']}",
        remarks=(*_evidence(row), *(f"{said}." for said in cautions), *compared),
    )


def _evidence(row: dict[str, Any]) -> list[str]:
    """Return what the number of test images allows to say; nothing where it is not known."""
    low, high = row["test_accuracy_percent_low"], row["test_accuracy_percent_high"]
    if pd.isna(low):
        return []
    images = count(row["test_images"])
    said = [f"{images} test images: 95 % interval {interval(low, high)} %."]
    if not pd.isna(row["not_told_apart"]) and row["other_models"]:
        said.append(
            f"The test images do not tell it apart from {count(row['not_told_apart'])} of the "
            f"{count(row['other_models'])} other models (McNemar's exact test, p ≥ 0.05)."
        )
    if low <= row["chance_percent"]:
        guessing = significant(row["chance_percent"])
        said.append(
            f"It is not shown to be better than guessing the largest class, which reaches "
            f"{guessing} %."
        )
    return said
