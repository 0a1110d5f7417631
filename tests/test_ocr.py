"""Scanned pages, read by the packaged engine: search, quotes, boxes, crops, answers.

The library of this file holds a letter of two pages, of which the second is a scan a degree
askew, and minutes whose table is a picture. OCR takes seconds a page, so it is made once.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reportlab.lib.pagesizes import A5
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from typer.testing import CliRunner

import pagehop
from pagehop.evaluation.rasters import count_found, placed_words, scan_page
from pagehop.interfaces.cli import app
from pagehop.library.library import Library
from pagehop.reading.parsed import DocumentText, PageText, PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.settings import load_settings
from pagehop.tools.toolset import toolset
from pagehop.types import PageRef

pytest.importorskip("rapidocr")

LETTER = (
    "The harbour board of Skarvoy met on 9 May 1987.",
    "It agreed that the old lighthouse will be sold",
    "for 48,250 crowns to the Maritime Museum.",
    "The keeper, Ragnhild Tveit, receives a pension",
    "of 3,100 crowns a year from January 1988 on.",
)
TABLE = (("Berth", "Length", "Fee"), ("North", "120 m", "740"), ("South", "85 m", "615"))
SCAN = PageRef("letter", 2)
MIXED = PageRef("minutes", 1)


def write_lines(sheet: Canvas, lines: tuple[str, ...], top: float) -> None:
    sheet.setFont("Helvetica", 11)
    for i, line in enumerate(lines):
        sheet.drawString(40, top - 18 * i, line)


def write_originals(folder: Path) -> None:
    """Write what is scanned: the letter's second page and the table, each a PDF of its own."""
    sheet = Canvas(str(folder / "page.pdf"), pagesize=A5)
    write_lines(sheet, LETTER, 500)
    sheet.save()
    sheet = Canvas(str(folder / "table.pdf"), pagesize=(340, 70))
    sheet.setFont("Helvetica", 12)
    for i, row in enumerate(TABLE):
        for j, cell in enumerate(row):
            sheet.drawString(15 + 110 * j, 50 - 20 * i, cell)
    sheet.save()


def write_documents(folder: Path, page: Image.Image, table: Image.Image) -> None:
    """Write the letter, of a page with text and one without, and the minutes with the table."""
    sheet = Canvas(str(folder / "letter.pdf"), pagesize=A5)
    write_lines(sheet, ("Dear Sir, the decision of the harbour board is enclosed.",), 500)
    sheet.showPage()
    sheet.drawImage(ImageReader(page), 0, 0, *A5)
    sheet.save()
    sheet = Canvas(str(folder / "minutes.pdf"), pagesize=A5)
    above = ("Minutes of the mooring committee", "The fees of the berths are as follows:")
    write_lines(sheet, above, 500)
    sheet.drawImage(ImageReader(table), 40, 380, 340, 70)
    write_lines(sheet, ("They are due in March of each year.",), 350)
    sheet.save()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, PageText]]:
    """The folder of the documents, and the scanned page's text layer before it was scanned."""
    made, folder = tmp_path_factory.mktemp("originals"), tmp_path_factory.mktemp("scans")
    write_originals(made)
    with PdfPool() as pool:
        page = scan_page(pool, made / "page.pdf", 1, dpi=150, skew=1.0)
        table = scan_page(pool, made / "table.pdf", 1, dpi=150, skew=0, noise=0)
        write_documents(folder, page, table)
        ((_, text),) = pool.texts([PdfJob(made / "page.pdf")])
    assert isinstance(text, DocumentText)
    yield folder, text.pages[0]


