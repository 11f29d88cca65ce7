"""What a reader needs to trust a stored run, in docs/studies: tables, figures, page, provenance.

Only runs on the data sets of the paper are kept so; others are made again in minutes.
"""

import shutil
from pathlib import Path

from measurements import CLAIMS

FOLDER = "docs/studies"
PAGE = "report.html"
FILES = (
    "headline.json",
    "selection.csv",
    "models.csv",
    "comparisons.csv",
    "provenance_table.json",
    "provenance_report.json",
    PAGE,
)
"""Of the folder tradeoff_report, beside its tables, its figures as SVG and their numbers."""
MOST_MB = 3.0
"""A larger file is left out."""


def store(run: Path, project: Path) -> list[Path]:
    """Copy the evidence of a finished run, in place of that of an earlier one of its name.

    Args:
        run: folder of the experiment, for instance `results/cifar10`.
        project: folder of README.md.

    Returns:
        The files that were left out because they are missing or too large.

    """
    if not any((run / dataset).is_dir() for dataset in CLAIMS):
        return []
    folder = project / FOLDER / run.name
    shutil.rmtree(folder, ignore_errors=True)
    report, left = run / "tradeoff_report", []
    patterns = ("figures/*.svg", "figures/*.csv", "tables/*")
    found = [path.relative_to(report) for name in patterns for path in sorted(report.glob(name))]
    for name in [*map(Path, FILES), *found]:
        path = report / name
        if path.exists() and path.stat().st_size < 1e6 * MOST_MB:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
        else:
            left.append(path)
    return left


def link(name: str, project: Path) -> str:
    """Return the end of a sentence that names the evidence of a run; empty where there is none."""
    folder = project / FOLDER / name
    if not folder.is_dir():
        return ""
    page = f"{FOLDER}/{name}/{PAGE}"
    shown = "tables and figures"
    if (project / page).exists():
        shown = f"tables, figures and the [page]({page})"
    return f"; {shown} in `{FOLDER}/{name}`"
