"""Draw docs/img/answer.png, the picture of the README, from a real run over the examples.

Left, the page of the first citation with what is cited on it marked; right, the question, the
answer and the crops of the citations. All is drawn at twice the size and scaled down at the end.

    python docs/img/make.py [--question "..."] [--out FILE] [--library FOLDER]
"""

import argparse
import tempfile
import textwrap
from pathlib import Path

import reportlab
from PIL import Image, ImageDraw, ImageFont

import pagehop
from pagehop.answers import Answer, Citation
from pagehop.interfaces.demo import QUESTIONS, find_examples
from pagehop.library.view import View
from pagehop.show import lines_of, mark, picture
from pagehop.types import FULL_PAGE

SCALE = 2
WIDTH, MARGIN, GAP, PAGE_WIDTH = 1600 * SCALE, 36 * SCALE, 44 * SCALE, 560 * SCALE
COLUMN_X = MARGIN + PAGE_WIDTH + GAP
COLUMN = WIDTH - COLUMN_X - MARGIN
SHOWN = 3
"""Most citations shown."""
INK, SOFT, LINE, PAPER, ACCENT = "#1d2b33", "#66757d", "#c3ccd1", "#f3f5f6", "#d65a00"
FONTS = Path(reportlab.__file__).parent / "fonts"


def draw_answer(answer: Answer, view: View) -> Image.Image:
    """Lay out a page, the question, the answer and the crops of its citations."""
    sheet = Image.new("RGB", (WIDTH, 3 * WIDTH), PAPER)
    pen = ImageDraw.Draw(sheet)
    page = _page(answer, view)
    _framed(sheet, page, MARGIN, MARGIN)
    first = answer.citations[0]
    under = MARGIN + page.height + 8 * SCALE
    low = _write(pen, MARGIN, under, f"{first.document}, page {first.page}", font(15), SOFT)
    y = _write(pen, COLUMN_X, MARGIN, answer.question, font(25, bold=True), INK) + 12 * SCALE
    y = _write(pen, COLUMN_X, y, answer.text, font(21), INK) + 20 * SCALE
    for number, citation in enumerate(answer.citations[:SHOWN], start=1):
        y = _write(pen, COLUMN_X, y, _caption(number, citation), font(16), SOFT) + 6 * SCALE
        crop = picture(citation, marked=True, width_px=COLUMN)
        crop = crop.resize((COLUMN, round(crop.height * COLUMN / crop.width)))
        _framed(sheet, crop, COLUMN_X, y)
        if number == 1:
            _join(pen, page, citation, y, crop.height)
        y += crop.height + 22 * SCALE
    height = max(y - 22 * SCALE, low) + MARGIN
    whole = sheet.crop((0, 0, WIDTH, height))
    size = (WIDTH // SCALE, height // SCALE)
    return whole.resize(size, Image.Resampling.LANCZOS)


def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return Bitstream Vera, which comes with reportlab, so that any machine draws the same."""
    return ImageFont.truetype(str(FONTS / ("VeraBd.ttf" if bold else "Vera.ttf")), size * SCALE)


def _page(answer: Answer, view: View) -> Image.Image:
    """Render the page of the first citation with all that is cited on it marked."""
    first = answer.citations[0]
    page = view.crop(first.ref, max_pixels=4_000_000).convert("RGB")
    for citation in answer.citations[:SHOWN]:
        if citation.ref == first.ref:
            page = mark(page, lines_of(citation), FULL_PAGE)
    height = round(page.height * PAGE_WIDTH / page.width)
    return page.resize((PAGE_WIDTH, height), Image.Resampling.LANCZOS)


def _framed(sheet: Image.Image, part: Image.Image, x: int, y: int) -> None:
    pen = ImageDraw.Draw(sheet)
    pen.rectangle(
        (x - SCALE, y - SCALE, x + part.width, y + part.height), outline=LINE, width=SCALE
    )
    sheet.paste(part, (x, y))


def _join(
    pen: ImageDraw.ImageDraw, page: Image.Image, citation: Citation, y: int, height: int
) -> None:
    """Draw two thin lines from the cited box on the page to its crop."""
    right = MARGIN + round(citation.box[2] * PAGE_WIDTH) + 5 * SCALE
    for edge, end in ((citation.box[1], y), (citation.box[3], y + height)):
        start = (right, MARGIN + round(edge * page.height))
        pen.line((*start, COLUMN_X - SCALE, end), fill=ACCENT, width=SCALE)


def _caption(number: int, citation: Citation) -> str:
    box = ", ".join(f"{edge:.3f}" for edge in citation.box)
    state = "quote found on the page" if citation.verified else "not verified"
    return f"[{number}] {citation.ref}   box {box}   {state}"


def _write(
    pen: ImageDraw.ImageDraw, x: int, y: int, words: str, face: ImageFont.FreeTypeFont, fill: str
) -> int:
    """Write words, wrapped to the column, and return where they end."""
    chars = int(COLUMN / face.getlength("an average line of text") * 23)
    for line in textwrap.wrap(words, chars):
        pen.text((x, y), line, font=face, fill=fill)
        y += round(face.size * 1.45)
    return y


def main() -> None:
    """Ask, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--question", default=QUESTIONS[-1])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "answer.png")
    parser.add_argument("--library", type=Path, help="Where to keep the library; else it goes.")
    arguments = parser.parse_args()
    documents = find_examples()
    if documents is None:
        raise SystemExit("run this inside a clone: the example documents are missing")
    with tempfile.TemporaryDirectory() as folder:
        with pagehop.Library(arguments.library or folder) as library:
            library.add(documents)
            answer = pagehop.ask(arguments.question, library, record=False)
            if not answer.citations:
                raise SystemExit(f"nothing to draw: {answer.status}: {answer.text}")
            drawn = draw_answer(answer, library.view())
    drawn.quantize(160, dither=Image.Dither.NONE).save(arguments.out, optimize=True)
    print(f"{arguments.out}: {drawn.size}, {arguments.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