@pytest.fixture(scope="module")
def library(
    original: tuple[Path, PageText], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAGEHOP_OCR__ENGINE", "rapidocr")
        load_settings.cache_clear()
        with Library(tmp_path_factory.mktemp("library")) as made:
            stages: list[str] = []
            report = made.add(original[0], progress=lambda status: stages.append(status.stage))
            assert not report.failed and not report.warnings, report
            assert "ocr" in stages
            yield made
    load_settings.cache_clear()


def call(library: Library, tool: str, **arguments: object) -> str:
    tools = {t.name: t for t in toolset(library.view(), "text")}
    return str(tools[tool].invoke(arguments))


def test_a_scanned_page_is_found_by_words_and_by_meaning(library: Library) -> None:
    for mode in ("keyword", "semantic"):
        hit = library.search("pension of the keeper of the lighthouse", mode=mode)[0]
        assert (hit.ref, hit.source) == (SCAN, "ocr")
    hits = library.search("enclosed decision")
    assert (hits[0].ref, hits[0].source) == (PageRef("letter", 1), "text")
    assert hits.embedded == 1 and not hits.note


def test_words_of_a_page_scanned_askew_stand_where_they_are_printed(
    library: Library, original: tuple[Path, PageText]
) -> None:
    page = library.view().page(SCAN)
    (text,) = library.view().snapshot.page_texts(page.document, (2,))
    found, words = count_found(placed_words(original[1], skew=1.0), placed_words(text))
    assert words > 30 and found >= 0.93 * words
    assert all(word.ocr for word in page.words)
    level, _ = count_found(placed_words(original[1]), placed_words(text))
    assert level < found, "a degree is more than a quarter of a line at the page's edges"


def test_lines_of_a_page_scanned_askew_keep_their_order(library: Library) -> None:
    assert library.view().page(SCAN).text == "\n".join(LETTER)


def test_a_quote_of_a_scan_has_its_box_and_says_that_ocr_read_it(
    library: Library, original: tuple[Path, PageText]
) -> None:
    located = library.view().locate(SCAN, "sold for 48,250 crowns to the Maritime Museum")
    assert located is not None and located.source == "ocr"
    words = {word.text: word for word in placed_words(original[1], skew=1.0)}
    width, height = original[1].width_pt, original[1].height_pt
    for text in ("sold", "48,250", "Museum."):
        x, y = words[text].x / width, words[text].y / height
        assert located.box[0] < x < located.box[2] and located.box[1] < y < located.box[3]
    assert located.box[3] - located.box[1] < 5 * words["sold"].height / height
    assert library.view().locate(SCAN, "sold for 48,251 crowns") is None


def test_regions_and_passages_of_a_scan_are_marked(library: Library) -> None:
    view = library.view()
    assert {region.source for region in view.regions(SCAN)} == {"ocr"}
    assert {region.source for region in view.regions(PageRef("letter", 1))} == {"text"}
    kinds = {region.source for region in view.regions(MIXED)}
    assert kinds == {"text", "ocr"}


def test_a_picture_of_a_table_is_read_among_the_text_around_it(library: Library) -> None:
    page = library.view().page(MIXED)
    read = [word.text for word in page.words if word.ocr]
    assert read == [piece for row in TABLE for cell in row for piece in cell.split()]
    lines = page.text.split("\n")
    above, due = lines.index("The fees of the berths are as follows:"), len(lines) - 1
    assert above < lines.index("South 85 m 615") < due
    assert lines[due] == "They are due in March of each year."
    hit = library.search("fee of the south berth 85 m", k=1)[0]
    assert hit.ref == MIXED and "615" in hit.text


def test_an_answer_from_a_scan_cites_it_and_shows_it(library: Library) -> None:
    question = "For how many crowns was the lighthouse sold to the Maritime Museum?"
    answer = pagehop.ask(question, library.view())
    assert "48,250" in answer.text
    citation = answer.citations[0]
    assert (citation.ref, citation.source, citation.verified) == (SCAN, "ocr", True)
    assert answer.to_json()["citations"][0]["source"] == "ocr"
    assert pagehop.Answer.from_json(answer.to_json()).citations[0].source == "ocr"
    assert "read by OCR" in answer._repr_html_()
    shades = np.asarray(citation.crop().convert("L"))
    assert 0.01 < (shades < 128).mean() < 0.4, "the crop shows dark words on light paper"


def test_a_reader_without_pictures_gets_the_words_of_a_scan(library: Library) -> None:
    said = call(library, "look", ref="letter:2", y1=0.5)
    assert "Ragnhild Tveit" in said and "read by OCR from a scan" in said
    assert "read by OCR: letters and digits may be wrong" in call(
        library, "read_page", ref="letter:2"
    )
    assert "read by OCR" not in call(library, "read_page", ref="letter:1")
    assert " | read by OCR" in call(library, "keyword_search", query="pension")
    said = call(library, "verify", claim="A pension", quote="receives a pension", ref="letter:2")
    assert said.startswith("VERIFIED") and "read by OCR" in said
    assert "1 scanned page read by OCR" in call(library, "list_documents")


def test_the_state_of_the_scans_is_told(library: Library) -> None:
    status = library.status()
    assert (status.scanned, status.scanned_read, status.complete) == (2, 2, True)
    assert [d.ocr_pages for d in library.documents()] == [(2,), (1,)]
    runner = CliRunner()
    told = runner.invoke(app, ["status", str(library.path)])
    assert "2 of 2 scanned pages read by OCR" in told.output
    told = runner.invoke(app, ["search", str(library.path), "pension of the keeper", "--json"])
    assert json.loads(told.stdout)[0]["source"] == "ocr"


def test_a_document_added_again_is_not_read_again(
    library: Library, original: tuple[Path, PageText]
) -> None:
    document = library.view().document("minutes")
    results = library.path / "sources" / f"{document.id}.ocr"
    before = results.read_bytes()
    library.remove("minutes")
    assert library.status().scanned == 1
    library.add(original[0] / "minutes.pdf")
    assert results.read_bytes() == before
    assert library.search("fee of the south berth", k=1)[0].ref == MIXED


@pytest.mark.slow
def test_the_scanned_page_of_the_examples_answers_its_questions(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAGEHOP_OCR__ENGINE", "rapidocr")
        load_settings.cache_clear()
        examples = Path(__file__).parent.parent / "examples" / "documents"
        with Library(tmp_path) as library:
            library.add(examples / "Audit_Letter_2023.pdf")
            answer = pagehop.ask(
                "How many valve bodies were counted in store 7 on 3 January 2024?", library.view()
            )
    load_settings.cache_clear()
    assert "1,140" in answer.text and answer.citations[0].page == 3
