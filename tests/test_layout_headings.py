"""Headings that are set like the text, and charts' own titles."""

from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from drawn_pages import BOLD, HIGH, ITALIC, PROSE, Read, kinds, prose, put, reader


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return reader(tmp_path / "pages.pdf")


def indented(sheet: Canvas, y: float) -> None:
    """Set a paragraph whose first line is indented."""
    put(sheet, 70, y, PROSE[0][:70])
    for i, text in enumerate(PROSE[1:]):
        put(sheet, 60, y + 12 * (i + 1), text)


def underline(sheet: Canvas, x: float, y: float, text: str) -> None:
    put(sheet, x, y, text)
    sheet.line(x, HIGH - y - 1, x + sheet.stringWidth(text), HIGH - y - 1)


def test_a_lettered_heading_over_an_indented_paragraph_is_a_heading(read: Read) -> None:
    """It was a list whose item ran into the paragraph."""

    def draw(sheet: Canvas) -> None:
        prose(sheet, 100)
        put(sheet, 60, 144, "A. Barges")
        indented(sheet, 159)
        put(sheet, 240, 207, "IV. Locks")
        indented(sheet, 223)

    (found,) = read(draw)
    assert kinds(found) == ["text", "heading", "text", "heading", "text"]
    assert [found[i].text for i in (1, 3)] == ["A. Barges", "IV. Locks"]
    assert found[4].section == "IV. Locks"


def test_items_of_a_list_over_a_paragraph_are_no_headings(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        prose(sheet, 100)
        for i, item in enumerate(("A. Barges", "B. Locks", "C. Boats of the guild")):
            put(sheet, 60, 150 + 14 * i, item)
        prose(sheet, 200)

    (found,) = read(draw)
    assert kinds(found) == ["text", "list", "text"]


def test_an_underlined_line_over_a_paragraph_is_a_heading(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        prose(sheet, 100)
        underline(sheet, 60, 150, "Tolls of the northern lock")
        prose(sheet, 170)
        put(sheet, 60, 230, "Signed by the keeper")
        sheet.line(60, HIGH - 231, 400, HIGH - 231)  # a field to fill in
        prose(sheet, 260)
        underline(sheet, 60, 310, "A line of its own at the end")

    (found,) = read(draw)
    assert kinds(found) == ["text", "heading", "text", "text", "text", "text"]
    assert found[1].text == "Tolls of the northern lock"


def test_a_heading_in_italics_may_begin_with_a_year(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        prose(sheet, 100)
        put(sheet, 60, 150, "2018 Plan", ITALIC)
        prose(sheet, 172)
        put(sheet, 60, 222, "109. Ward, A., Leaving the Lock", ITALIC)
        prose(sheet, 244)

    (found,) = read(draw)
    assert kinds(found) == ["text", "heading", "text", "list", "text"]


def bars(sheet: Canvas, top: float) -> None:
    """Draw a chart between x = 100 and x = 400."""
    sheet.setFillColorRGB(0.2, 0.3, 0.6)
    for i, high in enumerate((60, 90, 40, 75, 110, 50)):
        sheet.rect(100 + 50 * i, HIGH - top - 120, 50, high, fill=1, stroke=0)
    sheet.setFillColorRGB(0, 0, 0)


def middle(sheet: Canvas, y: float, text: str, font: str = "Helvetica") -> None:
    sheet.setFont(font, 10)
    sheet.drawCentredString(250, HIGH - y, text)


def test_the_title_of_a_chart_belongs_to_it(read: Read) -> None:
    """It was a text, or a heading of what follows."""

    def draw(sheet: Canvas) -> None:
        prose(sheet, 100)
        middle(sheet, 190, "Barges and boats at the lock", BOLD)
        middle(sheet, 203, "in thousands")
        bars(sheet, 200)
        prose(sheet, 400)

    (found,) = read(draw)
    assert kinds(found) == ["text", "figure", "text"]
    assert found[1].text == "Barges and boats at the lock\nin thousands"


def test_a_caption_or_a_paragraph_above_a_chart_is_not_its_title(read: Read) -> None:
    def draw(sheet: Canvas) -> None:
        middle(sheet, 190, "Figure 2: Barges at the lock")
        middle(sheet, 202, "in the spring of the year")
        bars(sheet, 200)
        prose(sheet, 496)
        middle(sheet, 532, "which none of them had seen")
        bars(sheet, 530)

    (found,) = read(draw)
    assert [block.text for block in found if block.kind == "figure"] == ["", ""]
    assert found[0].kind == "caption" and found[0].text.endswith("in the spring of the year")
