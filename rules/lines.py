"""Lines of a page with their geometry: segments, number cells, and what kind of line each is.

1. Words of one line are cut into segments where the gap is wider than running text has.
2. Numbers at a line's end, with their signs and units, are its cells; what stands before is its
   label. A line of years or dates alone is a header.
3. The page's regions say where a line stands: running heads and feet are no lines at all, a line
   of running text that happens to end in a number is no row, and a table's line whose numbers stand
   between words is one.

Not covered: tables whose cells wrap over several lines; right-to-left text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from pagehop.finding.periods import find_periods
from pagehop.rules.numbers import Number, parse_cell
from pagehop.types import Box, Page, Region, Word

LineKind = Literal["row", "periods", "header", "label", "prose", "empty"]

_GAP = 0.012
"""Wider than a space in body text, as a share of the page's width."""
_LEADS = "$€£¥(‰"
_BEFORE = frozenset({*"$€£¥(-", "$(", "\N{MINUS SIGN}"})
_FOOTNOTE = re.compile(r"\(\d{1,2}\)")
_FURNITURE = frozenset({"header", "footer"})
_RUNNING = frozenset({"text", "list", "caption", "footnote"})
_TAILS = {")", "%", ")%", "%)", "x", "*", "†", "bps"}


@dataclass(frozen=True)
class Segment:
    """Words of a line without a wide gap between them."""

    text: str
    x0: float
    x1: float


@dataclass(frozen=True)
class Cell:
    """One number of a table line."""

    text: str
    number: Number
    x0: float
    x1: float


@dataclass(frozen=True)
class Line:
    """One line of a page."""

    text: str
    box: Box
    segments: tuple[Segment, ...]
    label: str
    """Words before the first cell."""
    cells: tuple[Cell, ...]
    kind: LineKind
    first_word: int
    """Position of its first word in `page.words`."""
    last_word: int
    region: Region | None = None
    """Where it stands; None where the layout has no region."""


def read_lines(page: Page, regions: Sequence[Region] = ()) -> list[Line]:
    """Cut a page's words into lines, top to bottom in the page's own reading order.

    Args:
        page: A page.
        regions: Its layout; without it every line counts and nothing tells text from tables.
    """
    lines: list[Line] = []
    start = 0
    words = page.words
    for i in range(1, len(words) + 1):
        if i == len(words) or words[i].line != words[start].line:
            lines.append(_line(words[start:i], start))
            start = i
    places = [region for region in regions if region.kind != "passage"]
    placed = [_placed(line, places) for line in lines] if places else lines
    return [line for line in placed if line.region is None or line.region.kind not in _FURNITURE]


def _placed(line: Line, regions: Sequence[Region]) -> Line:
    x, y = (line.box[0] + line.box[2]) / 2, (line.box[1] + line.box[3]) / 2
    at = [r for r in regions if r.box[0] <= x <= r.box[2] and r.box[1] <= y <= r.box[3]]
    if not at:
        return line
    region = min(at, key=lambda r: (r.box[2] - r.box[0]) * (r.box[3] - r.box[1]))
    line = replace(line, region=region)
    if line.kind == "row" and len(line.cells) == 1 and _is_running(region, line):
        return replace(line, kind="prose")
    words = line.kind not in ("row", "periods")
    if region.kind == "table" and words and len(line.segments) > 2:
        return _between_words(line)
    return line


def _is_running(region: Region, line: Line) -> bool:
    """Whether a line is one of several of a paragraph, and its number not set apart."""
    height = max(line.box[3] - line.box[1], 1e-4)
    several = region.box[3] - region.box[1] > 1.8 * height
    apart = line.cells[0].x0 - max((s.x1 for s in line.segments[:-1]), default=0.0)
    alone = line.segments[-1].text == line.cells[0].text and apart > 3 * _GAP
    return region.kind in _RUNNING and several and bool(line.label) and not alone


def _between_words(line: Line) -> Line:
    """Read the numbers of a table line that does not end in one."""
    first, *rest = line.segments
    found = [(s, number) for s in rest if (number := parse_cell(s.text)) is not None]
    if not found or parse_cell(first.text) is not None:
        return line
    cells = tuple(Cell(s.text, number, s.x0, s.x1) for s, number in found)
    label = " ".join(s.text for s in line.segments if s.x1 < cells[0].x0)
    return replace(line, kind="row", label=label, cells=cells)


