"""What tools add to a table's words: its scale and the head that was read apart from it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pagehop.library.library import Library
from pagehop.tools.keyword_search import keyword_search
from pagehop.tools.passage_text import scale_in


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("Net sales are as follows (in\nmillions):\n2022 2021", "in millions"),
        ("For the whole of the group and all of its parts the results of three years that ended "
         "in March were as follows (dollars in millions):", "dollars in millions"),
        ("(thousands, except per share amounts)\n2009 2008", "thousands, except per share amounts"),
        ("In thousands 2019 2018", "In thousands"),
        ("$ in millions 2016 2015", "$ in millions"),
        ("(In Millions) Oct 1", "In Millions"),
        ("Millions of people (more than ever) came", ""),
        ("We sold more than in the hundreds of millions of units that the whole market took up "
         "in each of the years before.", ""),
    ],
)  # fmt: skip
def test_the_scale_that_a_text_states(text: str, scale: str) -> None:
    assert scale_in(text) == scale


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """A table whose periods stand apart, above a line of text that parts them from its rows."""
    path = tmp_path / "sales.pdf"
    page = Canvas(str(path), pagesize=A4)
    page.setFont("Helvetica", 10)
    page.drawString(
        60, 760, "Sales of the group by region are as follows, for all of its shops (in"
    )
    page.drawString(60, 748, "millions):")
    for row, periods in enumerate((("Three months ended", "Nine months ended"), ("2022", "2023"))):
        for x, text in zip((300, 420), periods, strict=True):
            page.drawString(x, 715 - 12 * row, text)
    page.drawString(60, 680, "Net sales:")
    rows = (("Northern coast", "812", "2,401"), ("Southern coast", "655", "1,938"),
            ("Both coasts", "1,467", "4,339"))  # fmt: skip
    for row, texts in enumerate(rows):
        for x, text in zip((60, 320, 440), texts, strict=True):
            page.drawString(x, 660 - 12 * row, text)
    page.save()
    return path


def test_a_phrase_in_a_table_is_shown_with_whole_rows_and_their_head(
    tmp_path: Path, sales: Path
) -> None:
    """A hit showed 120 characters around a phrase: rows cut in two, and no column had a year."""
    with Library(tmp_path / "library") as library:
        library.add(sales)
        text = str(keyword_search(library.view()).invoke({"query": '"Southern coast"'}))
    assert "Southern coast 655 1,938\n" in text
    assert "Three months ended Nine months ended 2022 2023" in " ".join(text.split())
    assert "in millions" in text


def test_a_phrase_in_a_sentence_is_shown_with_its_passage(
    tmp_path: Path, write_page: Callable[..., None]
) -> None:
    words = "The yard in Bergen built nine ferries. The tenth ferry was sold to Porto in May."
    write_page(tmp_path / "yard.pdf", words)
    with Library(tmp_path / "library") as library:
        library.add(tmp_path / "yard.pdf")
        text = str(keyword_search(library.view()).invoke({"query": '"nine ferries"'}))
    assert words in text
