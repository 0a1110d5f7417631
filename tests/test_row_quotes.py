"""A row of a table quoted cell by cell, although its words stand lines apart on the page."""

import pytest

from pagehop.finding.row_quotes import locate_row
from pagehop.layout.page_tables import Table, TableCell
from pagehop.library.view import View
from pagehop.types import PageRef

ROWS = (
    ("Name", "Date of birth", "Age at election", "Current age"),
    ("Ada Brandt", "May 4, 1951 Tromso", "50", "69"),
    ("Per Lund", "June 9, 1936 Vardo", "50", "87"),
)


def table() -> Table:
    """Three rows of four columns, the first of them a head."""
    cells = tuple(
        TableCell(text, row, column, 1, 1, (column / 4, row / 10, column / 4 + 0.2, row / 10 + 0.1))
        for row, texts in enumerate(ROWS)
        for column, text in enumerate(texts)
    )
    return Table(PageRef("court", 5), "r1", (0, 0, 1, 0.3), "", "", "", 1, 4, 3, cells)


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("Ada Brandt | May 4, 1951 Tromso | 50 | 69", "Ada Brandt | May 4, 1951 Tromso | 50 | 69"),
        ("ada brandt |  | 69", "Ada Brandt | 69"),
        ("columns: Name | Current age", "Name | Current age"),
    ],
)
def test_a_row_is_found_with_cells_left_out(quote: str, text: str) -> None:
    found = locate_row([table()], quote)
    assert found is not None
    assert found.text == text
    assert len(found.boxes) == text.count("|") + 1


def test_the_box_is_that_of_the_cells() -> None:
    found = locate_row([table()], "Per Lund | 87")
    assert found is not None
    assert found.box == pytest.approx((0, 0.2, 0.95, 0.3))


@pytest.mark.parametrize(
    "quote",
    [
        "Ada Brandt | 87",  # of another row
        "Ada Brandt | 69 | 50",  # in another order
        "Ada Brandt | 6",  # part of a cell
        "Ada | 69",
        "Ada Brandt",  # one cell says nothing of a row
        " | ",
    ],
)
def test_what_is_no_row_is_not_found(quote: str) -> None:
    assert locate_row([table()], quote) is None


def test_a_view_locates_a_row_whose_other_cells_are_left_out(view: View) -> None:
    ref = PageRef("Halden_2022_annual_report", 2)
    table = view.tables(ref)[0]
    label, *_, last = table.rows[table.heads]
    found = view.locate(ref, f"{label} | {last}")
    assert found is not None
    assert found.text == f"{label} | {last}"
    assert view.locate(ref, f"{label} | {last}1") is None
