"""Markdown tables that read well as plain text too."""

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int]) -> str:
    """Return an aligned Markdown table.

    Args:
        header: column titles.
        rows: cells as text, one sequence per row.
        numeric: places of the columns to align to the right.

    """
    cells = [[_escape(cell) for cell in row] for row in (header, *rows)]
    widths = [max(3, *(len(row[place]) for row in cells)) for place in range(len(header))]
    lines = [_line(row, widths, numeric) for row in cells]
    rule = [
        "-" * (width - 1) + ":" if place in numeric else "-" * width
        for place, width in enumerate(widths)
    ]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines) + "\n"


def _line(row: Sequence[str], widths: Sequence[int], numeric: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if place in numeric else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "| " + " | ".join(padded) + " |"


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")
