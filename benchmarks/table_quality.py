"""Show which rows of SpikeNAS-Bench's table were not trained like the others.

Rows whose connected parts are one function, thresholds included, should differ by the training's
noise alone. Each row's deviation from the mean of its function is averaged over ranges of arch_id,
which say nothing about the function but much about when a row was trained. No score is involved.
The last line is one JSON object.
"""

import json
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import common  # noqa: F401  (puts the library on the path)
from trained_cells import read_table

from spikernel import cli
from spikernel.space.patterns import EDGES

NUMBERS = 5 ** len(EDGES)
CHANCE_PERCENT = 10.0


def main(
    table: Annotated[Path, "the CSV of SpikeNAS-Bench"],
    ranges: Annotated[int, "equal ranges of arch_id"] = 16,
) -> None:
    """Print mean and standard deviation of the deviations in each range of arch_id."""
    functions: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for row in read_table(table).rows:
        if row.accuracy > CHANCE_PERCENT and row.number is not None:
            functions[row.cell.canonical().archid].append((row.number, row.accuracy))
    deviations: dict[int, list[float]] = defaultdict(list)
    for rows in functions.values():
        if len(rows) > 1:
            mean = statistics.fmean(accuracy for _, accuracy in rows)
            for number, accuracy in rows:
                deviations[number * ranges // NUMBERS].append(accuracy - mean)
    record = []
    print(f"{'arch_id from':>12}{'to':>8}{'rows':>7}{'mean deviation':>16}{'sd':>7}")
    for place, found in sorted(deviations.items()):
        low, high = (NUMBERS * edge // ranges for edge in (place, place + 1))
        mean, sd = statistics.fmean(found), statistics.pstdev(found)
        print(f"{low:>12}{high:>8}{len(found):>7}{mean:>16.3f}{sd:>7.3f}")
        record.append({"from": low, "to": high, "rows": len(found), "mean": mean, "sd": sd})
    print(json.dumps({"deviation_percent": record}))


if __name__ == "__main__":
    cli.run(main)
