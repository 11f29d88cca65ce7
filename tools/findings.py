"""The table of docs/findings.md: each claim of the paper beside what is measured here.

A claim is reproduced where a number of ours is as good as the paper's, and, of claims that one
thing is better than another, where the 95 % intervals of both do not overlap. It is not tested
where no measurement is stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from measurements import CLAIMS, TITLES, Run, best, nets, runs, wilson
from spikernel import artifacts, tables
from spikernel.report.charts.impact_figure import CONTROLS
from spikernel.report.tables import markdown
from spikernel.report.tables.table import Column, count, interval, significant, table
from spikernel.space.cell import Cell
from spikernel.study.data_ahead import CATALOGUE

PAGE = "docs/findings.md"
SPEED_UP = 4.8
"""Of the search against SNASNet's, at most, by the paper's abstract."""
SEARCH = "search-speed-cpu.json"
CELLS = "kernel-cells.csv"
NOT_TESTED = "not tested"


@dataclass(frozen=True)
class Finding:
    """A claim, and what is measured about it."""

    claim: str
    here: str
    """The number here, and of what."""
    verdict: str
    interval: str = "–"
    """Of the number, 95 %; a dash where there is none."""
    file: str = ""
    """In the folder of the measurements."""


COLUMNS = (
    Column("claim of the paper", "claim", kind="prose"),
    Column("here", "here", kind="prose"),
    Column("verdict", "verdict"),
    Column("95 % interval", "interval"),
    Column("file", "file", lambda name: f"[{name}](measurements/{name})" if name else "–"),
)


def page_table(folder: Path) -> str:
    """Return all findings as a Markdown table.

    Args:
        folder: where measurements are stored.

    Raises:
        SpikernelError: a stored file cannot be read.

    """
    found = [*_accuracies(folder), _search(folder), *_kernel_sizes(folder), *_sets(folder)]
    return markdown.render(table("", COLUMNS, [vars(finding) for finding in found])).rstrip()


def _verdict(reproduced: bool) -> str:
    return "reproduced" if reproduced else "not reproduced"


def _accuracies(folder: Path) -> Iterator[Finding]:
    stored = nets(folder)
    for dataset, paper in CLAIMS.items():
        claimed = paper.test_accuracy_percent
        claim = f"{claimed:.2f} % on {TITLES[dataset]} below 10 M parameters"
        row = best(stored, dataset)
        if row is None:
            yield Finding(claim, "no net is stored", NOT_TESTED)
            continue
        accuracy = row["test_accuracy_percent_mean"]
        here = (
            f"{accuracy:.2f} %, {count(row['params'])} parameters, {row['binary_steps']} steps, "
            f"seeds: {row['seeds']}"
        )
        yield Finding(claim, here, _verdict(accuracy >= claimed), _range(row), row["file"])


def _search(folder: Path) -> Finding:
    claim = f"search up to {SPEED_UP:g} times as fast as SNASNet's"
    path = folder / SEARCH
    if not path.exists():
        return Finding(claim, "no time is stored", NOT_TESTED)
    names = ("whole_search_ratio", "default_score_search_ratio", "device")
    ratio, by_default, device = (artifacts.read_object(path, *names)[name] for name in names)
    here = (
        f"{significant(ratio)} times by SNASNet's score with the filter, {significant(by_default)} "
        f"times by the default one; one measurement on {device}"
    )
    return Finding(claim, here, _verdict(ratio >= SPEED_UP), file=SEARCH)


def _kernel_sizes(folder: Path) -> Iterator[Finding]:
    """Yield whether the best kernel size is told apart from the worst, under each control.

    Of several runs on a data set the one with the most seeds counts.
    """
    claim = "the kernel size changes the accuracy"
    impacts = _most_seeds([run for run in runs(folder) if len(_on_claimed(run.impact))])
    for run in impacts:
        for (dataset, control), rows in _on_claimed(run.impact).groupby(
            ["dataset", "control"], sort=False
        ):
            means = rows.set_index("kernel_size")["val_accuracy_percent_mean"]
            images = _validation_images(run, str(dataset))
            where = f"{TITLES[str(dataset)]}, {CONTROLS[str(control)]}, validation"
            file = f"{run.name}-kernel-impact.csv"
            yield _best_and_worst(claim, where, means, images, file)
    if not impacts:
        yield _small_cells(claim, folder / CELLS)


def _most_seeds(impacts: list[Run]) -> list[Run]:
    """Return one run for each collection of data sets, the first of those with the most seeds."""
    of_data: dict[frozenset[str], Run] = {}
    for run in sorted(impacts, key=lambda run: -run.impact["seeds"].max()):
        of_data.setdefault(frozenset(run.impact["dataset"]), run)
    return sorted(of_data.values(), key=impacts.index)


def _small_cells(claim: str, path: Path) -> Finding:
    """Return what the small trainings of cells of one kernel size say, where no run is stored."""
    if not path.exists():
        return Finding(claim, "no training is stored", NOT_TESTED)
    name = "test_accuracy_percent"
    cells = tables.read_csv(path, text=("group", "archid"), numbers=(name,))
    chosen = cells["group"] == "one_size"
    if "control" in cells:
        chosen &= cells["control"] == "same_width"
    alone = cells[chosen]
    sizes = [_size(archid) for archid in alone["archid"]]
    means = alone[name].groupby(sizes).mean()
    classes, _, per_class = CATALOGUE["cifar10"]
    where = f"{TITLES['cifar10']}, {len(alone)} small trainings, same width, test"
    return _best_and_worst(claim, where, means, len(classes) * per_class, path.name)


def _best_and_worst(
    claim: str, where: str, means: "pd.Series[float]", images: int | None, file: str
) -> Finding:
    """Compare the best with the worst of accuracies in percent by kernel size."""
    first, last = means.idxmax(), means.idxmin()
    best_of, worst_of = float(means.max()), float(means.min())
    here = f"{first}×{first} {best_of:.2f} %, {last}×{last} {worst_of:.2f} % ({where})"
    if images is None:
        return Finding(claim, f"{here}; images not counted", NOT_TESTED, file=file)
    high, low = wilson(best_of, images), wilson(worst_of, images)
    text = f"{interval(*high)}, {interval(*low)}"
    return Finding(claim, here, _verdict(high[0] > low[1]), text, file)


def _size(archid: str) -> int | None:
    """Return the one kernel size of a cell."""
    return next(iter(Cell.from_archid(archid).kernel_sizes()), None)


def _validation_images(run: Run, dataset: str) -> int | None:
    images = run.trained.loc[run.trained["dataset"] == dataset, "val_images"].dropna()
    return int(images.iloc[0]) if len(images) else None


def _on_claimed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["dataset"].isin(list(CLAIMS))]


def _sets(folder: Path) -> Iterator[Finding]:
    """Yield whether the best designed set, chosen by validation, is ahead of the baseline.

    Of the nets of width 1 only: a set that is trained at a larger one would be ahead by its size.
    Where cells fill a budget, width 1 is that of the budget for all.
    """
    claim = "designed sets of kernel sizes beat the baseline's"
    compared = [
        (run, rows, run.about["baseline"][dataset])
        for run in runs(folder)
        for dataset, rows in _on_claimed(run.taken[run.taken["width"] == 1]).groupby("dataset")
        if run.about.get("baseline", {}).get(dataset) in set(rows["kernel_set"])
        and rows["kernel_set"].nunique() > 1
    ]
    for run, rows, baseline in compared:
        designed, old = (
            _chosen(rows[(rows["kernel_set"] == baseline) == known]) for known in (False, True)
        )
        here = ", ".join(
            f"{row['kernel_set']} {row['test_accuracy_percent_mean']:.2f} %"
            for row in (designed, old)
        )
        held = "same memory" if run.about.get("fills_budget") else "same width"
        ahead = designed["test_accuracy_percent_low"] > old["test_accuracy_percent_high"]
        yield Finding(
            claim,
            f"{here} ({TITLES[rows['dataset'].iloc[0]]}, {held}, test)",
            _verdict(bool(ahead)),
            f"{_range(designed)}, {_range(old)}",
            run.path.with_suffix(".csv").name,
        )
    if not compared:
        yield Finding(claim, "no run on the paper's data sets is stored", NOT_TESTED)


def _chosen(rows: pd.DataFrame) -> dict[str, Any]:
    order = rows.sort_values(["val_accuracy_percent_mean", "params"], ascending=[False, True])
    return tables.records(order)[0]


def _range(row: dict[str, Any]) -> str:
    low, high = row["test_accuracy_percent_low"], row["test_accuracy_percent_high"]
    return "–" if pd.isna(low) else interval(low, high)
