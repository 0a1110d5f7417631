"""Find a quote on a page: exactly, then with small differences.

1. Page and quote become one line of characters without spaces: compatibility forms and ligatures
   unfolded, case folded, typographic quotes and dashes made plain, hyphens between letters and
   thousands separators dropped. A hit must start and end at a word's edge.
2. A quote with an ellipsis is found piece by piece, in order.
3. Else its words are aligned with those of the page (`alignment.py`).

Numbers, their scale words and negations must match exactly, so a wrong number never verifies.
Not covered: quotes that run over a page end; columns of which the later one is read first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pagehop.finding.alignment import align, plain, tokens
from pagehop.finding.cut_words import mended
from pagehop.types import Box, Located, Page, TextSource

_ELLIPSIS = re.compile(r"\s*\[?\s*(?:\.{3,}|\. \. \.|\u2026)\s*\]?\s*")
_MAX_ELLIPSIS_WORDS = 80
"""Most page words that one ellipsis may stand for."""
_FEW_WORDS = 4
_EDGES = " \t\n\r\"'\u201c\u201d\u2018\u2019,;:"
_DROPPED = re.compile(r"(?<!\d)-+(?!\d)|\.{3,}")


@dataclass(frozen=True)
class _Stream:
    """Normalised characters and, for each, the word it comes from."""

    text: str
    words: list[int]


def locate(page: Page, quote: str, *, near: Box | None = None) -> Located | None:
    """Find where a quote stands on a page.

    Args:
        page: The page's words in reading order.
        quote: Words of the page; case, spacing, line breaks and typography do not matter.
        near: Among several exact places, prefer the one nearest to this box; else the first.

    Returns:
        The page's own words with their box, those that a line's end cut joined; None when the
        quote is not there.
    """
    words = [word.text for word in page.words]
    wanted = _stream(quote.lstrip(_EDGES).rstrip(_EDGES + ".").split())
    if not any(char.isalnum() for char in wanted.text):
        return None
    stream = _stream(words)
    places = _exact_places(stream, wanted.text)
    if places:
        return _located(page, _nearest(page, places, near), 1.0)
    pieces = [piece for piece in _ELLIPSIS.split(quote) if any(c.isalnum() for c in piece)]
    if len(pieces) > 1:
        return _locate_pieces(page, stream, pieces)
    return _locate_fuzzy(page, quote)


def numbers_in(text: str) -> tuple[str, ...]:
    """Return the numbers of a text as quotes compare them: `$1,482.50` gives `1482.50`."""
    return tuple(token.text for token in tokens(text.split()) if token.number)


def _stream(words: Sequence[str]) -> _Stream:
    chars: list[str] = []
    origin: list[int] = []
    for i, word in enumerate(words):
        even = plain(word).replace(" ", "")
        # Without this space `12 3` would read as the number 123.
        if chars and even and chars[-1].isdigit() and even[0].isdigit():
            chars.append(" ")
            origin.append(i)
        chars.extend(even)
        origin.extend([i] * len(even))
    text = "".join(chars)
    kept = [True] * len(text)
    for match in _DROPPED.finditer(text):
        kept[match.start() : match.end()] = [False] * (match.end() - match.start())
    return _Stream(
        "".join(c for c, keep in zip(text, kept, strict=True) if keep),
        [i for i, keep in zip(origin, kept, strict=True) if keep],
    )


def _exact_places(stream: _Stream, wanted: str) -> list[list[int]]:
    """Return, for each place of `wanted`, the indices of its page words."""
    places = []
    start = stream.text.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        if _at_edges(stream, start, end):
            places.append(sorted(set(stream.words[start:end])))
        start = stream.text.find(wanted, start + 1)
    return places


def _at_edges(stream: _Stream, start: int, end: int) -> bool:
    """Tell whether text[start:end] cuts no word and no number."""
    text, words = stream.text, stream.words
    before = after = ""
    first, last = start, end
    while first > 0 and words[first - 1] == words[start]:
        first -= 1
    while last < len(text) and words[last] == words[end - 1]:
        last += 1
    before, after = text[first:start], text[end:last]
    if before and before[-1].isalnum() and text[start].isalnum():
        return False
    if after and after[0].isalnum() and text[end - 1].isalnum():
        return False
    cut_before = text[start].isdigit() and re.search(r"(?:\d[.,]|\u2212\$?|(?:^|\D)\.|\^)$", before)
    cut_after = text[end - 1].isdigit() and re.match(r"[.,]\d", after)
    return not cut_before and not cut_after


def _nearest(page: Page, places: list[list[int]], near: Box | None) -> list[int]:
    if near is None or len(places) == 1:
        return places[0]
    x, y = (near[0] + near[2]) / 2, (near[1] + near[3]) / 2

    def distance(place: list[int]) -> float:
        box = union([page.words[i].box for i in place])
        return abs((box[0] + box[2]) / 2 - x) + abs((box[1] + box[3]) / 2 - y)

    return min(places, key=distance)


def _locate_pieces(page: Page, stream: _Stream, pieces: list[str]) -> Located | None:
    """Find the pieces between ellipses one after the other, each exactly.

    A piece of few words, a number perhaps, must stand on the line of the piece before it: it
    could stand anywhere on the page.
    """
    found: list[int] = []
    for piece in pieces:
        words = piece.strip(" .,;:\"'").split()
        wanted = _stream(words).text
        places = [
            place
            for place in _exact_places(stream, wanted)
            if not found or _follows(page, found[-1], place[0], short=len(words) < _FEW_WORDS)
        ]
        if not wanted or not places:
            return None
        found += places[0]
    return _located(page, found, 0.95)


def _follows(page: Page, last: int, first: int, *, short: bool) -> bool:
    near = last < first <= last + _MAX_ELLIPSIS_WORDS
    return near and (not short or page.words[first].line == page.words[last].line)


def _locate_fuzzy(page: Page, quote: str) -> Located | None:
    wanted = tokens(quote.split())
    there = tokens([word.text for word in page.words])
    if not wanted or not there:
        return None
    alignment = align(wanted, there, [page.words[token.word].line for token in there])
    if alignment is None:
        return None
    matched = [there[j] for j in alignment.matched]
    indices = {i for token in matched for i in range(token.word, token.last_word + 1)}
    return _located(page, sorted(indices), min(alignment.score, 0.99))


def _located(page: Page, indices: Sequence[int], score: float) -> Located:
    words = [page.words[i] for i in indices]
    lines: dict[int, list[Box]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word.box)
    boxes = tuple(union(line) for line in lines.values())
    ends = ["\n" if a.line != b.line else " " for a, b in pairwise(words)]
    text = "".join(word.text + end for word, end in zip(words, [*ends, ""], strict=True))
    text = mended(text, page.text).replace("\n", " ")
    source: TextSource = "ocr" if any(word.ocr for word in words) else "text"
    return Located(text, union(boxes), round(score, 4), boxes, source)


def union(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around some."""
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
