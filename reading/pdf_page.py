"""What the engine's page objects say, as plain values: words, type, links, outline.

Imports no engine: `pdf_worker` hands its objects in. Boxes are points of the page as displayed,
rotation and crop box taken into account, until they leave as fractions.
"""

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from pagehop.layout.orientation import (
    is_upside_down,
    reading_turn,
    turned,
    turned_size,
    turned_words,
)
from pagehop.layout.page_lines import PageLines, Style, fractions, page_lines
from pagehop.layout.page_marks import Marks, read_marks
from pagehop.layout.reading_order import read_rows
from pagehop.layout.rows import RawWord, Row
from pagehop.reading.ocr_areas import is_garbage
from pagehop.reading.ocr_words import PageScan, is_ocr, merged, type_sizes

MAX_LINKS = 300
"""Internal links of one page; more are an index or a forgery."""
_PICTURES = 4
"""The text flag that keeps images."""
_BOLD = 16
_ITALIC = 2
"""Bits of a span's flags, the same in all versions of the engine."""
_SPACES = "\u0085\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""Further characters that part words, so that `str.split` agrees with the boxes."""
_DROPPED = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_ODD = re.compile(f"[{_SPACES}\\ud800-\\udfff\u00ad\u200b\u200c\u200d\u2060\ufeff]")


def read_label(page: Any) -> str:
    """Give the label that the file has for a page; some engines leave its prefix in hex."""
    label = str(page.get_label())
    coded = re.match(r"<(?:FEFF)?((?:[0-9A-Fa-f]{2})+)>", label)
    if not coded:
        return label
    wide = label.upper().startswith("<FEFF")
    prefix = bytes.fromhex(coded[1]).decode("utf-16-be" if wide else "latin-1", errors="replace")
    return prefix + label[coded.end() :]


def read_outline(document: Any) -> list[tuple[int, str, int]]:
    """Give level, title and page of each entry that leads to a page."""
    try:
        entries = document.get_toc(simple=True)
    except (RuntimeError, ValueError):
        return []
    return [
        (level, " ".join(title.split()), page)
        for level, title, page in entries
        if 1 <= page <= len(document) and title.strip()
    ]


def read_words(textpage: Any, page: Any) -> list[RawWord]:
    """Give the words of a page, boxes in points of the page as displayed."""
    words: list[RawWord] = textpage.extractWORDS()
    if any(_ODD.search(word[4]) for word in words if not word[4].isascii()):
        # With delimiters it is ten times slower, and nothing may come out empty or not as UTF-8.
        plain = [(w, _plain(w[4])) for w in textpage.extractWORDS(_SPACES)]
        words = [(*w[:4], text, *w[5:]) for w, text in plain if text]
    return [_turn(word, page.rotation_matrix) for word in words] if page.rotation else words


def _turn(word: RawWord, matrix: Sequence[float]) -> RawWord:
    """Move a word from the page as drawn to the page as displayed."""
    a, b, c, d, e, f = matrix
    x0, y0, x1, y1 = word[:4]
    xs, ys = (a * x0 + c * y0 + e, a * x1 + c * y1 + e), (b * x0 + d * y0 + f, b * x1 + d * y1 + f)
    return (min(xs), min(ys), max(xs), max(ys), *word[4:])


def _plain(text: str) -> str:
    hyphen = "-" if text.endswith("\u00ad") else ""
    return (text.translate(_DROPPED) + hyphen).encode(errors="replace").decode()


def outermost_lines(rows: list[Row]) -> list[str]:
    """Give the two lines nearest to the page's head, and the two nearest to its foot."""
    ordered = sorted(rows, key=lambda row: row.words[0][1])
    return [_row_text(row) for row in ordered[:2] + ordered[2:][-2:]]


def _row_text(row: Row) -> str:
    return " ".join([word[4] for word in row.words])


def spell_rows(
    rows: list[Row], width_pt: float, height_pt: float, turn: int = 0
) -> tuple[str, bytes]:
    """Join rows to text, and their boxes to (n_words, 4) uint16 bytes.

    Args:
        rows: In reading order.
        width_pt: Of the page as displayed.
        height_pt: Of the page as displayed.
        turn: How far the page was turned to be read; boxes are turned back.
    """
    if not rows:
        return "", b""
    text = "\n".join([_row_text(row) for row in rows])
    upright = turned_size((width_pt, height_pt), turn)
    words = [w[:4] for row in rows for w in row.words]
    if turn:
        words = [turned(box, -turn % 360, upright) for box in words]
    boxes = np.array(words)  # (n_words, 4)
    boxes *= 65535 / np.array([width_pt, height_pt, width_pt, height_pt])
    return text, boxes.round().clip(0, 65535).astype(np.uint16).tobytes()


