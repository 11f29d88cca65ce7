"""LaTeX tables in the style of booktabs, with every character escaped."""

from collections.abc import Iterable

from spikernel.report.tables.table import Table

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "µ": r"\textmu{}",
    "●": r"\textbullet{}",
    "–": "--",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def escape(text: str) -> str:
    """Return text as LaTeX shows it."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def render(table: Table, label: str) -> str:
    r"""Return a floating table over all columns of a page, made smaller where it is wider.

    It needs the packages booktabs, graphicx and textcomp.

    Args:
        table: what to show.
        label: what \ref refers to.

    """
    alignment = "".join("r" if column.kind == "number" else "l" for column in table.columns)
    return "\n".join(
        [
            "% needs \\usepackage{booktabs,graphicx,textcomp}",
            r"\begin{table*}",
            r"  \centering\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"  \caption{{{escape(table.caption)}}}",
            rf"  \label{{{label}}}",
            r"  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"  \begin{{tabular}}{{{alignment}}}",
            r"    \toprule",
            _line(escape(column.title) for column in table.columns),
            r"    \midrule",
            *(_line(_cells(table, row)) for row in table.rows),
            r"    \bottomrule",
            r"  \end{tabular}}",
            r"\end{table*}",
            "",
        ]
    )


def _cells(table: Table, row: tuple[str, ...]) -> list[str]:
    cells = [
        rf"\texttt{{{escape(cell)}}}" if column.kind == "code" and cell else escape(cell)
        for column, cell in zip(table.columns, row, strict=False)
    ]
    left = len(table.columns) - len(row)
    if left:
        # The kind of the first column that it spans does not make a text an architecture.
        cells[-1] = rf"\multicolumn{{{left + 1}}}{{l}}{{{escape(row[-1])}}}"
    return cells


def _line(cells: Iterable[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"
