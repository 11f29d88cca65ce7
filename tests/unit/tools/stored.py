"""Measurements as they are stored, and a project to write their pages in."""

from pathlib import Path
from typing import Any

from report_experiment import Experiment, write_json

import cells_page
import findings
import measurements
import readme

SINGLE: dict[str, Any] = {
    "dataset": "cifar10", "archid": "zero-zero-k3-zero-zero-zero", "params": 1972010,
    "memory_mb_fp32": 7.88804, "time_steps": 1, "binary_steps": 4, "epochs": 8, "seconds": 1230.0,
    "val_accuracy_percent": 90.8, "test_accuracy_percent": 91.5, "device": "cpu: test",
    "history": [], "config": {"network": {"macro": "compact"}},
}  # fmt: skip
"""A record of a single training."""


def project(folder: Path) -> Path:
    """Write pages with marks and nothing between them, and return the folder of measurements."""
    blocks = {
        readme.README: ("headline", "released nets", "search", "choices", "studies"),
        readme.RESULTS: ("results",),
        findings.PAGE: ("findings",),
        cells_page.PAGE: tuple(cells_page.page_blocks(folder)),
    }
    for page, names in blocks.items():
        marks = [f"{readme.MARK.format(name)}\nold\n{readme.END.format(name)}\n" for name in names]
        (folder / page).parent.mkdir(exist_ok=True)
        (folder / page).write_text(f"# Title\n{''.join(marks)}rest\n")
    stored = folder / measurements.FOLDER
    stored.mkdir()
    return stored


def finished(experiment: Experiment) -> Path:
    """Lay the tables of the experiment out as a finished run leaves them."""
    out = experiment.tables(memory_budgets_mb=[10.0, 40.0])
    run = experiment.folder / "results" / "trial"
    out.rename(run / "tradeoff_report")
    for path in experiment.metrics:
        write_json(path.with_name("provenance.json"), job())
    return run


def job() -> dict[str, object]:
    return {
        "step": "train_final", "code": "0.1.0+abc", "settings": {}, "inputs": {}, "outputs": {},
        "device": "cpu: test", "python": "3.11", "platform": "Linux", "seconds": 900.0,
        "packages": {"torch": "2.13.0", "spikingjelly": "2.0.0"}, "finished": "2026-01-01",
    }  # fmt: skip
