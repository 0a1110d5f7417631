"""Sentences of a page, each with the words it is made of, so that it can be quoted exactly.

Lines of running text are joined into paragraphs and cut at sentence ends. A region of the layout
is a paragraph, and one that stops in the middle of a sentence goes on in the next one (a column or
a line break may stand between); where there is no layout, a wide gap or a new column ends it. A
line that stands alone, such as a list entry or a table line with words in its cells, is a unit of
its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pagehop.finding.periods import find_periods
from pagehop.rules.lines import Line, read_lines, union
from pagehop.types import Box, Kind, Page, PageRef, Word

_MAX_WORDS = 70
_RUNNING = frozenset({"text", "list", "footnote"})
_HEADINGS = 2
"""Innermost headings of a section's path that count."""
_TITLES = frozenset({"title", "heading", "caption"})
_SOURCES = re.compile(
    r"(?:^|> )\s*(?:[\d.]+\s+)?(?:references|bibliography|works cited|literature(?: cited)?)\s*$",
    re.IGNORECASE,
)
_CLOSING = "\"'\u201d\u2019)] "
_PERIOD_WORDS = re.compile(
    r"\b(?:fiscal|years?|quarters?|months?|weeks?|three|nine|twelve|ended|ending|from|through|until|"
    r"january|february|march|april|june|july|august|september|october|november|december)\b",
    re.IGNORECASE,
)
"""Words by which a line only names a period, as the heading of a table does."""
_MARKS = re.compile(r"(?:\[[\w ]{1,4}\])+$")
"""Reference marks behind a sentence's full stop."""
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st jr sr inc corp co ltd llc no nos vs e.g i.e etc al fig figs eq approx "
    "u.s u.k gen sen rep gov jan feb mar apr jun jul aug sep sept oct nov dec vol pp ed est "
    "dept art sec ch".split()
)


@dataclass(frozen=True)
class Sentence:
    """A sentence, or a line that stands alone."""

    ref: PageRef
    text: str
    """The page's words joined by spaces: what may be quoted."""
    box: Box
    index: int
    """Number of its first line on the page."""
    heading: str
    """Its section's headings; the short line above its paragraph where there is no layout."""
    kind: Kind | None = None
    """Of the region it stands in; None without a layout."""


def read_sentences(page: Page, lines: Sequence[Line] | None = None) -> list[Sentence]:
    """Return the sentences of a page in reading order.

    Args:
        page: A page.
        lines: Its lines, when they have been read.
    """
    found: list[Sentence] = []
    paragraph: list[Line] = []
    heading = ""
    before: Line | None = None
    lines = read_lines(page) if lines is None else lines
    for i, line in enumerate(lines):
        if line.kind in ("row", "periods"):
            _flush(page, paragraph, i, heading, found)
            if line.kind == "row":
                heading = heading or line.label
            elif _tells_a_date(line, lines[i + 1 : i + 2]):
                _flush(page, [line], i + 1, heading, found)
            before = line
            continue
        if before is not None and not _goes_on(before, line):
            _flush(page, paragraph, i, heading, found)
            if before.kind in ("label", "header") and not _in_same_table(before, line, heading):
                heading = before.text
        paragraph.append(line)
        before = line
    _flush(page, paragraph, 10_000, heading, found)
    return found


def is_source(text: str, heading: str = "") -> bool:
    """Whether a line is an entry of a list of sources rather than a statement.

    Args:
        text: The line.
        heading: What it stands under.
    """
    lowered = text.lower()
    linked = "http" in lowered or "www." in lowered or "doi:" in lowered or "isbn" in lowered
    named = lowered.startswith(("source:", "sources:")) or _SOURCES.search(heading) is not None
    return linked or named


