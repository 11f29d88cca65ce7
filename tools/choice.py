"""Whether the search chooses good cells: a figure and three sentences for README.md.

A search with finalists is played on the public table of trained cells (docs/kernel-cells.md).
"""

import sys
import textwrap
from pathlib import Path

# The table and the statistics are those of the benchmarks.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from finalists_figure import drawn, play
from rank_statistics import tau_b
from score_values import PREDICTED
from trained_cells import read_table

from pictures import Picture
from spikernel.report.charts import style

TABLE = "kernel-cells.csv"
CONTROL = "same_parameters"
FINALISTS, BESIDE = 4, 4


def of_table(folder: Path) -> tuple[str, Picture] | None:
    """Return the sentences, and the picture below them; nothing where no table is stored.

    Args:
        folder: where measurements are stored.

    Raises:
        SpikernelError: the table cannot be read.

    """
    if not (folder / TABLE).exists():
        return None
    table = read_table(folder / TABLE, CONTROL)
    found = play(table, PREDICTED, FINALISTS, BESIDE)
    accuracy = found.accuracy
    better = int((accuracy > accuracy[found.first]).sum())
    text = (
        f"Each mark is one of {len(accuracy)} cells that were trained on CIFAR-10, all in nets of "
        "equally many parameters. The score guesses the accuracy of a cell from its graph, after a "
        "look at all *other* cells: the one that it puts first reaches "
        f"{accuracy[found.first]:.1f} % ({better} reach more), a cell drawn at random "
        f"{accuracy.mean():.1f} % on average, and Kendall's tau between guess and accuracy is "
        f"{tau_b(found.scores, accuracy):.2f} (1: the same order, 0: chance). Where the "
        f"{FINALISTS} best by score and {BESIDE} others are trained, as `nas_search/finalists` "
        f"does, the best of them on validation images has {accuracy[found.chosen]:.1f} %; the best "
        f"cell of all has {accuracy.max():.1f} %."
    )
    with style.theme():
        svg = style.svg(drawn(found, PREDICTED))
    caption = "Test accuracy of trained cells against what was predicted, finalists marked"
    return textwrap.fill(text, 100, break_on_hyphens=False), Picture("search-choice", svg, caption)
