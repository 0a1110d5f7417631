"""Where the words of a line that OCR read begin and end.

An engine tells the letters of a line, its blanks, and about where each letter stands: up to half a
letter beside it. The picture shows the white gaps.

1. Each blank is a gap: of all ways to give them to gaps in their order, the one whose gaps are
   wide and near where the blanks were told.
2. A gap within a word that is as wide as those between words, and much wider than those between
   letters, is a blank that the engine left out, as it does behind a raised number.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

PixelWord = tuple[float, float, float, float, str]
"""x0, y0, x1, y1 in pixels of the straightened picture, and the word or letter."""
Line = list[PixelWord]
ReadLine = tuple[float, str, list[PixelWord]]
"""How sure an engine is of a line, 0 to 1, its text, and its letters without the blanks."""
_UNSPACED = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]")
_FAR = 0.8
"""Line heights by which a gap may be beside the place of its blank."""
_WIDTH_COUNTS = 3.0
"""A gap wider by a hundredth of a line may be this many hundredths further away."""
_WIDE = 0.22
"""Line heights from which a gap is no more of a gap."""
_USUAL = 0.25
"""Line heights of a blank, where a line shows too few to tell."""
_LIKE_BLANKS = 0.8
"""A gap within a word is a blank from this share of the line's usual blank on,"""
_UNLIKE_LETTERS = 2.0
"""if it is so many times the gap between letters,"""
_LEAST_BLANK = 0.12
"""and at least so many line heights wide."""
_NUMBER = re.compile(r"[$(+\u00a3\u20ac-]*\d[\d.,]*\d")
"""Not parted, as the digit 1 stands in wide gaps."""
_WORD = re.compile(r"[(\[{\"'$\u00a3\u20ac\u2018\u201c]*[^\W_]")
"""What a blank may stand before: no full stop, no dash."""


@dataclass(frozen=True)
class _Gap:
    start: int
    end: int

    @property
    def width(self) -> int:
        return self.end - self.start

    def distance(self, x: float) -> float:
        return max(0.0, self.start - x, x - self.end)


@dataclass(frozen=True)
class _Way:
    """One way to give the first blanks of a line to gaps."""

    cost: float
    last: int
    """Position of the last gap given; -1 before the first one."""
    chosen: tuple[_Gap | None, ...]


