"""The pictures of docs/gallery.md, drawn by the report's own code from a stored run."""

from pathlib import Path

from measurements import runs
from spikernel.report.charts import costs, style, tradeoff_figure
from spikernel.report.page import cell_drawing
from spikernel.report.tables import published, selection
from spikernel.space.cell import Cell

FOLDER = "docs/gallery"
RUN = "demo"
"""The run that is shown."""


def pictures(folder: Path) -> dict[str, str]:
    """Return every picture as SVG by its path in the project; none where the run is not stored.

    Args:
        folder: where measurements are stored.

    Raises:
        SpikernelError: a stored file cannot be read.

    """
    found = {}
    for run in runs(folder):
        if run.name == RUN:
            looks = style.looks(sorted(run.means["kernel_set"].unique()))
            points = tradeoff_figure.points(run.means, published.table([]), costs.ENERGY)
            drawn = tradeoff_figure.draw(points, costs.ENERGY, looks)
            chosen = selection.select(
                run.taken, run.about["memory_budgets_mb"], run.about["precision"]
            )
            cell = Cell.from_archid(str(chosen["archid"].iloc[-1]))
            found[f"{FOLDER}/accuracy_vs_energy.svg"] = style.svg(drawn)
            found[f"{FOLDER}/cell.svg"] = cell_drawing.as_file(cell)
    return found
