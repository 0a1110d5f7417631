"""Which paragraphs are headings: by their type, by a line drawn under them, by number and place."""

from collections.abc import Sequence
from dataclasses import dataclass

from pagehop.layout.heading_paths import NUMBERED
from pagehop.layout.page_lines import Line, item_marker
from pagehop.types import Box

_SIZE_STEP = 1.12
"""A heading is set this much larger than the text; smaller steps are scaling noise."""
_MOST_WORDS = 12
"""Of headings set in the type of the text."""
_NEAR_PT = 2.5
"""How far the ends of a rule may be from those of the words that it underlines."""


@dataclass(frozen=True)
class TextType:
    """How the text of a document is set."""

    size: float
    """Points."""
    bold: bool
    """Whether most letters are."""


def is_heading(lines: Sequence[Line], text: str, body: TextType) -> bool:
    """Ask for few words set larger, bolder, in italics or capitals, not ending like a sentence.

    Args:
        lines: Of one paragraph.
        text: Theirs.
        body: Of the document.
    """
    words = text.split()
    vertical = lines[0].height > 2.5 * (lines[0].x1 - lines[0].x0)
    if len(lines) > 6 or len(words) > 30 or vertical:
        return False
    letters = sum(char.isalpha() for char in text)
    if "=" in text or letters < 3 or letters < 0.4 * len(text.replace(" ", "")):
        return False
    if text[-1] in ";,":
        return False
    larger = lines[0].size > _SIZE_STEP * body.size
    if larger:
        return not (text[-1] == "." and len(words) > 14)
    short = len(words) <= 8 or bool(NUMBERED.match(text))
    if lines[0].size < 0.85 * body.size or (text[-1] == "." and not short):
        return False
    bold = all(line.bold for line in lines) and not body.bold
    italic = all(line.italic for line in lines) and _opens(lines[0], words)
    capitals = text == text.upper() and 2 <= len(words) <= 15 and letters >= 5
    return bold or (len(lines) <= 2 and (italic or capitals) and text[-1] != ".")


def heads_next(paragraphs: Sequence[Sequence[Line]], i: int, across: Sequence[Box]) -> bool:
    """Tell a heading in the type of the text by the paragraph that follows: underlined, numbered.

    Args:
        paragraphs: Of one column, between its tables.
        i: Which of them.
        across: The level rules of the page.
    """
    if len(paragraphs[i]) > 1 or i + 1 == len(paragraphs):
        return False
    line, below = paragraphs[i][0], paragraphs[i + 1]
    words = line.text.split()
    if line.text[-1] in ".:;,?!" or not _opens(line, words) or item_marker(below[0]):
        return False
    if len(below) < 3 and len(below[0].words) < 7:
        return False
    if _is_underlined(line, across):
        return True
    last = paragraphs[i - 1][-1].text[-1] if i else "."
    after_item = i > 0 and bool(item_marker(paragraphs[i - 1][0]))
    filled = below[0].x1 - line.x1 > 2 * line.height
    return bool(NUMBERED.match(line.text)) and filled and last in ".:?!)]" and not after_item


def _opens(line: Line, words: Sequence[str]) -> bool:
    """Tell few words that begin, after their number, with a capital, or with a year."""
    named = words[1:] if NUMBERED.match(line.text) and len(words) > 1 else words
    counted = named[0][0].isdigit() and not item_marker(line)
    return (named[0][0].isupper() or counted) and len(words) <= _MOST_WORDS


def _is_underlined(line: Line, across: Sequence[Box]) -> bool:
    """Tell words with a rule of their own length under them from a field to fill in."""
    return any(
        abs(rule[0] - line.x0) < _NEAR_PT
        and abs(rule[2] - line.x1) < _NEAR_PT
        and -0.35 * line.height < rule[1] - line.y1 < 0.25 * line.height
        for rule in across
    )


def ends_as_heading(line: Line, below: Line, usual: float, right: float) -> bool:
    """Tell a numbered line that leaves room for what follows it, which is set a little apart.

    Args:
        line: The first of a paragraph.
        below: The next one.
        usual: Gap between lines of the column, in points.
        right: Of the column.
    """
    words = line.text.split()
    if not NUMBERED.match(line.text) or not _opens(line, words) or line.text[-1] in ",;":
        return False
    small = min(line.height, below.height)
    first = below.words[0]
    room = right - line.x1 > first[2] - first[0] + 2 * small
    return room and below.y0 - line.y1 > usual + 0.2 * small
