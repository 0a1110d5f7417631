"""Sentences of a page, each with the words it is made of, so that it can be quoted exactly.

Lines of running text are joined into paragraphs (a wide gap, a table row or a new column ends
one) and cut at sentence ends. A line that stands alone, such as a list entry or a table line with
words in its cells, is a unit of its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pagehop.agents.lines import Line, read_lines, union
from pagehop.types import Box, Page, PageRef, Word

_MAX_WORDS = 70
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
    """The short line above its paragraph, if there is one."""


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
    for i, line in enumerate(read_lines(page) if lines is None else lines):
        if line.kind in ("row", "periods"):
            _flush(page, paragraph, i, heading, found)
            if line.kind == "row":
                heading = heading or line.label
            before = line
            continue
        if before is not None and _breaks(before, line):
            _flush(page, paragraph, i, heading, found)
            if before.kind in ("label", "header"):
                heading = before.text
        paragraph.append(line)
        before = line
    _flush(page, paragraph, 10_000, heading, found)
    return found


def is_source(text: str) -> bool:
    """Whether a sentence is an entry of a list of sources rather than a statement."""
    lowered = text.lower()
    return "http" in lowered or "www." in lowered or "doi:" in lowered or "isbn" in lowered


def _breaks(before: Line, line: Line) -> bool:
    """Whether a paragraph ends between two lines."""
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
    lines.clear()
    start = 0
    for i, word in enumerate(words):
        last = i + 1 == len(words)
        if last or _ends(word.text, words[i + 1].text) or i + 1 - start >= _MAX_WORDS:
            part = words[start : i + 1]
            if any(c.isalpha() for w in part for c in w.text):
                index = first_index + part[0].line - words[0].line
                out.append(_sentence(page.ref, part, index, heading))
            start = i + 1


def _sentence(ref: PageRef, words: tuple[Word, ...], index: int, heading: str) -> Sentence:
    text = " ".join(w.text for w in words)
    return Sentence(ref, text, union([w.box for w in words]), index, heading)


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