def _tells_a_date(line: Line, following: Sequence[Line]) -> bool:
    """Whether a line of dates says what was then (`Accepted 3 May`) and heads no table."""
    heads = any(after.kind in ("row", "periods") and after.cells for after in following)
    table = line.region is not None and line.region.kind == "table"
    said = re.findall(r"[^\W\d_]{4,}", _without_periods(line.text))
    return bool(said) and not heads and not table


def _without_periods(text: str) -> str:
    for period in sorted(find_periods(text), key=lambda p: -p.start):
        text = f"{text[: period.start]} {text[period.end :]}"
    return _PERIOD_WORDS.sub(" ", text)


def _goes_on(before: Line, line: Line) -> bool:
    """Whether two lines belong to one paragraph."""
    if before.region is None or line.region is None:
        return not _breaks(before, line)
    if before.region.kind not in _RUNNING or line.region.kind not in _RUNNING:
        same = before.region.id == line.region.id
        return same and (before.region.kind in _TITLES or not _breaks(before, line))
    if before.region.id != line.region.id:
        return line.text[:1].islower() and not _closes(before.text)
    return before.region.kind == "text" or not _breaks(before, line)


def _in_same_table(before: Line, line: Line, heading: str) -> bool:
    """Whether a table's head was met already, so that a line of it heads nothing."""
    table = before.region
    return (
        table is not None
        and table.kind == "table"
        and bool(heading)
        and table.text.startswith(heading)
    )


def _closes(text: str) -> bool:
    return text.rstrip(_CLOSING).endswith((".", "!", "?", ":", ";"))


def _breaks(before: Line, line: Line) -> bool:
    """Whether a paragraph ends between two lines, by their geometry."""
    height = max(before.box[3] - before.box[1], 1e-4)
    size = max(line.box[3] - line.box[1], 1e-4)
    if max(height, size) > 1.2 * min(height, size):
        return True
    gap = line.box[1] - before.box[3]
    if gap > 0.9 * height or gap < -1.5 * height:
        return True
    if any(side.kind == "header" and len(side.segments) > 1 for side in (before, line)):
        return True
    short = before.box[2] < line.box[2] - 0.12
    return short and before.text.rstrip().endswith((".", ":", "?", "!"))


def _flush(
    page: Page, lines: list[Line], next_index: int, heading: str, out: list[Sentence]
) -> None:
    if not lines:
        return
    first_index = next_index - len(lines) if next_index < 10_000 else 0
    words = page.words[lines[0].first_word : lines[-1].last_word + 1]
    region = lines[0].region
    kind = region.kind if region else None
    if region is not None and region.kind in _RUNNING and region.section:
        heading = " > ".join(region.section.split(" > ")[-_HEADINGS:])
    lines.clear()
    start = 0
    for i, word in enumerate(words):
        last = i + 1 == len(words)
        ends = kind not in _TITLES and not last and _ends(word.text, words[i + 1].text)
        if last or ends or i + 1 - start >= _MAX_WORDS:
            part = words[start : i + 1]
            if any(c.isalpha() for w in part for c in w.text):
                index = first_index + part[0].line - words[0].line
                out.append(_sentence(page.ref, part, index, heading, kind))
            start = i + 1


def _sentence(
    ref: PageRef, words: tuple[Word, ...], index: int, heading: str, kind: Kind | None
) -> Sentence:
    text = " ".join(w.text for w in words)
    return Sentence(ref, text, union([w.box for w in words]), index, heading, kind)


def _ends(word: str, following: str) -> bool:
    bare = _MARKS.sub("", word).rstrip("\"'”’)]")  # noqa: RUF001
    if not bare.endswith((".", "!", "?")):
        return False
    if bare.endswith("."):
        stem = bare[:-1].lstrip("(\"'“‘").lower()  # noqa: RUF001
        if stem in _ABBREVIATIONS or (len(stem) == 1 and stem.isalpha()):
            return False
    first = following.lstrip("(\"'“‘[")[:1]  # noqa: RUF001
    return not first or first.isupper() or first.isdigit() or not first.isalnum()
