"""A quoted row of a table says what its columns are; documents are called by file name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

import pagehop
from pagehop.answers import Answer
from pagehop.library.library import Library
from pagehop.rules.figures import names_column
from pagehop.rules.question import read_question
from pagehop.rules.scope import read_profiles, read_scope

SCORES = {
    "2104.00731": (("Tagger", "81.4", "79.9", "80.6"), ("Parser", "83.0", "80.2", "81.6")),
    "2209.11840": (("Tagger", "61.4", "59.9", "60.6"), ("Parser", "63.0", "66.2", "64.6")),
}


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Two papers with a number for a name and the same table, and a file with a word for one."""
    folder: Path = tmp_path_factory.mktemp("papers")
    for name, rows in SCORES.items():
        sheet = Canvas(str(folder / f"{name}.pdf"), pagesize=(595, 842))
        sheet.setFont("Helvetica", 10)
        sheet.drawString(60, 780, "We tag harbour logs with two systems and report scores.")
        for i, row in enumerate((("System", "Prec", "Rec", "F1"), *rows)):
            for x, word in zip((60, 180, 260, 340), row, strict=True):
                sheet.drawString(x, 740 - 16 * i, word)
        sheet.drawString(60, 660, "Table 1: Scores of the systems on harbour logs.")
        sheet.save()
    sheet = Canvas(str(folder / "fy2020.pdf"), pagesize=(595, 842))
    sheet.drawString(60, 780, "The town budget counts harbours, not logs.")
    sheet.save()
    with Library(folder) as library:
        library.add(folder)
        yield library


def asked(library: Library, question: str) -> Answer:
    return pagehop.ask(question, library)


@pytest.mark.parametrize(
    ("question", "told", "document"),
    [
        ("What is the F1 of the Tagger in 2104.00731?", "80.6", "2104.00731.pdf"),
        ("What is the F1 of the Tagger in 2209.11840?", "60.6", "2209.11840.pdf"),
        ("What recall does the Parser reach in 2104.00731.pdf?", "80.2", "2104.00731.pdf"),
        ("What precision does the Parser reach in 2209.11840.pdf?", "63.0", "2209.11840.pdf"),
    ],
)
def test_the_cell_under_the_heading_that_is_asked_for_is_told(
    papers: Library, question: str, told: str, document: str
) -> None:
    answer = asked(papers, question)
    assert answer.text.startswith(told), answer.text
    assert answer.citations[0].document == document


def test_a_row_whose_columns_are_not_asked_for_is_told_with_its_headings(papers: Library) -> None:
    answer = asked(papers, "How well does the Parser do in 2104.00731?")
    assert "Prec 83.0, Rec 80.2, F1 81.6" in answer.text


@pytest.mark.parametrize(
    ("question", "documents"),
    [
        ("What is said in 2104.00731?", ("2104.00731",)),
        ("Compare 2104.00731.pdf with 2209.11840.PDF.", ("2104.00731", "2209.11840")),
        ("Was 12104.00731 or 2104.007315 reached?", ()),
        ("How many logs were tagged in fy2020?", ()),
        ("How many logs were tagged according to fy2020.pdf?", ("fy2020",)),
    ],
)
def test_a_document_called_by_its_file_name_is_meant(
    papers: Library, question: str, documents: tuple[str, ...]
) -> None:
    view, read = papers.view(), read_question(question)
    assert read_scope(view, read, read_profiles(view, read)).documents == documents


def test_a_heading_is_named_in_whole_or_cut_short() -> None:
    assert names_column("Rec", {"recal"}) and names_column("F1", {"f1"})
    assert names_column("Avg. precision", {"averag"})
    assert not names_column("Rec", {"precis"}) and not names_column("", {"recal"})
    assert not names_column("Mar", {"market"}) and not names_column("P", {"precis"})