def line_words(text: str, letters: Sequence[PixelWord], ink: NDArray[np.bool_]) -> Line:
    """Put the letters of a line together to words that end at the white gaps.

    Args:
        text: Of the line, with blanks.
        letters: Its other characters in their order, each about where it stands.
        ink: (height, width) what is dark in the picture.
    """
    if not letters:
        return []
    words = _parted(text, letters)
    top, foot = round(min(x[1] for x in letters)), round(max(x[3] for x in letters))
    height = max(1, foot - top)
    gaps = _gaps(ink, top + height // 8, foot - height // 8)  # not the feet of the line above
    chosen = _gaps_of_blanks(words, gaps, height)
    ends: list[tuple[float, float]] = [
        (gap.start, gap.end) if gap else _told(left, right)
        for (left, right), gap in zip(pairwise(words), chosen, strict=True)
    ]
    ends = [(words[0][0][0],) * 2, *ends, (words[-1][-1][2],) * 2]
    least = _least_blank(words, chosen, gaps, height)
    line: Line = []
    for word, ((_, x0), (x1, _)) in zip(words, pairwise(ends), strict=True):
        inner = [gap for gap in gaps if x0 < gap.start and gap.end < x1 and gap.width >= least]
        line += _split(word, x0, x1, inner, height)
    return line


def even_letters(word: PixelWord) -> list[PixelWord]:
    """Part the box of a word evenly among its letters."""
    x0, y0, x1, y1, text = word
    step = (x1 - x0) / len(text)
    return [(x0 + i * step, y0, x0 + (i + 1) * step, y1, char) for i, char in enumerate(text)]


def _parted(text: str, letters: Sequence[PixelWord]) -> list[list[PixelWord]]:
    """Part letters at blanks, and where a script without blanks meets another one."""
    lengths = [len(word) for word in text.split()]
    if sum(lengths) != len(letters):
        lengths = [len(letters)]
    words: list[list[PixelWord]] = []
    start = 0
    for length in lengths:
        word: list[PixelWord] = []
        for letter in letters[start : start + length]:
            if word and bool(_UNSPACED.match(letter[4])) != bool(_UNSPACED.match(word[-1][4])):
                words.append(word)
                word = []
            word.append(letter)
        words.append(word)
        start += length
    return words


def _gaps(ink: NDArray[np.bool_], top: int, foot: int) -> list[_Gap]:
    """Return the runs of columns without ink that ink ends on both sides."""
    rows = ink[max(0, top) : max(1, foot)]
    inked = np.flatnonzero(rows.any(axis=0))
    wide = np.flatnonzero(np.diff(inked) > 2)  # speckles part letters, too
    return [_Gap(int(inked[i]) + 1, int(inked[i + 1])) for i in wide]


def _told(left: Sequence[PixelWord], right: Sequence[PixelWord]) -> tuple[float, float]:
    """Return where the engine has the end of a word and the start of the next one."""
    end, start = left[-1][2], right[0][0]
    return (end, start) if end <= start else ((end + start) / 2,) * 2


def _gaps_of_blanks(
    words: Sequence[Sequence[PixelWord]], gaps: Sequence[_Gap], height: int
) -> list[_Gap | None]:
    """Return the gap of each blank; None where none is near."""
    ways: list[_Way] = [_Way(0.0, -1, ())]  # each has its last gap further right, and costs less
    for left, right in pairwise(words):
        at = (left[-1][2] + right[0][0]) / 2
        least, most = _middle(left[0]), _middle(right[-1])
        found = [_Way(w.cost + _WIDTH_COUNTS * _WIDE, w.last, (*w.chosen, None)) for w in ways]
        for i, gap in enumerate(gaps):
            away = gap.distance(at) / height
            between = least < gap.end and gap.start < most and away <= _FAR
            before = [way for way in ways if way.last < i] if between else []
            if before:
                best = min(before, key=lambda way: way.cost)
                cost = away + _WIDTH_COUNTS * max(0.0, _WIDE - gap.width / height)
                found.append(_Way(best.cost + cost, i, (*best.chosen, gap)))
        ways = []
        for way in sorted(found, key=lambda way: (way.last, way.cost)):
            if not ways or way.cost < ways[-1].cost:
                ways.append(way)
    return list(ways[-1].chosen)


def _least_blank(
    words: Sequence[Sequence[PixelWord]],
    chosen: Sequence[_Gap | None],
    gaps: Sequence[_Gap],
    height: int,
) -> float:
    """Return how wide a gap within a word must be to be a blank."""
    known = [gap.width for gap in chosen if gap]
    usual = median(known) if len(known) > 1 else _USUAL * height
    others = [gap.width for gap in gaps if gap not in chosen]
    letters = sum(len(word) - 1 for word in words)
    narrow = sorted([0] * max(0, letters - len(others)) + others)
    between = narrow[len(narrow) // 2] if narrow else 0
    return max(_LIKE_BLANKS * usual, _UNLIKE_LETTERS * between, _LEAST_BLANK * height)


def _split(
    word: Sequence[PixelWord], x0: float, x1: float, blanks: Sequence[_Gap], height: int
) -> Line:
    """Part a word at the gaps that are blanks, each between the letters nearest to it."""
    text = "".join(letter[4] for letter in word)
    whole = {i for found in _NUMBER.finditer(text) for i in range(found.start() + 1, found.end())}
    places = [
        i
        for i in range(1, len(word))
        if i not in whole and _WORD.match(text, i) and any(map(str.isalnum, text[:i]))
    ]
    pieces: Line = []
    start = 0
    for gap in blanks:
        off = {
            i: gap.distance((word[i - 1][2] + word[i][0]) / 2) for i in range(start + 1, len(word))
        }
        at = min(off, key=lambda i: off[i], default=0)
        if at in places and off[at] <= _FAR / 2 * height:
            pieces.append(_joined(word[start:at], x0, gap.start))
            start, x0 = at, gap.end
    pieces.append(_joined(word[start:], x0, x1))
    return pieces


def _middle(letter: PixelWord) -> float:
    return (letter[0] + letter[2]) / 2


def _joined(letters: Sequence[PixelWord], x0: float, x1: float) -> PixelWord:
    top, foot = min(letter[1] for letter in letters), max(letter[3] for letter in letters)
    return x0, top, x1, foot, "".join(letter[4] for letter in letters)
