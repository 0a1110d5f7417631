"""The real Tesseract, where it is installed: a scan read, a language that is missing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from pagehop.errors import ConfigError
from pagehop.evaluation.rasters import count_found, placed_words, save_scans, scan_page
from pagehop.reading.ocr_engine import OcrEngine
from pagehop.reading.ocr_words import PageScan
from pagehop.reading.parsed import DocumentText, PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.settings import OcrSettings
from pagehop.types import FULL_PAGE

pytestmark = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="tesseract is not installed"
)
LINES = (
    "The harbour board of Skarvoy met on 9 May 1987.",
    "It agreed that the old lighthouse will be sold",
    "for 48,250 crowns to the Maritime Museum.",
    "The keeper receives a pension of 3,100 crowns",
    "a year from January 1988 on, and her boat.",
)
SCAN = PageScan(1, (FULL_PAGE,))


@pytest.fixture
def pool() -> Iterator[PdfPool]:
    with PdfPool() as made:
        yield made


def test_tesseract_reads_a_scan_askew_and_says_where_its_words_stand(
    pool: PdfPool, tmp_path: Path
) -> None:
    sheet = Canvas(str(tmp_path / "page.pdf"), pagesize=(420, 300))
    sheet.setFont("Helvetica", 12)
    for i, line in enumerate(LINES):
        sheet.drawString(40, 240 - 20 * i, line)
    sheet.save()
    scan = tmp_path / "scan.pdf"
    save_scans([scan_page(pool, tmp_path / "page.pdf", 1, dpi=200, skew=1.0)], scan, dpi=200)
    engine = OcrEngine(OcrSettings(engine="tesseract"), pool)
    try:
        read = engine.read(PdfJob(scan), SCAN)
    finally:
        engine.close()
    assert not read.failed and read.areas
    assert read.areas[0].angle == pytest.approx(1.0, abs=0.15)
    texts = dict(pool.texts([PdfJob(tmp_path / "page.pdf"), PdfJob(scan, scans=(read,))]))
    original, found = (text for _, text in sorted(texts.items(), key=lambda item: item[0].path))
    assert isinstance(original, DocumentText) and isinstance(found, DocumentText)
    expected = placed_words(original.pages[0], skew=1.0)
    hits, words = count_found(expected, placed_words(found.pages[0]))
    assert words == len(" ".join(LINES).split()) and hits >= 0.95 * words


def test_a_language_without_data_names_what_to_install(pool: PdfPool, tmp_path: Path) -> None:
    sheet = Canvas(str(tmp_path / "page.pdf"))
    sheet.drawString(40, 400, LINES[0])
    sheet.save()
    engine = OcrEngine(OcrSettings(engine="tesseract", language="eng+xyz"), pool)
    with pytest.raises(ConfigError, match="apt-get install tesseract-ocr-xyz"):
        engine.read(PdfJob(tmp_path / "page.pdf"), SCAN)
    engine.close()
