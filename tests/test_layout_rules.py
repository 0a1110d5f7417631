"""Kinds and bounds of regions on small real pages: each test sets what was once cut wrongly."""

from pathlib import Path

import pytest
from reportlab.lib.colors import Color, black
from reportlab.pdfgen.canvas import Canvas

from drawn_pages import (
    BOLD,
    HIGH,
    ITALIC,
    PROSE,
    REGULAR,
    Draw,
    Read,
    amounts,
    kinds,
    picture,
    prose,
    put,
    reader,
    right,
)
from pagehop.layout.page_lines import Line, item_marker


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reader(tmp_path / "pages.pdf")


def test_amounts_in_brackets_after_a_sign_are_amounts(read: Read) -> None:
    """A last row of such amounts only was left out of its table."""

    def draw(sheet: Canvas) -> None:
        prose(sheet, 100)
        amounts(
            sheet,
            160,
            ("Tolls", "$ 2,686", "$ 2,252"),
            ("Repairs of the lock and of the bridge over it", "$ (620)", "$ (649)"),
        )

    (found,) = read(draw)
    assert kinds(found) == ["text", "table"]
    assert found[1].text.endswith("over it $ (620) $ (649)")


def test_a_total_before_a_head_in_smaller_type_stays_in_its_table(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        for y in (100, 200):
            put(sheet, 320, y, "Less than a year", BOLD, 7)
            put(sheet, 420, y, "A year or more", BOLD, 7)
            rows = ("Tolls", "160", "(31)"), ("Coal", "87", "(20)"), ("Total", "247", "(51)")
            amounts(sheet, y + 16, *rows)

    (found,) = read(draw)
    assert kinds(found) == ["table", "table"]
    assert all(table.text.endswith("Total 247 (51)") for table in found)


def test_rows_in_larger_type_than_their_head_stay_with_it(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        for i, text in enumerate(("To the end", "of the year", "2023")):
            put(sheet, 350, 82 + 9 * i, text, BOLD, 7)
            put(sheet, 430, 82 + 9 * i, text, BOLD, 7)
        put(sheet, 60, 116, "Running costs:")
        amounts(sheet, 130, ("Tolls", "160", "131"), ("Coal", "87", "20"), ("Total", "247", "151"))

    (found,) = read(draw)
    assert kinds(found) == ["table"]
    assert found[0].text.startswith(
        "To the end To the end\nof the year of the year\n2023 2023\nRunning costs:"
    )


def test_a_title_over_the_middle_of_a_table_is_not_its_head(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        sheet.setFont(BOLD, 10)
        sheet.drawCentredString(260, HIGH - 100, "STATEMENT OF TOLLS AND REPAIRS")
        put(sheet, 352, 122, "2023", BOLD)
        put(sheet, 432, 122, "2022", BOLD)
        amounts(sheet, 136, ("Tolls", "160", "131"), ("Coal", "87", "20"), ("Total", "247", "151"))

    (found,) = read(draw)
    assert found[0].kind in ("heading", "title")
    assert found[1].kind == "table"
    assert found[1].text.startswith("2023 2022")


def test_long_cells_of_words_run_over_lines(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        put(sheet, 60, 100, "No.", BOLD)
        put(sheet, 130, 100, "Paper", BOLD)
        for i, number in enumerate(("10.36", "*10.37", "10.38")):
            y = 116 + 40 * i
            put(sheet, 60, y, number)
            for k, line in enumerate(PROSE):
                put(sheet, 130, y + 12 * k, line[:70])

    (found,) = read(draw)
    assert kinds(found) == ["table"]
    (table,) = found
    assert table.cells is not None
    assert [c.text for c in table.cells.cells if c.column == 0] == [
        "No.",
        "10.36",
        "*10.37",
        "10.38",
    ]


def test_a_picture_caption_is_no_head_of_the_table_below(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        picture(sheet, 380, 100, 100, 100)
        sheet.setFont(REGULAR, 10)
        sheet.drawCentredString(430, HIGH - 212, "The lock in 1947")
        rows = (("Built", "1 June 1907"), ("Master", "Lee Fry"), ("Depth", "3.4 m"))
        for i, (label, value) in enumerate(rows):
            put(sheet, 350, 232 + 16 * i, label, BOLD)
            put(sheet, 420, 232 + 16 * i, value)

    (found,) = read(draw)
    assert kinds(found) == ["figure", "caption", "table"]
    assert found[1].text == "The lock in 1947"


def test_notes_below_a_table_are_one_footnote(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        prose(sheet, 100)
        amounts(
            sheet, 160, ("Tolls *", "160", "131"), ("Coal", "87", "20"), ("Total", "247", "151")
        )
        put(sheet, 60, 204, "* Of the northern lock only.", REGULAR, 8)
        put(sheet, 60, 215, "2 Without the boats of the guild.", REGULAR, 8)
        prose(sheet, 260)

    (found,) = read(draw)
    assert kinds(found) == ["text", "table", "footnote", "text"]
    assert found[2].text == "* Of the northern lock only. 2 Without the boats of the guild."


def test_a_running_head_of_two_lines_is_one_region_and_leaves_the_text(read: Read) -> None:
    def page(number: int) -> Draw:
        def draw(sheet: Canvas) -> None:
            put(sheet, 60, 30, "Harbour office and subsidiaries", REGULAR, 8)
            put(sheet, 60, 40, "Notes to the statement", BOLD, 10)
            for i, text in enumerate(PROSE):
                put(sheet, 60, 140 + 12 * i, text[number:])

        return draw

    for found in read(*map(page, range(3))):
        assert kinds(found) == ["header", "text"]
        assert found[0].text == "Harbour office and subsidiaries Notes to the statement"


def test_large_type_on_the_first_page_is_a_title_though_it_runs_on(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        put(sheet, 60, 40, "Annual report of the harbour", BOLD, 16)
        prose(sheet, 140)

    pages = read(*[draw] * 4)
    assert [found[0].kind for found in pages] == ["title", "header", "header", "header"]


def test_the_head_of_a_table_that_goes_on_is_no_running_head(read: Read) -> None:
    def page(place: str) -> Draw:
        def draw(sheet: Canvas) -> None:
            put(sheet, 60, 60, "Lock", BOLD)
            right(sheet, 380, 60, "Tolls", BOLD)
            right(sheet, 460, 60, "Repairs", BOLD)
            rows = ("North", "160", "131"), ("South", "87", "20"), (place, "247", "151")
            amounts(sheet, 74, *rows)

        return draw

    for found in read(*map(page, ("Upper", "Lower", "Old", "New"))):
        assert kinds(found) == ["table"]
        assert found[0].text.startswith("Lock Tolls Repairs")


def test_a_stamp_up_the_margin_is_not_text(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        prose(sheet, 100, 4)
        sheet.saveState()
        sheet.translate(30, 300)
        sheet.rotate(90)
        sheet.setFont(REGULAR, 16)
        sheet.drawString(0, 0, "harbour:1907.1234 [tolls] 18 Oct 1907")
        sheet.restoreState()

    (found,) = read(draw)
    assert kinds(found) == ["header", "text"]


def test_a_heading_above_another_is_a_region_of_its_own(read: Read) -> None:
    """Where a page has few lines, the document's leading tells the gap between them."""

    def draw(sheet: Canvas) -> None:
        put(sheet, 60, 100, "Note 8 - Tolls", BOLD)
        put(sheet, 60, 124, "Boats of the guild", BOLD)
        put(sheet, 60, 148, PROSE[0][:50] + ":")
        amounts(sheet, 180, ("Tolls", "160", "131"), ("Coal", "87", "20"), ("Total", "247", "151"))

    pages = read(lambda sheet: prose(sheet, 100, 12), draw)
    assert kinds(pages[1]) == ["heading", "heading", "text", "table"]


def test_raised_signs_do_not_cut_a_paragraph(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        put(sheet, 60, 112, PROSE[0])
        put(sheet, 60, 124, PROSE[1])
        put(sheet, 60, 136, "They are sent in a set {q")
        put(sheet, 172, 132, "N", ITALIC, 7)
        put(sheet, 170, 139, "i=1", ITALIC, 7)
        put(sheet, 182, 136, "} to the office, which answers each of them in the same week")
        put(sheet, 60, 148, "and keeps a copy of its answer in the book of the northern lock.")

    (found,) = read(draw)
    assert kinds(found) == ["text"]


def test_a_short_last_line_with_marks_of_notes_ends_its_paragraph(read: Read) -> None:
    """More letters of the line stand in the marks than in the text."""

    def draw(sheet: Canvas) -> None:
        for i, text in enumerate((*PROSE[:2], PROSE[2][:-1] + " (v.")):
            put(sheet, 60, 100 + 12 * i, text)
        line = sheet.beginText(60, HIGH - 136)
        line.setFont(REGULAR, 10)
        line.textOut("Guild).")
        line.setFont(REGULAR, 6.5)
        line.setRise(4)
        line.textOut("[48][49][50]")
        sheet.drawText(line)

    (found,) = read(draw)
    assert kinds(found) == ["text"]


def test_a_paragraph_runs_on_below_a_box_beside_it(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        for i in range(6):
            put(sheet, 60, 100 + 12 * i, PROSE[i % 2][:48])
        for i in range(5):
            put(sheet, 390, 103 + 10 * i, PROSE[2][:40], REGULAR, 8)
        for i, text in enumerate(PROSE):
            put(sheet, 60, 172 + 12 * i, text.lower())

    (found,) = read(draw)
    assert [len(block.lines) for block in found] == [9, 5]


def test_a_line_of_text_that_begins_with_a_reference_is_no_item(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        for i, text in enumerate(
            (*PROSE[:2], "[10] counted them again in the autumn, and"[:44], *PROSE)
        ):
            put(sheet, 60, 100 + 12 * i, text)

    (found,) = read(draw)
    assert kinds(found) == ["text"]


def test_numbered_clauses_that_run_back_to_the_margin_are_paragraphs(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        for i, mark in enumerate(("(xxii)", "(xxiii)", "(xxiv)")):
            y = 100 + 60 * i
            put(sheet, 90, y, f"{mark} {PROSE[0][:70]}")
            for k, text in enumerate(PROSE[1:], 1):
                put(sheet, 60, y + 12 * k, text)

    (found,) = read(draw)
    assert kinds(found) == ["text"] * 3


def test_drawn_bullets_mark_the_items_of_a_list(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        prose(sheet, 100)
        for i, text in enumerate(("Barges with grain", "Boats of the guild", "Rafts of timber")):
            put(sheet, 72, 160 + 16 * i, text)
            sheet.rect(62, HIGH - 158 - 16 * i, 3, 3, 0, 1)

    (found,) = read(draw)
    assert kinds(found) == ["text", "list"]
    assert found[1].text == "Barges with grain\nBoats of the guild\nRafts of timber"


def test_entries_under_references_are_one_list_up_to_the_next_heading(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        put(sheet, 60, 80, "On the barges of the river", BOLD, 20)
        prose(sheet, 110, 3)
        put(sheet, 60, 238, "References", BOLD, 13)
        for i in range(3):
            put(
                sheet,
                60,
                256 + 32 * i,
                f"Lee, J.; and Fry, A. 190{i}. On the tolls of the northern",
            )
            put(sheet, 60, 268 + 32 * i, "lock. In Annals of the Harbour.")
        put(sheet, 60, 370, "Annex", BOLD, 13)
        prose(sheet, 396)

    (found,) = read(draw)
    assert kinds(found) == ["title", "text", "heading", "list", "heading", "text"]
    assert found[3].text.count("\n") == 2


def test_a_band_behind_a_heading_is_no_figure(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        sheet.setFillColor(Color(0.1, 0.2, 0.5))
        sheet.rect(50, HIGH - 112, 480, 32, 0, 1)
        sheet.setFillColor(Color(1, 1, 1))
        put(sheet, 60, 103, "Key terms", BOLD, 18)
        sheet.setFillColor(black)
        prose(sheet, 150, 2)

    (found,) = read(draw)
    assert kinds(found) == ["title", "text"]


def test_a_chart_of_bars_that_stand_apart_is_told_by_its_grid_lines(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        prose(sheet, 100)
        sheet.setLineWidth(0.4)
        for i in range(6):
            sheet.line(100 + 60 * i, HIGH - 200, 100 + 60 * i, HIGH - 460)
        sheet.setFillColor(Color(0.2, 0.3, 0.5))
        for i in range(7):
            sheet.rect(100, HIGH - 230 - 34 * i, 30 + 35 * i, 7, 0, 1)

    (found,) = read(draw)
    assert kinds(found) == ["text", "figure"]
    x0, y0, x1, y1 = found[1].box
    assert x1 - x0 > 280
    assert y1 - y0 > 240


def test_an_equation_ends_with_its_number(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        prose(sheet, 100)
        put(sheet, 150, 140, "h = W(a + b) + c,", ITALIC)
        put(sheet, 440, 140, "(6)")
        put(
            sheet,
            60,
            156,
            "where W is wider than the lock of the guild before the canal was dug out.",
        )

    (found,) = read(draw)
    assert kinds(found) == ["text", "formula", "text"]


def test_a_mark_is_written_or_drawn() -> None:
    line = Line([], 0, 0, 0, 9, 9, 9, False, False, "Barges with grain")
    assert item_marker(line) == ""
    line.starts_item = True
    assert item_marker(line) == "\u2022"
