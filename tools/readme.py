"""Write what README.md and pages in docs/ show of the measurements stored in docs/measurements.

`python tools/readme.py --project .` (or `make readme`) writes the marked blocks of README.md, which
also lists the nets of models/, of docs/results.md, docs/findings.md and docs/kernel-cells.md, and
the pictures in docs/pictures and docs/gallery; a test keeps the committed ones equal to what this
file makes. With `--add-runs results/<experiment>` a finished run is stored first.
"""

import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

# The library lies in scripts/; no install is needed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

import cells_page
import choice
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
RESULTS = "docs/results.md"
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


HEADLINE = (
    Column("data set", "title"),
    Column("test %", "", lambda row: f"**{row['test_accuracy_percent_mean']:.2f}**", "number"),
    Column(
        "the paper", "", lambda row: f"{CLAIMS[row['dataset']].test_accuracy_percent:.2f}", "number"
    ),
    Column("parameters", "params", lambda params: f"{significant(params / 1e6, 3)} M", "number"),
    Column("steps", "binary_steps", str, "number"),
    Column("seeds", "seeds", str, "number"),
    Column("training", "effort"),
    Column("device", "device"),
    Column("record", "file", lambda name: f"[{name}]({measurements.FOLDER}/{name})"),
)
"""Columns of the table of the best nets."""


def headline(folder: Path, drawn: Sequence[Picture]) -> str:
    """Return what was reached on the data sets of the paper, beside its numbers, and the picture.

    Args:
        folder: where measurements are stored.
        drawn: what is shown below the table.

    """
    stored = measurements.nets(folder)
    rows, missing = [], []
    for dataset in CLAIMS:
        row = measurements.best(stored, dataset)
        if row is None:
            missing.append(f"Nothing yet on {TITLES[dataset]}.")
            continue
        rows.append({**row, "title": TITLES[dataset]})
        # Where a GPU had a part in the best net, the best one of a CPU alone stands beside it.
        alone = measurements.best(
            stored[stored["device"].str.startswith("cpu") & stored["whole"]], dataset
        )
        if alone is not None and alone["file"] != row["file"]:
            rows.append({**alone, "title": f"{TITLES[dataset]}, a CPU alone"})
    text = (
        "The best nets below 10 M parameters, by validation accuracy; tested in binary spikes, "
        "after the last epoch, without test-time augmentation:"
    )
    shown = markdown.render(table("The best nets", HEADLINE, rows)).rstrip()
    parts = [_wrapped(text), *([shown] if rows else []), *([" ".join(missing)] if missing else [])]
    return "\n\n".join([*parts, *(picture.markdown for picture in drawn)])


def studies(folder: Path, drawn: Mapping[str, Sequence[Picture]]) -> str:
    """Return one part per stored run on data sets of the paper, by name.

    Args:
        folder: where measurements are stored.
        drawn: pictures by the name of their run.

    Raises:
        SpikernelError: a stored file cannot be read.

    """
    found = [run for run in measurements.runs(folder) if run.on_claimed]
    parts = [_part(run, drawn.get(run.name, ()), folder) for run in found]
    return "\n\n".join(parts) or "No study is stored yet."


def results(folder: Path) -> str:
    """Return the single trainings, and one part per stored run on other data, by name.

    Args:
        folder: where measurements are stored.

    Raises:
        SpikernelError: a stored file cannot be read.

    """
    parts = [_part(run, (), folder) for run in measurements.runs(folder) if not run.on_claimed]
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
    different = means.drop_duplicates(["dataset", "archid", "width"])
    twins = f" ({len(different)} different nets)" if len(different) < len(means) else ""
    paragraph = (
        f"`{run.name}`: {len(means)} models{twins}, {len(run.trained)} trainings on "
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
    said, *below = choice.of_table(folder) or ("No table of trained cells is stored yet.",)
    pages = {
        README: {
            "headline": headline(folder, drawn[""]),
            "released nets": released.block(project),
            "search": "\n\n".join([said, *(picture.markdown for picture in below)]),
            "choices": cells_page.choices_in_short(folder),
            "studies": studies(folder, drawn),
        },
        RESULTS: {"results": results(folder)},
        findings.PAGE: {"findings": findings.page_table(folder)},
        cells_page.PAGE: cells_page.page_blocks(folder),
    }
    texts = {
        page: updated((project / page).read_text(encoding="utf-8"), blocks, page)
        for page, blocks in pages.items()
    }
    shown = {picture.path: picture.svg for part in (*drawn.values(), below) for picture in part}
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
