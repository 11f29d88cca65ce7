"""Markdown tables that read well as plain text too."""

from collections.abc import Sequence

from spikernel.report.tables.table import Table


def render(table: Table) -> str:
    """Return an aligned Markdown table; what a spanning cell spans is filled with dashes."""
    count = len(table.columns)
    header = [column.title for column in table.columns]
    filled = [header, *([*row, *"-" * (count - len(row))] for row in table.rows)]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in filled]
    widths = [max(3, *(len(row[place]) for row in cells)) for place in range(count)]
    right = [column.kind == "number" for column in table.columns]
    rule = [
        "-" * (width - 1) + ":" if to_right else "-" * width
        for width, to_right in zip(widths, right, strict=True)
    ]
    first, *others = (_padded(row, widths, right) for row in cells)
    return "".join(f"| {' | '.join(row)} |\n" for row in (first, rule, *others))


def _padded(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    return [
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(row, widths, right, strict=True)
    ]
