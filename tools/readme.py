"""Write what README.md and pages in docs/ show of the measurements stored in docs/measurements.

`python tools/readme.py --project .` (or `make readme`) writes the marked blocks of README.md, which
also lists the nets of models/, and of docs/findings.md, and the pictures in docs/pictures and
docs/gallery; a test keeps the committed ones equal to what this file makes. With
`--add-runs results/<experiment>` a finished run is stored first.
"""

import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

# The library lies in scripts/; no install is needed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import evidence
import findings
import gallery
import measurements
import pictures
import released
from measurements import CLAIMS, TITLES, Run
from pictures import Picture
from spikernel import artifacts, cli
from spikernel.config import model_name
from spikernel.errors import SpikernelError
from spikernel.report.tables import main_tables, markdown, models, selection
from spikernel.report.tables.headline import MOST_STEPS, binary_steps, is_whole, refused
from spikernel.report.tables.table import Column, accuracy, count, significant, table

README = "README.md"
MARK = "<!-- {}: written by `make readme` from stored records, not by hand -->"
END = "<!-- end of {} -->"

TRAININGS = (
    Column("data set", "dataset"),
    Column("macro", "config", lambda config: config["network"]["macro"]),
    Column("architecture", "archid", kind="code"),
    Column("parameters", "params", count, "number"),
    Column("steps", "", lambda record: str(binary_steps(record)), "number"),
    Column("test %", "test_accuracy_percent", accuracy, "number"),
    Column("epochs", "epochs", str, "number"),
    Column("minutes", "", lambda record: _minutes(record), "number"),
    Column("device", "device"),
)
"""Columns of the table of single trainings."""


def _minutes(record: Mapping[str, Any]) -> str:
    added = "" if is_whole(record) else "+"
    return f"{added}{record['seconds'] / 60:.0f}"


def headline(folder: Path, drawn: Sequence[Picture]) -> str:
    """Return what was reached on the data sets of the paper, beside its numbers, and the picture.

    Args:
        folder: where measurements are stored.
        drawn: what is shown below the sentence.

    """
    stored = measurements.nets(folder)
    parts, devices = [], []
    for dataset, paper in CLAIMS.items():
        row = measurements.best(stored, dataset)
        claimed = f"(the paper: {paper.test_accuracy_percent:.2f} %)"
        if row is None:
            parts.append(f"nothing yet on {TITLES[dataset]} {claimed}")
            continue
        effort = f", {row['effort']}" if row["effort"] else ""
        parts.append(
            f"**{row['test_accuracy_percent_mean']:.2f} % on {TITLES[dataset]}** {claimed} with "
            f"{_millions(row)}, {row['binary_steps']} steps of binary spikes, {row['seeds']} "
            f"seed{'s' if row['seeds'] > 1 else ''}{effort}"
        )
        devices.append(row["device"])
    measured = f" Measured on {'; '.join(dict.fromkeys(devices))}." if devices else ""
    text = f"So far, below 10 M parameters: {'; '.join(parts)}.{measured}{_without_gpu(stored)}"
    return "\n\n".join([_wrapped(text), *(picture.markdown for picture in drawn)])


def _millions(row: Mapping[str, Any]) -> str:
    return f"{significant(row['params'] / 1e6, 3)} M parameters"


def _without_gpu(stored: pd.DataFrame) -> str:
    """Return a sentence on the best nets that a CPU trained, where a GPU trained a better one."""
    parts, devices = [], []
    on_cpu = stored
    if len(stored):
        on_cpu = stored[stored["device"].str.startswith("cpu") & stored["whole"]]
    for dataset in CLAIMS:
        best, row = (measurements.best(nets, dataset) for nets in (stored, on_cpu))
        if row is None or best is None or best["file"] == row["file"]:
            continue
        effort = f", {row['effort']}" if row["effort"] else ""
        parts.append(
            f"{row['test_accuracy_percent_mean']:.2f} % on {TITLES[dataset]} ({_millions(row)}"
            f"{effort})"
        )
        devices.append(row["device"])
    if not parts:
        return ""
    return f" Without a GPU, on {'; '.join(dict.fromkeys(devices))}: {', '.join(parts)}."


def results(folder: Path, drawn: Mapping[str, Sequence[Picture]]) -> str:
    """Return the single trainings, and one part per stored run, by name.

    Args:
        folder: where measurements are stored.
        drawn: pictures by the name of their run.

    Raises:
        SpikernelError: a stored file cannot be read.

    """
    parts = [_part(run, drawn.get(run.name, ()), folder) for run in measurements.runs(folder)]
    single = _single_trainings(folder)
    return "\n\n".join([*([single] if single else []), *parts])


