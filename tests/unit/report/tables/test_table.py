"""Tables for readers, in Markdown, and the numbers in them."""

import math

import pytest

from spikernel.report.tables import markdown
from spikernel.report.tables.table import Column, Table, at_least, duration, significant, table


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (39.2, "39.2"), (56.0, "56"), (1234567.0, "1,234,567"), (0.012345, "0.0123")],
)
def test_significant_digits(value: float, text: str) -> None:
    assert significant(value) == text


def test_durations_are_in_the_unit_of_a_reader() -> None:
    assert [duration(s) for s in (1.5, 600, 9000)] == ["1.5 s", "10.0 min", "2.5 h"]


def test_markdown_cells_cannot_break_the_table() -> None:
    columns = (Column("a", "name"), Column("n", "n", kind="number"))
    text = markdown.render(table("", columns, [{"name": "x|y", "n": 1}]))
    assert text == "| a    |   n |\n| ---- | --: |\n| x\\|y |   1 |\n"


def test_a_missing_value_is_a_dash_and_a_spanning_cell_fills_its_row() -> None:
    columns = (
        Column("a", "a"),
        Column("b", "b", kind="number"),
        Column("c", "", lambda row: row["a"]),
    )
    made = table("", columns, [{"a": "x", "b": math.nan}])
    assert made.rows == (("x", "–", "x"),)
    spanning = Table(caption="", columns=columns, rows=(("x", "none"),))
    assert markdown.render(spanning).splitlines()[-1] == "| x   | none | -   |"


@pytest.mark.parametrize(
    ("value", "text"),
    [(123.008, "124"), (0.04, "0.04"), (73.8221, "73.9"), (1.0, "1"), (999.1, "1,000")],
)
def test_what_is_needed_is_rounded_up(value: float, text: str) -> None:
    assert at_least(value) == text
