"""Pages whose type runs up or down: they are read as if turned upright, boxes are turned back.

A table printed across a page is the usual case. Most words of such a page are higher than wide, and
those of one line follow one another upwards or downwards.
"""

from collections.abc import Sequence
from itertools import pairwise

from pagehop.layout.rows import RawWord
from pagehop.types import Box

_SHARE = 0.6
"""Of the letters of long words that must stand upright to turn a page."""
_LONG = 4


def reading_turn(words: Sequence[RawWord]) -> int:
    """Return by how many degrees, clockwise, the page must be turned to be read: 0, 90 or 270."""
    steep = letters = 0
    for word in words:
        length = len(word[4])
        if length >= _LONG:
            letters += length
            if word[3] - word[1] > 1.4 * (word[2] - word[0]):
                steep += length
    if not letters or steep < _SHARE * letters:
        return 0
    up = down = 0
    last: RawWord | None = None
    for word in words:
        if last is not None and word[5:7] == last[5:7]:
            up += word[1] < last[1]
            down += word[1] > last[1]
        last = word
    return 90 if up >= down else 270


def is_upside_down(words: Sequence[RawWord]) -> bool:
    """Whether the words of most lines follow one another to the left; for what OCR read only.

    In a text layer that is how Arabic or Hebrew runs.
    """
    left = right = 0
    for last, word in pairwise(words):
        if last[5:7] == word[5:7]:
            left += word[2] < last[0]
            right += word[0] > last[2]
    return left > right


def turned(box: Sequence[float], turn: int, size_pt: tuple[float, float]) -> Box:
    """Turn a box clockwise with its page.

    Args:
        box: On the page before the turn.
        turn: 0, 90, 180 or 270 degrees.
        size_pt: Width and height before the turn.
    """
    x0, y0, x1, y1 = box
    width, height = size_pt
    if turn == 90:
        return height - y1, x0, height - y0, x1
    if turn == 180:
        return width - x1, height - y1, width - x0, height - y0
    if turn == 270:
        return y0, width - x1, y1, width - x0
    return x0, y0, x1, y1


def turned_words(
    words: Sequence[RawWord], turn: int, size_pt: tuple[float, float]
) -> list[RawWord]:
    """Turn words clockwise with their page."""
    if not turn:
        return list(words)
    return [(*turned(word[:4], turn, size_pt), *word[4:]) for word in words]


def turned_size(size_pt: tuple[float, float], turn: int) -> tuple[float, float]:
    """Return the size of a page after a turn."""
    return (size_pt[1], size_pt[0]) if turn % 180 else size_pt
