"""The pictures of README.md, drawn from the stored measurements as the report draws them.

Accuracy against memory shows every stored net on the data sets of the paper. The impact of kernel
sizes and the chosen cell are drawn of each stored run on these data sets that has them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measurements import CLAIMS, TITLES, Run, nets, runs
from spikernel import tables
from spikernel.report.charts import costs, impact_figure, style, tradeoff_figure
from spikernel.report.page import cell_drawing
from spikernel.report.tables import published, selection
from spikernel.report.tables.table import significant
from spikernel.space.cell import Cell

FOLDER = "docs/pictures"


@dataclass(frozen=True)
class Picture:
    """An SVG file, and what it shows."""

    name: str
    """Of the file, without suffix."""
    svg: str
    caption: str
    """What it shows, in words, for those who do not see it."""

    @property
    def path(self) -> str:
        """Path in the project."""
        return f"{FOLDER}/{self.name}.svg"

    @property
    def markdown(self) -> str:
        """The picture on a page at the top of the project."""
        return f"![{self.caption}]({self.path})"


def accuracy_against_memory(folder: Path) -> Picture | None:
    """Return the stored nets beside the paper's and other published results, if there are any.

    Args:
        folder: where measurements are stored.

    """
    own = nets(folder)
    if not len(own):
        return None
    shown = [dataset for dataset in CLAIMS if dataset in set(own["dataset"])]
    cost = costs.memory("fp32")
    points = tradeoff_figure.points(own, published.table(shown), cost)
    points = points.assign(dataset=points["dataset"].map(TITLES))
    looks = style.looks(sorted(own["kernel_set"].unique()))
    *others, last = (TITLES[dataset] for dataset in shown)
    titles = f"{', '.join(others)} and {last}" if others else last
    return Picture(
        "accuracy-against-memory",
        style.svg(tradeoff_figure.draw(points, cost, looks)),
        f"Test accuracy against memory of the weights on {titles}, beside published results",
    )


def of_run(run: Run) -> list[Picture]:
    """Return the pictures of a run on data sets of the paper: kernel impact, the chosen cells."""
    return [*_kernel_impact(run), *_chosen_cells(run)]


def by_run(folder: Path) -> dict[str, list[Picture]]:
    """Return all pictures by the name of their run; those of all nets have an empty name."""
    first = accuracy_against_memory(folder)
    return {"": [first] if first else []} | {run.name: of_run(run) for run in runs(folder)}


def _kernel_impact(run: Run) -> Iterator[Picture]:
    impact = run.impact[run.impact["dataset"].isin(list(CLAIMS))]
    if len(impact):
        caption = f"Validation accuracy against kernel size under both controls, in `{run.name}`"
        titled = impact.assign(dataset=impact["dataset"].map(TITLES))
        yield Picture(f"{run.name}-kernel-impact", style.svg(impact_figure.draw(titled)), caption)


def _chosen_cells(run: Run) -> Iterator[Picture]:
    """Yield the cell that the largest budget chooses on each data set."""
    models = run.taken[run.taken["dataset"].isin(list(CLAIMS))]
    if not len(models):
        return
    chosen = selection.select(models, run.about["memory_budgets_mb"], run.about["precision"])
    last = chosen[chosen["fits"].astype(bool)].groupby("dataset", sort=False).tail(1)
    for row in tables.records(last):
        caption = (
            f"The cell {row['archid']}, chosen on {TITLES[row['dataset']]} within "
            f"{significant(row['budget_mb'])} MB, in `{run.name}`"
        )
        yield Picture(
            f"{run.name}-{row['dataset']}-cell",
            cell_drawing.as_file(Cell.from_archid(row["archid"])),
            caption,
        )
