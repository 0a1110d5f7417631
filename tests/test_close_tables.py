"""Cells of tables whose rules part only groups of rows, and of columns set close to one another."""

from collections.abc import Iterator, Mapping, Sequence

import pytest
from reportlab.pdfgen.canvas import Canvas

from pagehop.layout.page_tables import Table
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.types import PageRef

SCORES = (
    ("Tagger", "81.4", "79.9", "80.6"),
    ("Parser", "83.0", "80.2", "81.6"),
    ("Reader", "84.7", "82.5", "83.6"),
)


def level(sheet: Canvas, x0: float, x1: float, y: float) -> None:
    sheet.line(x0, 842 - y, x1, 842 - y)


def upright(sheet: Canvas, x: float, y0: float, y1: float) -> None:
    sheet.line(x, 842 - y0, x, 842 - y1)


def put(sheet: Canvas, xs: tuple[float, ...], y: float, *texts: str) -> None:
    for x, text in zip(xs, texts, strict=False):
        sheet.drawString(x, 842 - y, text)


def labelled(sheet: Canvas, y: float, apart: float, rows: Mapping[str, Sequence[str]]) -> None:
    """Set labels with amounts flush right, so many points from column to column."""
    for i, (label, amounts) in enumerate(rows.items()):
        put(sheet, (64.0,), y + 13 * i, label)
        for k, amount in enumerate(amounts):
            sheet.drawRightString(240 + apart * k, 842 - (y + 13 * i), amount)


def grouped(sheet: Canvas, y: float) -> None:
    """Set scores as papers do: three upright rules, open sides, level rules around groups only.

    A row across all columns parts the second group from the first.
    """
    xs = (64.0, 134.0, 194.0, 254.0)
    put(sheet, xs, y + 10, "Model", "Prec", "Rec", "F1")
    for i, row in enumerate(SCORES):
        put(sheet, xs, y + 26 + 12 * i, *row)
    sheet.drawString(130, 842 - (y + 72), "With more data")
    for i, row in enumerate(SCORES[:2]):
        put(sheet, xs, y + 88 + 12 * i, row[0], *(f"9{value[1:]}" for value in row[1:]))
    for at in (y, y + 15, y + 62, y + 77, y + 108):
        level(sheet, 60, 300, at)
    for x in (130, 190, 250):
        upright(sheet, x, y, y + 62)
        upright(sheet, x, y + 77, y + 108)


def spanned(sheet: Canvas, y: float) -> None:
    """Set a ruled table with a label in the middle of its group, and cells of wrapped words."""
    xs = (64.0, 144.0, 224.0)
    put(sheet, xs, y + 12, "Port", "Pier", "Ships")
    for i, (pier, ships) in enumerate((("East", "12"), ("West", "7"), ("South", "31"))):
        put(sheet, xs[1:], y + 30 + 12 * i, pier, ships)
    put(sheet, xs, y + 42, "Skarvoy")
    put(sheet, xs, y + 72, "Duty of the", "open from", "each barge")
    put(sheet, xs, y + 84, "keepers", "May on", "in 1987")
    for at in (y, y + 17, y + 60, y + 90):
        level(sheet, 60, 300, at)
    for x in (60, 140, 220, 300):
        upright(sheet, x, y, y + 90)


def close(sheet: Canvas, y: float) -> None:
    """Set years of amounts less than a letter apart, as reports in narrow columns do."""
    put(sheet, (64.0,), y, "$ in millions")
    rows = (
        ("2016", "2015", "2014"),
        ("$14,467", "$15,151", "$15,197"),
        ("9,713", "13,938", "10,880"),
        ("$30,608", "$33,820", "$34,528"),
        ("20,304", "25,042", "22,171"),
    )
    labels = ("", "Net revenues", "Expenses", "All revenues", "All expenses")
    labelled(sheet, y, 36, dict(zip(labels, rows, strict=True)))


def ranges(sheet: Canvas, y: float) -> None:
    """Set maturities as ranges of years beside amounts."""
    put(sheet, (64.0, 220.0, 330.0), y, "Notes", "Maturities", "Amount")
    for i, years in enumerate(("2024 - 2044", "2023 - 2057", "2026 - 2060", "2031 - 2062")):
        put(sheet, (64.0, 220.0), y + 14 * (i + 1), f"Issue of {2012 + i}", years)
        sheet.drawRightString(370, 842 - (y + 14 * (i + 1)), f"{4 + i},{250 + i}")


