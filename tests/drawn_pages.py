"""Small pages drawn for tests of the layout, and read as ingestion does."""

from collections.abc import Callable
from pathlib import Path

import pymupdf
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from pagehop.layout.blocks import Block
from pagehop.layout.regions import LayoutState, read_chunk
from pagehop.reading.pdf_page import read_lines

HIGH = 842.0
REGULAR, BOLD, ITALIC = "Helvetica", "Helvetica-Bold", "Helvetica-Oblique"
PROSE = (
    "The harbour office counted the barges that came down the river in spring and found",
    "more of them than in any year before, which the masters of the northern lock had",
    "expected since the canal was dug out to its old depth for the boats of the guild.",
)
Draw = Callable[[Canvas], None]
Read = Callable[..., list[list[Block]]]


def put(
    sheet: Canvas, x: float, y: float, text: str, font: str = REGULAR, size: float = 10
) -> None:
    """Set a line, its foot at y from the top."""
    sheet.setFont(font, size)
    sheet.drawString(x, HIGH - y, text)


def right(sheet: Canvas, x: float, y: float, text: str, font: str = REGULAR) -> None:
    """Set a line that ends at x."""
    sheet.setFont(font, 10)
    sheet.drawRightString(x, HIGH - y, text)


def prose(sheet: Canvas, y: float, times: int = 1) -> None:
    """Set lines of text from y on."""
    for i, text in enumerate(PROSE * times):
        put(sheet, 60, y + 12 * i, text)


def amounts(sheet: Canvas, y: float, *rows: tuple[str, ...]) -> None:
    """Set labels and amounts, flush right in columns of their own."""
    for i, (label, *values) in enumerate(rows):
        put(sheet, 60, y + 13 * i, label)
        for k, value in enumerate(values):
            right(sheet, 380 + 80 * k, y + 13 * i, value)


def picture(sheet: Canvas, x: float, y: float, wide: float, high: float) -> None:
    """Set a picture, its upper left corner at (x, y)."""
    dots = Image.new("RGB", (40, 40), (60, 90, 130))
    sheet.drawImage(ImageReader(dots), x, HIGH - y - high, wide, high)


def reader(path: Path) -> Read:
    """Give what draws pages into a file and returns their blocks."""

    def read_pages(*draws: Draw) -> list[list[Block]]:
        canvas = Canvas(str(path), pagesize=(595, HIGH), invariant=1)
        for draw in draws:
            draw(canvas)
            canvas.showPage()
        canvas.save()
        with pymupdf.open(path) as document:
            flags = pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_PRESERVE_WHITESPACE
            pages = [read_lines(page, page.number + 1, flags)[1] for page in document]
        return [blocks for _, blocks in read_chunk(pages, LayoutState())]

    return read_pages


def kinds(blocks: list[Block]) -> list[str]:
    """Give the kinds of blocks in reading order."""
    return [block.kind for block in blocks]
