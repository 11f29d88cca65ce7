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
    r"""Return a floating table that needs the package booktabs.

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
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{escape(caption)}}}",
            rf"  \label{{{label}}}",
            rf"  \begin{{tabular}}{{{columns}}}",
            r"    \toprule",
            _line([escape(title) for title in header]),
            r"    \midrule",
            *(_line(_cells(row, code)) for row in rows),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _cells(row: Sequence[str], code: Collection[int]) -> list[str]:
    return [
        rf"\texttt{{{escape(cell)}}}" if place in code and cell not in ("", "-") else escape(cell)
        for place, cell in enumerate(row)
    ]


def _line(cells: Sequence[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"
