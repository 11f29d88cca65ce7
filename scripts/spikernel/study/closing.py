"""What a finished run says last: for each data set the chosen model, and where it lies.

Read by the process that controls a workflow, so without pandas.
"""

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spikernel.config import model_name
from spikernel.data import cautions


def lines(folder: Path, datasets: list[str], exported: bool) -> Iterator[str]:
    """Yield five lines for each data set, or three where no model fits a budget.

    What misleads in its images takes a line more.

    Args:
        folder: results of the experiment.
        datasets: their names.
        exported: whether the chosen models were exported.

    """
    report = folder / "tradeoff_report"
    with (report / "selection.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    for dataset in datasets:
        own = [row for row in rows if row["dataset"] == dataset]
        # The rows of a data set are in the order of their budgets.
        chosen = next((row for row in reversed(own) if row["fits"] == "true"), None)
        place = folder / dataset / "export"
        export = json.loads((place / "export.json").read_text("utf-8")) if exported else {}
        if chosen is None:
            least = math.ceil(float(own[-1]["smallest_memory_mb"]) * 1e4) / 1e4
            yield (
                f"Model     {dataset}: none fits {float(own[-1]['budget_mb']):g} MB; the smallest "
                f"needs {least:g} MB"
            )
        else:
            yield from _model(chosen, export if _is_of(export, chosen) else {})
        yield f"Page      {report / 'report.html'}"
        yield f"Export    {place / 'MODEL_CARD.md' if exported else 'none (export/enabled: false)'}"
        found = folder / dataset / "prepare_data" / cautions.FILE
        if said := cautions.read(found):
            yield f"Images    {'; '.join(said)}: {found} names them"


def _is_of(export: dict[str, Any], row: dict[str, str]) -> bool:
    """Whether the exported model is the one of the row: its budget may be a smaller one."""
    found = (export.get("kernel_set"), export.get("rank"), float(export.get("width", 1)))
    return found == (row["kernel_set"], int(row["rank"]), float(row.get("width", 1)))


def _place(row: dict[str, str]) -> str:
    return model_name(int(row["rank"]), float(row.get("width", 1)))


def _model(row: dict[str, str], export: dict[str, Any]) -> Iterator[str]:
    yield (
        f"Model     {row['dataset']}: {row['archid']}, {_place(row)} of kernel set "
        f"{row['kernel_set']}; the best by validation within {float(row['budget_mb']):g} MB"
    )
    accuracy, low, high = (
        float(row[f"test_accuracy_percent_{name}"]) for name in ("mean", "low", "high")
    )
    chance = float(row["chance_percent"])
    yield (
        f"Accuracy  {accuracy:.2f} % of {int(row['test_images']):,} test images (95 % interval "
        f"{low:.1f} to {high:.1f} %), {row['seeds']} seed{'s' * (row['seeds'] != '1')}"
        f"{f'; not shown to be above chance ({chance:.3g} %)' if low <= chance else ''}"
    )
    sizes = [
        f"{made['flash_bytes'] / 1000:.1f} kB of flash, {made['ram_bytes'] / 1000:.1f} kB of RAM "
        f"as C code with {weights} weights ({made['compiler']}, -Os)"
        for weights, made in export.get("c", {}).items()
        if "flash_bytes" in made
    ]
    memory = (
        f"{float(row['memory_mb']):.3g} MB as {row['precision']}, {int(row['params']):,} parameters"
    )
    yield f"Memory    {'; '.join([memory, *sizes[:1]])}"
