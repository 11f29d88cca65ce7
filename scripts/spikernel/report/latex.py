"""LaTeX tables in the style of booktabs, with every character escaped."""

from collections.abc import Collection, Sequence

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "µ": r"\textmu{}",
    "–": "--",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def escape(text: str) -> str:
    """Return text as LaTeX shows it."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numeric: Collection[int],
    code: Collection[int] = (),
    caption: str,
    label: str,
) -> str:
    r"""Return a floating table over all columns of a page, made smaller where it is wider.

    It needs the packages booktabs and graphicx. A cell that only dashes follow spans them.

    Args:
        header: column titles.
        rows: cells as text, one sequence per row.
        numeric: places of the columns to align to the right.
        code: places of the columns in typewriter type.
        caption: text above the table.
        label: what \ref refers to.

    """
    columns = "".join("r" if place in numeric else "l" for place in range(len(header)))
    return "\n".join(
        [
            "% needs \\usepackage{booktabs,graphicx}",
            r"\begin{table*}",
            r"  \centering\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"  \caption{{{escape(caption)}}}",
            rf"  \label{{{label}}}",
            r"  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"  \begin{{tabular}}{{{columns}}}",
            r"    \toprule",
            _line([escape(title) for title in header]),
            r"    \midrule",
            *(_line(_cells(row, code)) for row in rows),
            r"    \bottomrule",
            r"  \end{tabular}}",
            r"\end{table*}",
            "",
        ]
    )


def _cells(row: Sequence[str], code: Collection[int]) -> list[str]:
    filled = list(row)
    while len(filled) > 1 and filled[-1] == "-":
        filled.pop()
    cells = [
        rf"\texttt{{{escape(cell)}}}" if place in code and cell else escape(cell)
        for place, cell in enumerate(filled)
    ]
    if len(filled) < len(row):
        cells[-1] = rf"\multicolumn{{{len(row) - len(filled) + 1}}}{{l}}{{{cells[-1]}}}"
    return cells


def _line(cells: Sequence[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"
