"""Judge the regression of `predicted_accuracy` on another data set's table, by cells it never saw.

It is fitted to the dense cells of one table over kernel sizes that the other lacks, with the
library's counts and penalty, and orders the cells of the other: neither these cells nor their
images were known. SpikeNAS-Bench can be the other, too; its thresholds are not looked at. Figures
as in `rank_statistics.py`; the last line is one JSON object.
"""

import json
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from fitted_scores import RIDGE, fit, predictions
from rank_statistics import beaten_by, bootstrap, regret, tau_b
from table_sets import comparable
from trained_cells import read_table

from spikernel import cli
from spikernel.errors import ConfigError


def main(
    fitted: Annotated[Path, "CSV of kernel_cells.py that the regression is fitted to"],
    judged: Annotated[Path, "CSV of the cells that it orders"],
    control: Annotated[Literal["same_width", "same_parameters"], "which nets"] = "same_parameters",
    one_threshold: Annotated[bool, "order only cells whose thresholds are all 1.0"] = False,
    seed: Annotated[int, "of the interval"] = 0,
) -> None:
    """Print how many cells each table gives, tau with its interval, and the figures of the choice.

    Raises:
        ConfigError: too few cells are left to fit to, or to order.

    """
    rows = comparable(read_table(judged, control).rows, seeds=1)
    rows = [row for row in rows if row.one_threshold or not one_threshold]
    names = {row.cell.canonical().archid for row in rows}
    known = [
        row
        for row in comparable(read_table(fitted, control).rows, seeds=1)
        if row.cell.canonical().archid not in names
    ]
    if min(len(known), len(rows)) < 2:
        raise ConfigError(
            f"{fitted} has {len(known)} dense cells that {judged} lacks, and that has {len(rows)}: "
            "two of each are needed"
        )
    regression = fit([row.cell for row in known], np.array([row.accuracy for row in known]), RIDGE)
    values = predictions(regression, [row.cell for row in rows])
    accuracy = np.array([row.accuracy for row in rows])

    low, high = bootstrap(values, accuracy, seed)
    found = {
        "fitted_to": len(known),
        "cells": len(rows),
        "tau": round(tau_b(values, accuracy), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "regret": round(regret(values, accuracy), 3),
        "beaten_by": round(beaten_by(values, accuracy), 2),
    }
    print(
        f"{found['cells']} cells, by a fit to {found['fitted_to']} others: tau {found['tau']:.2f} "
        f"[{low:.2f}, {high:.2f}], first choice {found['regret']:.1f} points below the best, "
        f"{found['beaten_by']:.1f} % are better"
    )
    print(json.dumps({"fitted": fitted.name, "judged": judged.name, "control": control, **found}))


if __name__ == "__main__":
    cli.run(main)
