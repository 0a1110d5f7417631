"""PDF workers: what they read."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from made_pdfs import (
    WORDS,
    draw,
    picture_page,
)
from pagehop.reading.pdf_pool import PdfPool
from pagehop.settings import IngestSettings
from read_pdfs import cut, read


@pytest.fixture(scope="module")
def pool() -> Iterator[PdfPool]:
    with PdfPool(IngestSettings(workers=2)) as pool:
        yield pool


def test_blank_pages_do_not_fail_a_document(pool: PdfPool, tmp_path: Path) -> None:
    document = read(pool, draw(tmp_path / "some.pdf", "", WORDS, ""))
    assert [page.text for page in document.pages] == ["", WORDS, ""]
    assert not any(page.damaged or page.scanned for page in document.pages)
    assert document.warnings == ()


def test_a_page_that_is_a_picture_is_flagged_as_scanned(pool: PdfPool, tmp_path: Path) -> None:
    document = read(pool, picture_page(tmp_path / "scan.pdf"))
    assert document.pages[0].scanned
    assert not document.pages[0].damaged


def test_every_word_has_a_box_and_unusual_spaces_part_words(pool: PdfPool, tmp_path: Path) -> None:
    text = "profit\u00a0of 5\u202f%, a\u2003b, c\u00adc"
    page = read(pool, draw(tmp_path / "a.pdf", text, WORDS)).pages[0]
    assert page.text.split() == page.text.split(" ")
    assert page.boxes.shape == (len(page.text.split()), 4)
    assert page.boxes.dtype == np.uint16


def test_outline_links_and_printed_numbers(pool: PdfPool, tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4, invariant=True)
    for number in range(1, 7):
        canvas.drawString(72, 760, "Annual statement of the harbour office")
        canvas.bookmarkPage(f"p{number}")
        canvas.addOutlineEntry(f"Chapter {number}", f"p{number}")
        canvas.drawString(72, 600, f"see chapter {number % 6 + 1} for more")
        canvas.linkRect("", f"p{number % 6 + 1}", (70, 596, 160, 614), relative=0)
        canvas.drawString(290, 40, f"- {number + 10} -")
        canvas.showPage()
    canvas.save()
    document = read(pool, tmp_path / "a.pdf")
    assert [(e.level, e.title, e.page) for e in document.outline][:2] == [
        (1, "Chapter 1", 1),
        (1, "Chapter 2", 2),
    ]
    assert [page.label for page in document.pages] == ["11", "12", "13", "14", "15", "16"]
    reading = cut(pool, tmp_path / "a.pdf")
    assert [(link.page, link.target_page) for link in reading.links] == [
        (n, n % 6 + 1) for n in range(1, 7)
    ]
    assert reading.links[0].words.startswith("see chapter 2")
    kinds = {(region.kind, region.text) for region in reading.regions if region.page == 3}
    assert ("header", "Annual statement of the harbour office") in kinds
    assert ("footer", "- 13 -") in kinds


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_links_of_a_turned_page_have_the_words_under_them(
    pool: PdfPool, tmp_path: Path, rotation: int
) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(500, 500), invariant=True)
    canvas.bookmarkPage("here")
    canvas.drawString(60, 400, "nothing to see")
    canvas.drawString(60, 200, "chapter")
    canvas.linkRect("", "here", (58, 196, 110, 214), relative=0)
    canvas.setPageRotation(rotation)
    canvas.save()
    (link,) = cut(pool, tmp_path / "a.pdf").links
    assert link.words == "chapter"


@pytest.mark.parametrize(
    ("stated", "title"),
    [
        ("Harbour Statistics 2021", "Harbour Statistics 2021"),
        ("Microsoft Word - harbour_v3.doc", "Barges in Spring"),
        ("untitled", "Barges in Spring"),
        ("0000320193-22-000070", "Barges in Spring"),
        ("C:\\Users\\me\\harbour", "Barges in Spring"),
        ("report.indd", "Barges in Spring"),
        ("", "Barges in Spring"),
    ],
)
def test_the_title_is_the_one_a_person_wrote(
    pool: PdfPool, tmp_path: Path, stated: str, title: str
) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4, invariant=True)
    canvas.setTitle(stated)
    canvas.setFont("Helvetica", 24)
    canvas.drawString(72, 700, "Barges in Spring")
    canvas.setFont("Helvetica", 10)
    canvas.drawString(72, 650, WORDS)
    canvas.save()
    assert read(pool, tmp_path / "a.pdf").title == title


def test_regions_are_a_function_of_the_file(pool: PdfPool, tmp_path: Path) -> None:
    path = draw(tmp_path / "a.pdf", WORDS, f"{WORDS} Again.")
    first, second = cut(pool, path), cut(pool, path)
    assert first == second
    ids = [region.id for region in first.regions]
    assert ids[:2] == ["abababababababab-1-0", "abababababababab-1-1"]
    passages = [region for region in first.regions if region.kind == "passage"]
    assert passages[0].parent == "abababababababab-1-0"
    assert passages[0].search_text.startswith("Title\n")
