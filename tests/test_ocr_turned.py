"""Scans that lie on their side or stand upside down are read upright; boxes stay where they are."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from pagehop.evaluation.rasters import save_scans, scan_page
from pagehop.reading.ocr_engine import OcrEngine
from pagehop.reading.ocr_rapid import rapidocr_engine
from pagehop.reading.ocr_words import PageScan
from pagehop.reading.parsed import DocumentText, PageText, PdfJob
from pagehop.reading.pdf_pool import PdfPool
from pagehop.settings import OcrSettings
from pagehop.types import FULL_PAGE

pytest.importorskip("rapidocr")

LINES = (
    "The harbour board of Skarvoy met on 9 May 1987.",
    "It agreed that the old lighthouse will be sold",
    "for 48,250 crowns to the Maritime Museum.",
    "The keeper receives a pension of 3,100 crowns",
    "a year, to be paid from January 1988 on.",
)


@pytest.fixture(scope="module")
def pool() -> Iterator[PdfPool]:
    with PdfPool() as made:
        yield made


@pytest.fixture(scope="module")
def sheet(pool: PdfPool, tmp_path_factory: pytest.TempPathFactory) -> Image.Image:
    """The page as a scanner gives it upright, a degree askew."""
    path = tmp_path_factory.mktemp("sheet") / "page.pdf"
    canvas = Canvas(str(path), pagesize=A5)
    canvas.setFont("Helvetica", 12)
    for i, line in enumerate(LINES):
        canvas.drawString(40, 500 - 18 * i, line)
    canvas.save()
    return scan_page(pool, path, 1, dpi=150, skew=1.0)


@pytest.fixture(scope="module")
def engine(pool: PdfPool) -> Iterator[OcrEngine]:
    made = OcrEngine(OcrSettings(), pool)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("turn", "first"),
    [
        (0, (0.10, 0.16)),
        (90, (0.16, 0.90)),
        (180, (0.90, 0.84)),
        (270, (0.84, 0.10)),
    ],
)
def test_a_turned_scan_is_read_upright(
    pool: PdfPool,
    sheet: Image.Image,
    engine: OcrEngine,
    tmp_path: Path,
    turn: int,
    first: tuple[float, float],
) -> None:
    """Turned by `turn` degrees counter-clockwise; `first` is where its first word then stands.

    Upside down and on its side, such a page gave rubbish or nothing before.
    """
    path = tmp_path / "scan.pdf"
    save_scans([sheet.rotate(turn, expand=True)], path, dpi=150)
    scan = engine.read(PdfJob(path), PageScan(1, (FULL_PAGE,)))
    ((_, text),) = pool.texts([PdfJob(path, scans=(scan,))])
    assert isinstance(text, DocumentText)
    page: PageText = text.pages[0]
    assert page.text.split("\n") == list(LINES)
    x0, y0, x1, y1 = (page.boxes[0] / 65535).tolist()
    assert x0 - 0.03 < first[0] < x1 + 0.03 and y0 - 0.03 < first[1] < y1 + 0.03


def test_a_drawing_without_words_is_read_as_nothing() -> None:
    picture = Image.new("RGB", (400, 300), "white")
    pen = ImageDraw.Draw(picture)
    random = np.random.default_rng(0)
    for _ in range(3):
        x, y = (int(random.integers(20, most)) for most in (300, 240))
        pen.line([x, y, x + 60, y + 4], fill="black", width=3)
        pen.ellipse([x, y + 20, x + 30, y + 30], fill="gray")
    engine = rapidocr_engine("", 1)
    assert all(
        word[4].strip() for _, _, letters in engine(np.asarray(picture), 150) for word in letters
    )


def test_lines_read_at_once_are_those_read_one_by_one(sheet: Image.Image) -> None:
    picture = np.asarray(sheet.convert("RGB"))
    alone, together = (rapidocr_engine("", threads)(picture, 150) for threads in (1, 4))
    assert together == alone
    assert [text for _, text, _ in together] == list(LINES)


def test_a_picture_without_lines_is_read_as_nothing_at_once() -> None:
    assert rapidocr_engine("", 4)(np.full((300, 200, 3), 255, np.uint8), 150) == []
