"""What the trained cells say, and which scores order them: docs/kernel-cells.md, and README.md."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from spikernel import artifacts, tables
from spikernel.report.tables import markdown
from spikernel.report.tables.table import Column, table

PAGE = "docs/kernel-cells.md"
CELLS, FINDINGS = "kernel-cells.csv", "kernel-cells-findings.csv"
REGRET, DESIGNED, SCORES = (
    "finalists-regret.json", "designed-scores.json", "kernel-cells-scores.json",
)  # fmt: skip
WIDTH, PARAMETERS = "same_width", "same_parameters"
CONTROLS = {WIDTH: "same width", PARAMETERS: "same parameters"}
SEEDS = 2
ONE_SEED, RANDOM = "(one seed)", "(random pick)"
NONE = "–"

QUESTIONS: Mapping[tuple[str, str, str], str] = {
    ("table", "dense", "median accuracy"): "median accuracy in %",
    ("table", "dense", "tau of two seeds"): "tau between two seeds",
    ("table", "dense", "sd between seeds"): "standard deviation between seeds",
    ("size at equal", "all", "all 1x1 less all 3x3"): (
        "all convolutions 1x1 in place of 3x3, by the fit"
    ),
    ("size at equal", "all", "all 5x5 less all 3x3"): "5x5 in place of 3x3",
    ("size at equal", "all", "all 7x7 less all 3x3"): "7x7 in place of 3x3",
    ("place in the cell", "all", "large first less small first"): (
        "large kernels first, less small ones first"
    ),
}
"""Beginning of the question, part and quantity of the rows that are shown."""
CHOICES = {
    RANDOM: "a random pick",
    "channels": "the most channels",
    "rising_path": "first by `rising_path`",
    "predicted_accuracy": "first by `predicted_accuracy`",
    "rising_path, 4 finalists and 4": "best of 4 finalists by `rising_path` and 4 beside",
    "channels, 4 finalists and 4": "best of 4 finalists by the most channels and 4 beside",
    "predicted_accuracy, 4 finalists and 4": (
        "best of 4 finalists by `predicted_accuracy` and 4 beside"
    ),
    "predicted_accuracy, 4 finalists and 4, both seeds": "these by both seeds, the judge's too",
    "predicted_accuracy, 8 finalists and 4": (
        "best of 8 finalists by `predicted_accuracy` and 4 beside"
    ),
    "predicted_accuracy, 8 finalists and 4, both seeds": "these by both seeds, the judge's too",
    "(all trained)": "all trained",
    "(all trained), both seeds": "all trained, by both seeds, the judge's too",
}
IN_SHORT = (
    RANDOM, "rising_path", "predicted_accuracy", "predicted_accuracy, 4 finalists and 4",
    "predicted_accuracy, 8 finalists and 4", "predicted_accuracy, 8 finalists and 4, both seeds",
)  # fmt: skip
"""The choices that README.md shows."""
NAMES = {
    "predicted_accuracy": "`predicted_accuracy`, each from all others",
    "channels": "channels, the most first",
    "sahd_half_n": "SAHD, alpha = 0.5 N",
    "sahd_half": "SAHD, alpha = 0.5",
    "hamming": "Hamming",
    "jacobian_covariance": "Jacobian covariance",
    "label_alignment": "alignment with the labels",
    "params": "parameters",
    "synaptic_flow": "synaptic flow",
    "longest_convolution_path": "longest path",
    "rising_path": "`rising_path`",
    "code_rank": "effective rank of the codes",
    "gradient_norm": "norm of the gradient",
    "convolutions": "number of convolutions",
    ONE_SEED: "one seed of the training",
    RANDOM: "a random pick",
}
FIRST, SECOND = "kernel-cells-first.csv", "kernel-cells-second.csv"
MADE = (
    "fitted", "width_and_reach", "channels", "lean", "longest_convolution_path", "convolutions",
    "rising_path",
)  # fmt: skip
REGRET_TITLE = "first of these, below the best"


def page_blocks(folder: Path) -> dict[str, str]:
    """Return the blocks of the page by their names; each says so where nothing is stored.

    Args:
        folder: where measurements are stored.

    Raises:
        SpikernelError: a stored file cannot be read.

    """
    makers: dict[str, tuple[str, Callable[[Path], str]]] = {
        "trainings": (CELLS, trainings),
        "kernel sizes": (FINDINGS, kernel_sizes),
        "choices": (REGRET, choices),
        "designed scores": (DESIGNED, designed_scores),
        "scores": (SCORES, scores),
    }
    return {name: _block(folder / file, make) for name, (file, make) in makers.items()}


def choices_in_short(folder: Path) -> str:
    """Return the block of README.md on ways to choose, from the folder of measurements."""
    return _block(folder / REGRET, partial(choices, shown=IN_SHORT))


def _block(path: Path, make: Callable[[Path], str]) -> str:
    return make(path) if path.exists() else "Nothing is stored yet."


def trainings(path: Path) -> str:
    """Return how many trainings of each control and seed there are, and what made them."""
    found = tables.read_csv(path, text=("control", "archid", "device"), numbers=("seed",))
    cells = found["archid"].nunique()
    seeds = {seed: f"with seed {seed}" for seed in range(SEEDS)}
    rows = []
    for control, title in CONTROLS.items():
        own = found.loc[found["control"] == control, "seed"]
        counts = {name: str((own == seed).sum()) for seed, name in seeds.items()}
        rows.append({"nets of the": title, "cells": str(cells), **counts})
    devices = ", ".join(f"{count} {name}" for name, count in found["device"].value_counts().items())
    whole = cells * len(CONTROLS) * SEEDS
    numbers = ("cells", *seeds.values())
    return f"{len(found)} of {whole} trainings ({devices}):\n\n{_rendered(rows, numbers)}"


def kernel_sizes(path: Path) -> str:
    """Return what the dense cells say of kernel sizes, under both controls."""
    text = ("question", "control", "part", "quantity")
    found = tables.read_csv(path, text=text, numbers=("value", "low", "high", "units"))
    rows = []
    for (question, part, quantity), title in QUESTIONS.items():
        of_part = (found["part"] == part) & (found["quantity"] == quantity)
        lines = found[of_part & found["question"].str.startswith(question)]
        own = {row["control"]: row for row in tables.records(lines)}
        shown = {name: _finding(own, control) for control, name in CONTROLS.items()}
        rows.append({"dense cells": title, **shown})
    return _rendered(rows)


def _finding(of_control: Mapping[str, Mapping[str, Any]], control: str) -> str:
    if control not in of_control:
        return NONE
    row = of_control[control]
    digits = 2 if "seeds" in row["quantity"] else 1
    shown = _with_interval([row[key] for key in ("value", "low", "high")], digits)
    return f"{shown}, {row['units']:.0f}"


def _with_interval(numbers: Iterable[float], digits: int) -> str:
    """Return a value and the ends of its interval as text."""
    # Adding 0 leaves no minus before a zero.
    value, low, high = (f"{round(number, digits) + 0:.{digits}f}" for number in numbers)
    return f"{value} [{low}, {high}]"


def choices(path: Path, shown: Iterable[str] = CHOICES) -> str:
    """Return how good each way to choose is, mean over the kernel sets, under both controls."""
    stored = artifacts.read_object(path, *CONTROLS)
    rows = []
    for name in shown:
        row = {"choice from a set": CHOICES[name]}
        for control, held in CONTROLS.items():
            sets = stored[control].get(name)
            row[f"{held}: below its best"] = _mean(sets, "regret")
            row[f"{held}: better cells %"] = _mean(sets, "beaten_by")
        rows.append(row)
    return _rendered(rows, list(rows[0])[1:])


def _mean(sets: Mapping[str, Mapping[str, float]] | None, key: str) -> str:
    return NONE if sets is None else f"{fmean(own[key] for own in sets.values()):.1f}"


def designed_scores(path: Path) -> str:
    """Return how scores order the cells that they were made on, and later ones."""
    keys = [f"{PARAMETERS}, made on {name}" for name in (FIRST, SECOND)]
    stored = artifacts.read_object(path, *keys)
    first, second = (stored[key] for key in keys)
    made, later, known, last = (
        next(iter(part[which].values()))["cells"]
        for part in (first, second)
        for which in ("made on", "further")
    )
    library = f"the library's `predicted_accuracy`, made on {known}; of these each from all others"
    titles = {"fitted": f"`fitted` to {made}; of these each from all others", **NAMES}
    found = [(library, second["made on"]["fitted"], None, second["further"]["fitted"])]
    for name in MADE:
        of_last = None if name == "fitted" else second["further"][name]
        title = titles.get(name, f"`{name}`")
        found.append((title, first["made on"][name], first["further"][name], of_last))
    rows = [
        {
            "at the same parameters": title,
            f"tau on the cells it was made on ({made})": _tau(own),
            f"on later cells ({later})": _tau(further),
            f"on the last ({last})": _tau(of_last),
            REGRET_TITLE: NONE if of_last is None else f"{of_last['regret']:.1f}",
        }
        for title, own, further, of_last in found
    ]
    return _rendered(rows, (REGRET_TITLE,))


def scores(path: Path) -> str:
    """Return every score of the project on all dense cells, the best at equal parameters first."""
    stored = artifacts.read_object(path, *CONTROLS)
    by_name = stored[PARAMETERS]

    def order(name: str) -> tuple[bool, bool, float]:
        return name == RANDOM, name == ONE_SEED, -(by_name[name]["tau_dense"] or 0.0)

    rows = []
    for name in sorted((name for name in NAMES if name in by_name), key=order):
        row = {"dense cells": NAMES[name]}
        for control in (PARAMETERS, WIDTH):
            found = stored[control].get(name)
            row[f"{CONTROLS[control]}: tau"] = _tau(found, "_dense")
            regret = NONE if found is None else f"{found['regret_dense']:.1f}"
            row[f"{CONTROLS[control]}: first, below the best"] = regret
        rows.append(row)
    return _rendered(rows, [title for title in rows[0] if "below" in title])


def _tau(found: Mapping[str, float] | None, suffix: str = "") -> str:
    if found is None or found[f"tau{suffix}"] is None:
        return NONE
    return _with_interval([found[f"{key}{suffix}"] for key in ("tau", "low", "high")], 2)


def _rendered(rows: Sequence[Mapping[str, str]], numbers: Sequence[str] = ()) -> str:
    """Return rows as a Markdown table; their keys are the titles, `numbers` are right-aligned."""
    columns = tuple(
        Column(title, title, kind="number" if title in numbers else "text") for title in rows[0]
    )
    return markdown.render(table("", columns, rows)).rstrip()
