"""LaTeX and Markdown files of the main result."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from report_experiment import Experiment, change

from spikernel.report.tables import latex


def test_every_special_character_is_escaped() -> None:
    assert latex.escape("a_b & 5% #1 $x {y} ~ ^ \\ ± × µ –") == (
        r"a\_b \& 5\% \#1 \$x \{y\} \textasciitilde{} \textasciicircum{} \textbackslash{} "
        r"$\pm$ $\times$ \textmu{} --"
    )


def columns_of(line: str) -> int:
    """Return how many columns a line fills; a spanning cell counts as those it spans."""
    spans = [int(number) - 1 for number in re.findall(r"\\multicolumn{(\d+)}", line)]
    return 1 + len(re.findall(r"(?<!\\)&", line)) + sum(spans)


def test_tables_are_booktabs_with_a_cell_for_every_column(experiment: Experiment) -> None:
    folder = experiment.tables(memory_budgets_mb=[1.0, 40.0]) / "tables"
    for name, columns in (("selection", 12), ("models", 14)):
        text = (folder / f"{name}.tex").read_text(encoding="utf-8")
        for rule in ("toprule", "midrule", "bottomrule"):
            assert text.count(f"\\{rule}") == 1
        lines = [line for line in text.splitlines() if line.endswith(r"\\")]
        assert {columns_of(line) for line in lines} == {columns}
        assert len(re.search(r"begin{tabular}{(\w+)}", text)[1]) == columns  # type: ignore[index]
    selected = (folder / "selection.tex").read_text(encoding="utf-8")
    assert r"\texttt{k5-skip-k3-zero-k5-avg} & 9,800,000 & 39.2 & 92.50 $\pm$ 0.71" in selected
    assert r"\multicolumn{10}{l}{none fits; the smallest needs 4.4 MB} \\" in selected
    assert "| 92.50 ± 0.71 |" in (folder / "selection.md").read_text(encoding="utf-8")


def test_names_cannot_break_out_of_latex(experiment: Experiment) -> None:
    for path in (*experiment.metrics[:2], *experiment.deployments[:2]):
        change(path, archid=r"x_1 & \end{table}")
    text = (experiment.tables() / "tables" / "models.tex").read_text(encoding="utf-8")
    assert r"\texttt{x\_1 \& \textbackslash{}end\{table\}}" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on the PATH")
def test_latex_accepts_the_tables(experiment: Experiment, tmp_path: Path) -> None:
    folder = experiment.tables() / "tables"
    (tmp_path / "all.tex").write_text(
        "\\documentclass{article}\\usepackage[utf8]{inputenc}\n"
        "\\usepackage{booktabs,graphicx,textcomp}\n"
        f"\\begin{{document}}\\input{{{folder}/models}}\\input{{{folder}/selection}}\\end{{document}}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "Overfull" not in done.stdout
