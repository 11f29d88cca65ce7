"""What a finished run says last: for each data set the chosen model, and where it lies.

Read by the process that controls a workflow, so without pandas.
"""

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from statistics import NormalDist
from typing import Any

CONFIDENCE = 0.95


def lines(folder: Path, datasets: list[str], exported: bool) -> Iterator[str]:
    """Yield five lines for each data set, or three where no model fits a budget.

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
            yield (
                f"Model     {dataset}: none fits {float(own[-1]['budget_mb']):g} MB; the smallest "
                f"needs {float(own[-1]['smallest_memory_mb']):.3g} MB"
            )
        else:
            manifest = json.loads(
                (folder / dataset / "prepare_data/manifest.json").read_text("utf-8")
            )
            yield from _model(chosen, manifest["splits"]["test"]["count"], export)
        yield f"Page      {report / 'report.html'}"
        yield f"Export    {place / 'MODEL_CARD.md' if exported else 'none (export/enabled: false)'}"


def _model(row: dict[str, str], images: int, export: dict[str, Any]) -> Iterator[str]:
    yield (
        f"Model     {row['dataset']}: {row['archid']}, rank {row['rank']} of kernel set "
        f"{row['kernel_set']}; the best by validation within {float(row['budget_mb']):g} MB"
    )
    accuracy = float(row["test_accuracy_percent_mean"])
    low, high = interval(accuracy, images)
    yield (
        f"Accuracy  {accuracy:.2f} % of {images:,} test images (95 % interval {low:.1f} to "
        f"{high:.1f} %), {row['seeds']} seed{'s' * (row['seeds'] != '1')}"
    )
    sizes = [
        f"{made['flash_bytes'] / 1000:.1f} kB of flash, {made['ram_bytes'] / 1000:.1f} kB of RAM "
        f"as C code with {weights} weights"
        for weights, made in export.get("c", {}).items()
        if "flash_bytes" in made
    ]
    memory = (
        f"{float(row['memory_mb']):.3g} MB as {row['precision']}, {int(row['params']):,} parameters"
    )
    yield f"Memory    {'; '.join([memory, *sizes[:1]])}"


def interval(accuracy_percent: float, images: int) -> tuple[float, float]:
    """Return Wilson's score interval of an accuracy, in percent.

    Args:
        accuracy_percent: on the images, or its mean over seeds, which share them.
        images: their number.

    """
    z, share = NormalDist().inv_cdf((1 + CONFIDENCE) / 2), accuracy_percent / 100
    shrunk = 1 + z**2 / images
    centre = (share + z**2 / (2 * images)) / shrunk
    half = z * math.sqrt(share * (1 - share) / images + z**2 / (4 * images**2)) / shrunk
    return max(0.0, 100 * (centre - half)), min(100.0, 100 * (centre + half))