def read_lines(
    page: Any, number: int, flags: int, scan: PageScan | None = None
) -> tuple[list[RawWord], PageLines]:
    """Read words and their type from one pass over the page.

    Args:
        page: Of the engine.
        number: 1-based.
        flags: The engine's text flags.
        scan: What OCR read on the page.
    """
    textpage = page.get_textpage(flags=flags)
    words = read_words(textpage, page)
    worded = {(word[5], word[6]) for word in words}
    styles = {
        (block["number"], i): _style(line["spans"])
        for block in textpage.extractDICT()["blocks"]
        for i, line in enumerate(block["lines"])
        if (block["number"], i) in worded
    }
    size = page.rect.width, page.rect.height
    words = merged([] if is_garbage(words) else words, scan, *size)
    marks = _marks(page, size, flags)
    turn = page_turn(words, scan)
    styles |= type_sizes(turned_words(words, turn, size))
    if turn:
        marks = marks.turned(turn, size)
    upright = turned_size(size, turn)
    rows = read_rows(turned_words(words, turn, size), upright[0])
    lines = page_lines(number, upright, rows, styles, marks)
    lines.turn = turn
    return words, lines


def page_turn(words: list[RawWord], scan: PageScan | None) -> int:
    """Return how far a page is turned to be read; only a scan may be upside down."""
    turn = reading_turn(words)
    if not turn and scan is not None and scan.areas:
        return 180 if is_upside_down([word for word in words if is_ocr(word)]) else 0
    return turn


def read_page_rows(
    words: list[RawWord], size_pt: tuple[float, float], scan: PageScan | None = None
) -> tuple[list[Row], int]:
    """Order the words of a page, turned upright when its type runs up or down, and say how far."""
    turn = page_turn(words, scan)
    upright = turned_size(size_pt, turn)
    return read_rows(turned_words(words, turn, size_pt), upright[0]), turn


def _marks(page: Any, size_pt: tuple[float, float], flags: int) -> Marks:
    """Read what is drawn; a page whose drawings the engine refuses has its type only."""
    turn = page.rotation_matrix if page.rotation else None
    try:
        textpage = page.get_textpage(flags=flags | _PICTURES)
        pictures = [image["bbox"] for image in textpage.extractIMGINFO()]
        if turn is not None:
            pictures = [_turn((*box, "", 0, 0, 0), turn)[:4] for box in pictures]
        return read_marks(page.get_cdrawings(), pictures, size_pt, turn)
    except (RuntimeError, ValueError, KeyError, TypeError):
        return Marks()


def _style(spans: list[dict[str, Any]]) -> Style:
    """Give size, bold, italic of a line; the size of its capitals when it is set in small ones."""
    if len(spans) == 1:
        span = spans[0]
        return _type(span["size"], span["font"], span["flags"])
    letters = [len(span["text"].strip()) for span in spans]
    much = 0.3 * sum(letters)
    # Marks of notes may outnumber the letters of a short last line.
    main = max(
        zip(spans, letters, strict=True), key=lambda s: (s[1] >= much, round(s[0]["size"]), s[1])
    )[0]
    size = main["size"]
    if main["text"].isupper():
        by_size: dict[float, int] = {}
        for span, count in zip(spans, letters, strict=True):
            by_size[span["size"]] = by_size.get(span["size"], 0) + count
        enough = 0.08 * sum(letters)
        size = max([size, *(s for s, count in by_size.items() if count >= enough)])
    return _type(size, main["font"], main["flags"])


@lru_cache(maxsize=4096)
def _type(size: float, font: str, flags: int) -> Style:
    font = font.lower()
    bold = bool(flags & _BOLD) or "bold" in font or "black" in font
    italic = bool(flags & _ITALIC) or "italic" in font or "oblique" in font
    return round(size, 1), bold, italic


def read_links(document: Any, page: Any, number: int, words: list[RawWord]) -> list[Any]:
    """Give internal links: page, box, target page, height on it, the words under the link."""
    width, height = page.rect.width, page.rect.height
    found: list[Any] = []
    link = page.first_link
    while link is not None and len(found) < MAX_LINKS:
        if (link.uri or "").startswith("#"):
            target, top = _target(document, link.uri, height)
            x0, y0, x1, y1 = link.rect
            under = [
                w[4]
                for w in words
                if x0 <= (w[0] + w[2]) / 2 <= x1 and y0 <= (w[1] + w[3]) / 2 <= y1
            ]
            if 1 <= target <= len(document) and under:
                box = fractions((x0, y0, x1, y1), width, height)
                found.append((number, box, target, top, " ".join(under)))
        link = link.next
    return found


def _target(document: Any, uri: str, height: float) -> tuple[int, float]:
    """Return the page that a link leads to, 0 for none, and how far down, 0 to 1.

    Pages are taken to be of one height: opening each target would cost more than it tells.
    """
    try:
        target = document.resolve_link(uri)
    except (RuntimeError, ValueError):
        return 0, 0.0
    page, _, top = target if isinstance(target, tuple) and len(target) == 3 else (-1, 0, 0)
    down = top / height if isinstance(top, float) and height > 0 else 0.0
    down = min(max(down, 0.0), 1.0) if math.isfinite(down) else 0.0
    return (int(page) + 1, down) if isinstance(page, int) else (0, 0.0)
