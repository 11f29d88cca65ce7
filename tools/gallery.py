"""Draw the pictures of docs/gallery.md from the measurements stored in docs/measurements.

`python tools/gallery.py --project .` (or `make gallery`) draws them with the report's own code; a
test keeps the committed ones equal to what this file makes.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

# The library lies in scripts/; no install is needed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from spikernel import artifacts, cli
from spikernel.report.charts import costs, style, tradeoff_figure
from spikernel.report.page import cell_drawing, page
from spikernel.report.tables import models, published, selection
from spikernel.space.cell import Cell

RUN = "demo"
"""The finished run that is shown."""


def pictures(measurements: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of every picture and its SVG text.

    Args:
        measurements: folder of what `tools/readme.py` stored.

    Raises:
        SpikernelError: a stored file is missing or cannot be read.

    """
    means = models.over_seeds(models.read(measurements / f"{RUN}.csv"))
    looks = style.looks(sorted(means["kernel_set"].unique()))
    points = tradeoff_figure.points(means, published.table([]), costs.ENERGY)
    yield "accuracy_vs_energy", style.svg(tradeoff_figure.draw(points, costs.ENERGY, looks))
    about = artifacts.read_object(measurements / f"{RUN}.json", "memory_budgets_mb", "precision")
    chosen = selection.select(means, about["memory_budgets_mb"], about["precision"])
    yield "cell", cell(str(chosen["archid"].iloc[-1]))


def cell(archid: str) -> str:
    """Return the drawing of a cell as a file of its own, in the light colours of the page."""
    css = (Path(page.__file__).parent / "page.css").read_text(encoding="utf-8")
    # A picture in a page cannot know whether that is dark, so it brings its paper with it.
    paper = "svg.cell { background: var(--paper); }"
    own = re.findall(r"^svg\.cell.*\n", css, re.MULTILINE)
    rules = "".join([css[: css.index("@media")], *own, paper])
    head, body = str(cell_drawing.draw(Cell.from_archid(archid))).split(">", 1)
    size = 'xmlns="http://www.w3.org/2000/svg" width="352" height="168"'
    return f"{head} {size}><style>{rules}</style>{body}\n"


def main(project: Annotated[Path, "folder of docs/"]) -> None:
    """Write every picture."""
    for name, text in pictures(project / "docs" / "measurements"):
        artifacts.write_text(project / "docs" / "gallery" / f"{name}.svg", text)


if __name__ == "__main__":
    cli.run(main)