def union(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around all of them."""
    return (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )


def _line(words: Sequence[Word], start: int) -> Line:
    text = " ".join(w.text for w in words)
    segments = _segments(words)
    split, cells = _cells(words)
    label = " ".join(w.text for w in words[:split]).strip(" .$€£¥…")
    kind = _kind(text, label, cells, segments, split, words)
    box = union([w.box for w in words])
    return Line(text, box, segments, label, cells, kind, start, start + len(words) - 1)


def _segments(words: Sequence[Word]) -> tuple[Segment, ...]:
    groups: list[list[Word]] = [[words[0]]]
    for before, word in pairwise(words):
        if word.box[0] - before.box[2] > _GAP:
            groups.append([word])
        else:
            groups[-1].append(word)
    return tuple(
        Segment(" ".join(w.text for w in g), g[0].box[0], max(w.box[2] for w in g)) for g in groups
    )


def _cells(words: Sequence[Word]) -> tuple[int, tuple[Cell, ...]]:
    """Walk back from the line's end over numbers and their signs; stop at the first other word."""
    cells: list[Cell] = []
    tail: list[Word] = []
    i = len(words)
    while i > 0:
        word = words[i - 1]
        if word.text in _TAILS or (word.text.startswith("(") and word.text.endswith(")") and tail):
            if word.text in _TAILS:
                tail.insert(0, word)
                i -= 1
                continue
        if word.text in _LEADS:
            i -= 1
            continue
        end = [word, *tail]
        lead = _lead(words, i - 1)
        shown = "".join(w.text for w in (*lead, *end))
        # `(1 and 2)` before the cells closes a bracket of the label.
        closes = shown.endswith((".", ",", ";", ":")) or shown.count(")") > shown.count("(")
        number = None if closes else parse_cell(shown)
        if number is None:
            break
        x1 = max(w.box[2] for w in end)
        cells.insert(0, Cell(shown, number, word.box[0], x1))
        tail = []
        i -= 1 + len(lead)
    if i == 0 and len(cells) > 1 and cells[0].number.is_year and not cells[1].number.is_year:
        i, cells = 1, cells[1:]
    while len(cells) > 1 and i > 0 and _is_footnote(cells[0], words[i - 1]):
        i, cells = i + 1, cells[1:]
    return (i, tuple(cells)) if cells else (len(words), ())


def _is_footnote(cell: Cell, before: Word) -> bool:
    """Tell `(1)` behind a label from the value -1."""
    return bool(_FOOTNOTE.fullmatch(cell.text)) and cell.x0 - before.box[2] < _GAP


def _lead(words: Sequence[Word], i: int) -> list[Word]:
    lead: list[Word] = []
    while i > 0 and words[i - 1].text in _BEFORE and len(lead) < 2:
        lead.insert(0, words[i - 1])
        i -= 1
    return lead


def _kind(
    text: str,
    label: str,
    cells: tuple[Cell, ...],
    segments: tuple[Segment, ...],
    split: int,
    words: Sequence[Word],
) -> LineKind:
    if not text.strip():
        return "empty"
    if _all_periods(text, label, cells):
        return "periods"
    if cells and _is_row(label, cells, split, words):
        return "row"
    n_words = len(words)
    if len(segments) >= 2 and n_words <= 6 * len(segments) and not text.rstrip().endswith("."):
        return "header"
    if n_words <= 14 and not text.rstrip().endswith((".", ";", ",")):
        return "header" if segments[0].x0 > 0.42 and n_words <= 8 else "label"
    return "prose"


def _all_periods(text: str, label: str, cells: tuple[Cell, ...]) -> bool:
    """Whether a line holds years or dates and nothing else that counts."""
    if cells and all(c.number.is_year for c in cells):
        return len(label.split()) <= 7 and not (len(cells) == 1 and len(label.split()) > 3)
    if cells or len(text) > 90 or text.rstrip().endswith((".", ",", ";")):
        return False
    covered = sum(len(p.text.split()) for p in find_periods(text))
    return covered >= 0.6 * len(text.split())


def _is_row(label: str, cells: tuple[Cell, ...], split: int, words: Sequence[Word]) -> bool:
    """Tell a table row from a sentence that happens to end in a number: by the gap before it."""
    if not label:
        return len(cells) >= 1
    if len(label.split()) > 22:
        return False
    if len(cells) >= 2:
        return True
    gap = cells[0].x0 - words[split - 1].box[2]
    if len(label.split()) > 8:
        return gap > 4 * _GAP
    return gap > _GAP or "$" in words[split].text
