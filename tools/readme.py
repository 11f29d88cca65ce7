"""Write the result block of README.md from the measurements stored in docs/measurements.

`python tools/readme.py --project .` (or `make readme`) writes the block; a test keeps the
committed one equal to what this file makes. With `--add-runs results/<experiment>` the models of
a finished run are stored first, without their times, which are worth printing only where nothing
else ran.
"""

import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

# The library lies in scripts/; no install is needed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from spikernel import artifacts, cli, tables
from spikernel.config import model_name
from spikernel.errors import SpikernelError
from spikernel.report.tables import main_tables, markdown, models, selection
from spikernel.report.tables.headline import MOST_STEPS, binary_steps, model_of, refused
from spikernel.report.tables.records import Job
from spikernel.report.tables.table import Column, accuracy, count, table

FOLDER = "docs/measurements"
BEGIN = "<!-- results: written by `make readme` from docs/measurements, not by hand -->"
END = "<!-- end of results -->"

TRAININGS = (
    Column("data set", "dataset"),
    Column("macro", "config", lambda config: config["network"]["macro"]),
    Column("architecture", "archid", kind="code"),
    Column("parameters", "params", count, "number"),
    Column("steps", "", lambda record: str(binary_steps(record)), "number"),
    Column("test %", "test_accuracy_percent", accuracy, "number"),
    Column("epochs", "epochs", str, "number"),
    Column("minutes", "seconds", lambda seconds: f"{seconds / 60:.0f}", "number"),
    Column("device", "device"),
)
"""Columns of the table of single trainings."""

_SHOWN_PACKAGES = ("torch", "spikingjelly")


def add(run: Path, folder: Path) -> None:
    """Store the models of a finished run, as `<experiment>.csv` and `<experiment>.json`.

    Args:
        run: folder of the experiment, for instance `results/demo`.
        folder: where measurements are stored.

    Raises:
        SpikernelError: the run has no report, or a file of it cannot be trusted.

    """
    report = run / "tradeoff_report"
    table = models.read(report / "models.csv")
    settings = Job.read(report / "provenance_table.json").settings
    found = sorted(run.glob("*/train_final/*/*/*/provenance.json"))
    jobs = [Job.read(path) for path in found]
    if len(jobs) != len(table):
        raise SpikernelError(
            f"{run} holds {len(jobs)} trainings, its models.csv {len(table)}: finish the run first"
        )
    untimed = table.drop(columns=["search_seconds", "train_seconds"])
    artifacts.write_text(folder / f"{run.name}.csv", models.to_csv(untimed))
    artifacts.write_json(
        folder / f"{run.name}.json",
        {
            "experiment": run.name,
            "precision": settings["precision"],
            "memory_budgets_mb": settings["memory_budgets_mb"],
            "code": sorted({job.code for job in jobs}),
            "device": sorted({job.device for job in jobs}),
            "packages": sorted(
                {f"{name} {job.packages[name]}" for job in jobs for name in _SHOWN_PACKAGES}
            ),
        },
    )


def block(folder: Path) -> str:
    """Return the result block: one part per stored run, by name.

    Records of benchmarks and of single trainings lie in the same folder; they name no experiment.

    Raises:
        SpikernelError: a stored file cannot be read.

    """
    runs = [
        path for path in sorted(folder.glob("*.json")) if "experiment" in artifacts.read_json(path)
    ]
    parts = [_part(path) for path in runs]
    single = _single_trainings(folder)
    return "\n\n".join([BEGIN, *([single] if single else []), *parts, END])


def _single_trainings(folder: Path) -> str | None:
    """Return the table of the trainings that `scripts/train_cell.py` recorded, the best first."""
    records = [artifacts.read_json(path) for path in sorted(folder.glob("*.json"))]
    trained = [record for record in records if "history" in record]
    if not trained:
        return None
    trained.sort(key=lambda record: (record["dataset"], -record["test_accuracy_percent"]))
    taken = [record for record in trained if binary_steps(record) <= MOST_STEPS]
    shown = table("Single trainings", TRAININGS, taken)
    text = (
        "Single nets, trained on all training images but those for validation; accuracy of binary "
        "spikes on all test images, last epoch, tested once, no test-time augmentation:"
    )
    many = [record for record in trained if binary_steps(record) > MOST_STEPS]
    named = [f"{r['archid']} on {r['dataset']} ({binary_steps(r)} steps)" for r in many]
    parts = [textwrap.fill(text, 100), markdown.render(shown).rstrip(), *_refusal(named)]
    return "\n\n".join(parts)


def _refusal(named: Sequence[str]) -> list[str]:
    """Return the paragraph on what runs too many steps for the tables; none where nothing does."""
    if not named:
        return []
    text = f"Left out, as at most {MOST_STEPS} steps of binary spikes (T x D) count: "
    return [textwrap.fill(f"{text}{'; '.join(named)}.", 100)]


def _part(path: Path) -> str:
    about: dict[str, Any] = artifacts.read_json(path)
    trained = models.read(path.with_suffix(".csv"))
    means = models.over_seeds(trained)
    too_many = refused(means)
    taken = means[[model_of(row) not in too_many for row in tables.records(means)]]
    chosen = selection.select(taken, about["memory_budgets_mb"], about["precision"])
    shown = markdown.render(main_tables.selection(chosen, "The best model within each budget"))
    said = [
        f"{_range(means, 'params', count)} parameters",
        f"mean test accuracy {_range(means, 'test_accuracy_percent_mean', accuracy)} %",
    ]
    if models.quantised(means):
        said.append(f"in int8 {_range(means, 'int8_test_accuracy_percent_mean', accuracy)} %")
    paragraph = (
        f"`{about['experiment']}`: {len(means)} models, {len(trained)} trainings on "
        f"{', '.join(sorted(trained['dataset'].unique()))}; {'; '.join(said)}. Measured on "
        f"{', '.join(about['device'])}; {', '.join(about['packages'])}; code "
        f"{', '.join(about['code'])}. Weights as {about['precision']}, last epoch, mean ± standard "
        "deviation over seeds:"
    )
    named = [
        f"{kernel_set} {model_name(rank, width)} on {dataset} ({steps} steps)"
        for (dataset, (kernel_set, rank, width)), steps in too_many.items()
    ]
    return "\n\n".join([textwrap.fill(paragraph, 100), shown.rstrip(), *_refusal(named)])


def _range(means: pd.DataFrame, column: str, shown: Callable[[float], str]) -> str:
    return f"{shown(means[column].min())} to {shown(means[column].max())}"


def updated(text: str, folder: Path) -> str:
    """Return the README with its result block made anew.

    Raises:
        SpikernelError: the README does not have the two marks that enclose the block.

    """
    before, found, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise SpikernelError(f"README.md has no result block between '{BEGIN}' and '{END}'")
    return before + block(folder) + after


def main(
    project: Annotated[Path, "folder of README.md and docs/"],
    add_runs: Annotated[list[Path] | None, "results/<experiment> of finished runs to store"] = None,
) -> None:
    """Store runs, if any, and write the result block of README.md."""
    folder, readme = project / FOLDER, project / "README.md"
    for run in add_runs or []:
        add(run, folder)
    artifacts.write_text(readme, updated(readme.read_text(encoding="utf-8"), folder))


if __name__ == "__main__":
    cli.run(main)