def wrapped(sheet: Canvas, y: float) -> None:
    """Set a ruled table whose cells run over lines, with a raised mark and labels of two lines."""
    xs = (64.0, 164.0, 234.0)
    put(sheet, xs, y + 12, "Event", "Drug", "Placebo")
    put(sheet, xs, y + 30, "Patients with", "123", "98")
    put(sheet, xs, y + 42, "any event", "(45.1%)", "(39.0%)")
    put(sheet, xs, y + 60, "Bank of", "12", "3")
    put(sheet, xs, y + 72, "Norway")
    put(sheet, xs, y + 84, "State Street", "14", "4")
    put(sheet, (182.0,), y + 81, "*")
    for at in (y, y + 17, y + 48, y + 92):
        level(sheet, 60, 300, at)
    for x in (60, 160, 230, 300):
        upright(sheet, x, y, y + 92)


def spaced(sheet: Canvas, y: float) -> None:
    """Set amounts whose thousands a blank parts, as in many countries."""
    rows = {
        "": ("2023", "2022"),
        "Revenue": ("12 345", "11 234"),
        "Costs": ("9 876", "8 765"),
        "Interest": ("1 234", "1 111"),
        "Profit": ("1 235", "1 358"),
    }
    labelled(sheet, y, 80, rows)


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    folder = tmp_path_factory.mktemp("close")
    sheet = Canvas(str(folder / "scores.pdf"), pagesize=(595, 842))
    for table in (grouped, spanned, close, ranges, wrapped, spaced):
        sheet.setFont("Helvetica", 9)
        table(sheet, 100)
        sheet.showPage()
    sheet.save()
    with Library(folder) as library:
        library.add(folder)
        yield library.view()


def the_table(view: View, page: int) -> Table:
    (table,) = view.tables(PageRef("scores", page))
    return table


def test_rows_that_no_rule_parts_are_rows(view: View) -> None:
    table = the_table(view, 1)
    assert table.rows[:4] == (("Model", "Prec", "Rec", "F1"), *SCORES)
    assert table.headers == ("Model", "Prec", "Rec", "F1")


def test_a_row_across_all_columns_joins_what_stands_above_and_below_it(view: View) -> None:
    table = the_table(view, 1)
    assert (table.height, table.width, table.heads) == (7, 4, 1)
    (across,) = (cell for cell in table.cells if cell.columns > 1)
    assert (across.text, across.row, across.columns) == ("With more data", 4, 4)
    assert table.rows[5] == ("Tagger", "91.4", "99.9", "90.6")


def test_a_label_in_the_middle_of_its_group_spans_the_rows(view: View) -> None:
    table = the_table(view, 2)
    cells = {cell.text: cell for cell in table.cells}
    assert [(cells[x].row, cells[x].rows) for x in ("Skarvoy", "East", "South")] == [
        (1, 3),
        (1, 1),
        (3, 1),
    ]
    assert table.rows[2][1:] == ("West", "7")


def test_cells_of_words_over_two_lines_stay_one_row(view: View) -> None:
    assert the_table(view, 2).rows[-1] == (
        "Duty of the keepers",
        "open from May on",
        "each barge in 1987",
    )


def test_amounts_set_close_stand_under_their_years(view: View) -> None:
    table = the_table(view, 3)
    assert table.headers[1:] == ("2016", "2015", "2014")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["Net revenues"] == ("$14,467", "$15,151", "$15,197")
    assert rows["All expenses"] == ("20,304", "25,042", "22,171")


def test_a_range_of_years_is_one_cell(view: View) -> None:
    table = the_table(view, 4)
    assert table.width == 3
    assert table.rows[1] == ("Issue of 2012", "2024 - 2044", "4,250")


def test_what_goes_on_with_the_line_above_is_no_row(view: View) -> None:
    assert the_table(view, 5).rows[1:] == (
        ("Patients with any event", "123 (45.1%)", "98 (39.0%)"),
        ("Bank of Norway", "12", "3"),
        ("State Street", "14 *", "4"),
    )


def test_blanks_within_amounts_part_no_columns(view: View) -> None:
    table = the_table(view, 6)
    assert table.width == 3
    assert table.rows[1] == ("Revenue", "12 345", "11 234")