def _single_trainings(folder: Path) -> str | None:
    """Return the table of the trainings that `scripts/train_cell.py` recorded, the best first."""
    trained = measurements.trainings(folder)
    if not trained:
        return None
    taken = [record for record in trained if binary_steps(record) <= MOST_STEPS]
    shown = table("Single trainings", TRAININGS, taken)
    text = (
        "Single nets, trained on all training images but those for validation; accuracy of binary "
        "spikes on all test images, last epoch, tested once, no test-time augmentation; a + before "
        "the minutes: added to weights of another training:"
    )
    many = [record for record in trained if binary_steps(record) > MOST_STEPS]
    named = [f"{r['archid']} on {r['dataset']} ({binary_steps(r)} steps)" for r in many]
    return "\n\n".join([_wrapped(text), markdown.render(shown).rstrip(), *_refusal(named)])


def _refusal(named: Sequence[str]) -> list[str]:
    """Return the paragraph on what runs too many steps for the tables; none where nothing does."""
    if not named:
        return []
    text = f"Left out, as at most {MOST_STEPS} steps of binary spikes (T x D) count: "
    return [_wrapped(f"{text}{'; '.join(named)}.")]


def _part(run: Run, drawn: Sequence[Picture], folder: Path) -> str:
    about, means = run.about, run.means
    chosen = selection.select(run.taken, about["memory_budgets_mb"], about["precision"])
    shown = markdown.render(main_tables.selection(chosen, "The best model within each budget"))
    said = [
        f"{_range(means, 'params', count)} parameters",
        f"mean test accuracy {_range(means, 'test_accuracy_percent_mean', accuracy)} %",
    ]
    if models.quantised(means):
        said.append(f"in int8 {_range(means, 'int8_test_accuracy_percent_mean', accuracy)} %")
    paragraph = (
        f"`{run.name}`: {len(means)} models, {len(run.trained)} trainings on "
        f"{', '.join(sorted(means['dataset'].unique()))}; {'; '.join(said)}. Measured on "
        f"{', '.join(about['device'])}; {', '.join(about['packages'])}; code "
        f"{', '.join(about['code'])}{evidence.link(run.name, folder.parents[1])}. Weights as "
        f"{about['precision']}, last epoch, mean ± standard deviation over seeds:"
    )
    named = [
        f"{kernel_set} {model_name(rank, width)} on {dataset} ({steps} steps)"
        for (dataset, (kernel_set, rank, width)), steps in refused(means).items()
    ]
    below = [*_refusal(named), *(picture.markdown for picture in drawn)]
    return "\n\n".join([_wrapped(paragraph), shown.rstrip(), *below])


def _range(means: pd.DataFrame, column: str, shown: Callable[[float], str]) -> str:
    return f"{shown(means[column].min())} to {shown(means[column].max())}"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def updated(text: str, blocks: Mapping[str, str], page: str) -> str:
    """Return a page with its marked blocks made anew.

    Args:
        text: the page as it is.
        blocks: content of each block by its name.
        page: its path, for messages.

    Raises:
        SpikernelError: the page does not have the two marks that enclose a block.

    """
    for name, content in blocks.items():
        begin, end = MARK.format(name), END.format(name)
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise SpikernelError(f"{page} has no block between '{begin}' and '{end}'")
        text = f"{before}{begin}\n\n{content}\n\n{end}{after}"
    return text


def generated(project: Path) -> dict[str, str]:
    """Return the text of every generated file by its path in the project.

    Raises:
        SpikernelError: a measurement or a page cannot be read.

    """
    folder = project / measurements.FOLDER
    drawn = pictures.by_run(folder)
    pages = {
        README: {
            "headline": headline(folder, drawn[""]),
            "released nets": released.block(project),
            "results": results(folder, drawn),
        },
        findings.PAGE: {"findings": findings.page_table(folder)},
    }
    texts = {
        page: updated((project / page).read_text(encoding="utf-8"), blocks, page)
        for page, blocks in pages.items()
    }
    shown = {picture.path: picture.svg for part in drawn.values() for picture in part}
    return {**texts, **shown, **gallery.pictures(folder)}


def stale(project: Path, files: Mapping[str, str]) -> list[Path]:
    """Return the pictures in the project that are none of the generated files."""
    kept = {project / name for name in files}
    folders = (project / pictures.FOLDER, project / gallery.FOLDER)
    return sorted({path for folder in folders for path in folder.glob("*.svg")} - kept)


def main(
    project: Annotated[Path, "folder of README.md and docs/"],
    add_runs: Annotated[list[Path] | None, "results/<experiment> of finished runs to store"] = None,
) -> None:
    """Store runs, if any, and write the blocks and the pictures."""
    for run in add_runs or []:
        measurements.add(run, project / measurements.FOLDER)
        for path in evidence.store(run, project):
            print(f"left out of {evidence.FOLDER}, as missing or too large: {path}")
    files = generated(project)
    for name, text in files.items():
        artifacts.write_text(project / name, text)
    for path in stale(project, files):
        path.unlink()


if __name__ == "__main__":
    cli.run(main)
