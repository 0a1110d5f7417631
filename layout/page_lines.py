"""Lines of a page with what geometry and type tell of them; the input of layout and tables."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pagehop.layout.orientation import turned, turned_size
from pagehop.layout.page_marks import Marks
from pagehop.layout.rows import RawWord, Row
from pagehop.types import Box

Style = tuple[float, bool, bool]
"""Type size in points, bold, italic."""

PLAIN: Style = (0.0, False, False)

_NUMBER = re.compile(
    r"[(\[<>~+\-\u2212\u2013\u2014$€£¥]*\s?(?:[A-Z]{2,3}\$? ?)?[(\[\-\u2212\u2013]?"
    r"\d[\d.,]*\s?[)\]%x*†‡]*(?:\(\w\))*"
)
_NOTHING = frozenset(
    {
        "-",
        "--",
        "\u2013",
        "\u2014",
        "\u2212",
        "n/a",
        "n.a.",
        "nm",
        "n.m.",
        "*",
        "$\u2014",
        "\u2014%",
        "\u2013%",
    }
)
_OPENERS = frozenset({"$", "€", "£", "¥", "(", "$("})
_DOTS = frozenset("." * n for n in range(1, 200)) | {"\u2026", "\u2026\u2026"}
_MARKER = re.compile(
    # A bullet of a symbol font may come out as any sign, so any but those that open a text count.
    r"(?:[^\w\s$€£¥\"'\u2018\u201c(\[{%&#@§<+=~/\\]|o"
    r"|\(?(?:\d{1,2}|[a-zA-Z]|[ivxIVX]{1,6})[.)]|\d{3}\.|\[\d{1,3}\])"
)
_CAPTION = re.compile(
    r"(?:Table|TABLE|Figure|FIGURE|Fig\.|FIG\.|Chart|Exhibit|Scheme|Algorithm|Listing|Box)"
    r"\s(?:[A-Z]{0,2}[.-]?\d+(?:[.-]\d+)*[a-z]?|[IVX]+|[A-Z])(?P<end>[:.\u2014\u2013|)]|\s*$|\s)"
)


@dataclass(slots=True)
class Cell:
    """Words of a line without a wide gap between them."""

    x0: float
    x1: float
    text: str
    words: int

    @property
    def is_number(self) -> bool:
        """Whether it is an amount, a percentage, or a dash that stands for none."""
        return bool(_NUMBER.fullmatch(self.text)) or self.text.lower() in _NOTHING


@dataclass(slots=True)
class Line:
    """One visual row of a column; points of the page as displayed."""

    words: list[RawWord]
    column: int
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    bold: bool
    italic: bool
    text: str
    cells: list[Cell] = field(default_factory=list)
    leader: bool = False
    """Dots led from a label to its number, as in a table of contents; they are left out."""
    starts_item: bool = False
    """It opens an item of a list without a mark in its text: one is drawn, or it needs none."""

    @property
    def height(self) -> float:
        """From the top of the highest to the foot of the lowest letter."""
        return self.y1 - self.y0


@dataclass(slots=True)
class PageLines:
    """The lines of one page in reading order."""

    number: int
    width: float
    height: float
    lines: list[Line]
    marks: Marks = field(default_factory=Marks)
    """What is drawn on it."""
    turn: int = 0
    """By how many degrees it was turned clockwise to be read; boxes here are after the turn."""

    def placed(self, box: Box) -> Box:
        """Turn points of the page as read into fractions of the page as displayed."""
        size_pt = self.width, self.height
        back = turned(box, -self.turn % 360, size_pt)
        return fractions(back, *turned_size(size_pt, self.turn))


def page_lines(
    number: int,
    size_pt: tuple[float, float],
    rows: list[Row],
    styles: Mapping[tuple[int, int], Style],
    marks: Marks | None = None,
) -> PageLines:
    """Give rows their type and cells.

    Args:
        number: 1-based.
        size_pt: Width and height of the page as displayed.
        rows: As `read_rows` orders them.
        styles: Of each line of the engine, by block and line number; words of another source
            need none.
        marks: What is drawn on the page.
    """
    lines = [_line(row, styles) for row in rows]
    for dot in marks.dots if marks else ():
        _mark_item(dot, lines)
    return PageLines(number, *size_pt, lines, marks or Marks())


def _mark_item(dot: Box, lines: Sequence[Line]) -> None:
    """Note the line that a drawn bullet stands before."""
    middle = (dot[1] + dot[3]) / 2
    for line in lines:
        if line.y0 < middle < line.y1 and 0 < line.x0 - dot[2] < 2.2 * line.height:
            line.starts_item = True


def fractions(box: Box, width: float, height: float) -> Box:
    """Turn points of a page into fractions of it, five digits long."""
    x0, y0, x1, y1 = box
    sides = x0 / width, y0 / height, x1 / width, y1 / height
    a, b, c, d = (round(min(max(side, 0.0), 1.0), 5) for side in sides)
    return a, b, c, d


def list_marker(text: str) -> str:
    """Return the bullet or number that starts a list item; empty when there is none."""
    first, _, rest = text.partition(" ")
    return first if rest and _MARKER.fullmatch(first) else ""


def item_marker(line: Line) -> str:
    """Return the mark that a line opens a list item with, written or drawn; empty without."""
    return list_marker(line.text) or ("\u2022" if line.starts_item else "")


def is_caption(text: str, *, alone: bool) -> bool:
    """Tell `Table 3: ...` from a sentence that begins `Table 3 shows ...`.

    Args:
        text: The first line or the whole of a paragraph.
        alone: The paragraph is one line, so a caption need not have a colon.
    """
    match = _CAPTION.match(text)
    return bool(match and (match["end"].strip() or (alone and text[-1] not in ".;,")))


def join_hyphens(text: str, vocabulary: Container[str]) -> str:
    """Join words that a line end cut in two.

    Args:
        text: Lines joined by spaces.
        vocabulary: Words of the document in lower case; tells `exam- ple` from `long- term`.
    """

    def join(match: re.Match[str]) -> str:
        first, second = match[1], match[2]
        if second in ("and", "or", "to"):
            return match[0]
        joined, compound = (first + second).lower(), f"{first}-{second}".lower()
        both = first.lower() in vocabulary and second in vocabulary
        split = joined not in vocabulary and (compound in vocabulary or both)
        plain = first.isalpha() and second.islower() and not split
        return first + second if plain else f"{first}-{second}"

    return _CUT_WORD.sub(join, text) if "- " in text else text


_CUT_WORD = re.compile(r"(\w+)- (\w+)")


def whole_words(lines: Iterable[Line]) -> set[str]:
    """Collect the words of lines in lower case, without the halves of words cut at line ends."""
    words: set[str] = set()
    cut = False
    for line in lines:
        texts = [word[4] for word in line.words]
        ends_cut = texts[-1].endswith("-")
        words.update(texts[1 if cut else 0 : len(texts) - ends_cut])
        cut = ends_cut
    return {word.lower().strip(".,;:()") for word in words}


def _line(row: Row, styles: Mapping[tuple[int, int], Style]) -> Line:
    text = " ".join([w[4] for w in row.words])
    leader = ". ." in text or "..." in text or "\u2026" in text
    if leader:
        plain = _without_leaders(row)
        leader, row = plain is not row, plain
        text = " ".join([w[4] for w in row.words])
    words = row.words
    cells = _cells(row)
    letters: dict[Style, int] = {}
    for start, end in pairwise([*row.cells, len(words)]):
        first = words[start]
        style = styles.get((first[5], first[6]), PLAIN)
        letters[style] = letters.get(style, 0) + sum([len(w[4]) for w in words[start:end]])
    style = _main_style(letters) if len(letters) > 1 else next(iter(letters))
    x0, y0, x1, y1 = around(words)
    return Line(words, row.column, x0, y0, x1, y1, *style, text, cells, leader)


def _main_style(letters: Mapping[Style, int]) -> Style:
    """Return the largest type of those that set much of a line: marks of notes are small."""
    much = 0.3 * sum(letters.values())
    return max(letters, key=lambda style: (letters[style] >= much, style[0], letters[style]))


def _without_leaders(row: Row) -> Row:
    """Leave out the dots between a label and its number, which start a new cell."""
    dots = [word[4] in _DOTS for word in row.words]
    if sum(dots) < 4 and not any(
        len(w[4]) > 3 for w, dot in zip(row.words, dots, strict=True) if dot
    ):
        return row
    plain = Row([], row.column)
    for i, word in enumerate(row.words):
        if dots[i]:
            continue
        if i in row.cells or not plain.words or dots[i - 1]:
            plain.cells.append(len(plain.words))
        plain.words.append(word)
    return plain if plain.words else row


def around(words: Iterable[RawWord]) -> Box:
    """Give the smallest box around words, in points."""
    x0, y0, x1, y1, *_ = zip(*words, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _amount_starts(row: Row) -> list[int]:
    """Part `(1,266) $` before a sign that belongs to the amount in the next column."""
    words = row.words
    signs = [i for i in range(1, len(words)) if words[i][4] in _OPENERS]
    more = {i for i in signs if _NUMBER.fullmatch(words[i - 1][4]) or words[i - 1][4] in _NOTHING}
    return sorted({*row.cells, *more}) if more else row.cells


def _cells(row: Row) -> list[Cell]:
    """Part a row at its gaps; a currency sign or bracket belongs to the number after it."""
    starts = [*_amount_starts(row), len(row.words)]
    cells: list[Cell] = []
    for start, end in pairwise(starts):
        part = row.words[start:end]
        text = " ".join([w[4] for w in part])
        cell = Cell(part[0][0], part[-1][2], text, len(part))
        if cells and cells[-1].text in _OPENERS and cell.is_number:
            last = cells[-1]
            cells[-1] = Cell(last.x0, cell.x1, f"{last.text} {text}", last.words + len(part))
        else:
            cells.append(cell)
    return cells
