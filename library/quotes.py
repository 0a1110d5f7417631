"""Find a quote on a page: exactly, then with small differences.

1. Page and quote become one line of characters without spaces: compatibility forms and ligatures
   unfolded, case folded, typographic quotes and dashes made plain, hyphens between letters and
   thousands separators dropped. A hit must start and end at a word's edge.
2. A quote with an ellipsis is found piece by piece, in order.
3. Else words are aligned (semi-global alignment, numpy, one row a quote word): a page word left
   out, a quote word not there and a misspelt word cost something, a jump from the end of a line
   to the start of a later one (columns, footnotes) costs a little. Found when the share of the
   quote that stands there is at least `THRESHOLD`.

Numbers, their scale words and negations must match exactly, so a wrong number never verifies.
Not covered: quotes that run over a page end; columns of which the later one is read first.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from pagehop.types import Box, Located, Page

THRESHOLD = 0.85
"""Share of the quote that must stand on the page: in ten words, one other word of a kind."""

_ELLIPSIS = re.compile(r"\s*\[?\s*(?:\.{3,}|\. \. \.|\u2026)\s*\]?\s*")
_MAX_ELLIPSIS_WORDS = 80
"""Most page words that one ellipsis may stand for."""
_EDGES = " \t\n\r\"'\u201c\u201d\u2018\u2019,;:"
_JUMP = 0.5
_GAP = 0.4
_FORBIDDEN = 1e3
_EXACT_WORDS = frozenset(
    "hundred thousand million billion trillion percent k m bn mn mm tn bps "
    "no not nor never none neither without cannot t".split()
)
"""Words that turn a statement over or scale its number; `t` is what is left of `don't`."""
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc`\u00b4", "'"),
        **dict.fromkeys('"\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb', "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\uff0d", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff\u2022\u25cf\u25aa\u25e6|", ""),
        # A superscript is an exponent or a footnote mark, never a further digit of the number.
        **{mark: f"^{digit}" for digit, mark in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
    }
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_MINUS = re.compile(r"(?:^|(?<=[($]))-(?=\$?\.?\d)")
_DROPPED = re.compile(r"(?<!\d)-+(?!\d)|\.{3,}")
_TOKEN = re.compile(
    r"(?P<number>(?:(?<![\w.])\.)?\d+(?:[.,]\d+)*)|(?P<percent>%)"
    r"|(?P<cjk>[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])|(?P<word>[^\W\d_]+)"
)
_SIGN = re.compile("\N{MINUS SIGN}[$]?$")


@dataclass(frozen=True)
class _Stream:
    """Normalised characters and, for each, the word it comes from."""

    text: str
    words: list[int]


@dataclass(frozen=True)
class _Token:
    text: str
    word: int
    last_word: int
    number: bool = False
    negative: bool = False
    bracketed: bool = False

    @property
    def weight(self) -> float:
        return 1.0 if self.number or len(self.text) > 3 or self.text in _EXACT_WORDS else 0.5


def locate(page: Page, quote: str, *, near: Box | None = None) -> Located | None:
    """Find where a quote stands on a page.

    Args:
        page: The page's words in reading order.
        quote: Words of the page; case, spacing, line breaks and typography do not matter.
        near: Among several exact places, prefer the one nearest to this box; else the first.

    Returns:
        The page's own words with their box, or None when the quote is not there.
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
    return tuple(token.text for token in _tokens(text.split()) if token.number)


def _plain(text: str) -> str:
    unfolded = unicodedata.normalize("NFKC", text.translate(_PLAIN))
    plain = _THOUSANDS.sub("", unfolded.translate(_PLAIN)).casefold()
    return _MINUS.sub("\N{MINUS SIGN}", plain)


def _stream(words: Sequence[str]) -> _Stream:
    chars: list[str] = []
    origin: list[int] = []
    for i, word in enumerate(words):
        plain = _plain(word).replace(" ", "")
        # Without this space `12 3` would read as the number 123.
        if chars and plain and chars[-1].isdigit() and plain[0].isdigit():
            chars.append(" ")
            origin.append(i)
        chars.extend(plain)
        origin.extend([i] * len(plain))
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
        box = _union([page.words[i].box for i in place])
        return abs((box[0] + box[2]) / 2 - x) + abs((box[1] + box[3]) / 2 - y)

    return min(places, key=distance)


def _locate_pieces(page: Page, stream: _Stream, pieces: list[str]) -> Located | None:
    """Find the pieces between ellipses one after the other, each exactly."""
    found: list[int] = []
    for piece in pieces:
        wanted = _stream(piece.strip(" .,;:\"'").split()).text
        after = found[-1] if found else -1
        places = [
            place
            for place in _exact_places(stream, wanted)
            if not found or after < place[0] <= after + _MAX_ELLIPSIS_WORDS
        ]
        if not wanted or not places:
            return None
        found += places[0]
    return _located(page, found, 0.95)


def _tokens(words: Sequence[str]) -> list[_Token]:
    tokens: list[_Token] = []
    carried, carried_word = "", -1
    for i, word in enumerate(words):
        plain = re.sub(r"(?<=[^\W\d])-+(?=[^\W\d])", "", carried + _plain(word))
        first = carried_word if carried else i
        # A word broken at the end of a line goes on in the next one.
        if re.search(r"[^\W\d]-$", plain) and i + 1 < len(words) and words[i + 1][:1].isalpha():
            carried, carried_word = plain[:-1], first
            continue
        carried = ""
        for match in _TOKEN.finditer(plain):
            if match.start() and plain[match.start() - 1] == "^":
                continue
            before, after = plain[: match.start()], plain[match.end() :]
            number = match.lastgroup == "number"
            tokens.append(
                _Token(
                    "percent" if match.lastgroup == "percent" else match.group(),
                    first,
                    i,
                    number,
                    negative=number and bool(_SIGN.search(before)),
                    bracketed=number and before.endswith(("(", "($")) and after.startswith(")"),
                )
            )
    return tokens


def _locate_fuzzy(page: Page, quote: str) -> Located | None:
    wanted = _tokens(quote.split())
    there = _tokens([word.text for word in page.words])
    if not wanted or not there:
        return None
    total = sum(token.weight for token in wanted)
    known = {token.text for token in there}
    # A misspelt word may still match, so half is enough to go on; a wrong number ends it here.
    if any(token.number and token.text not in known for token in wanted):
        return None
    if sum(token.weight for token in wanted if token.text in known) < total / 2:
        return None
    matched, cost = _align(page, wanted, there)
    score = 1.0 - cost / total
    if score < THRESHOLD or not matched:
        return None
    indices = [i for j in matched for i in range(there[j].word, there[j].last_word + 1)]
    return _located(page, sorted(set(indices)), min(score, 0.99))


def _align(page: Page, wanted: list[_Token], there: list[_Token]) -> tuple[list[int], float]:
    """Align the quote's tokens to the page's at the lowest cost.

    Returns:
        Indices of the page tokens that are matched, and the cost in units of token weight.
    """
    substitution = _substitution(wanted, there)  # (n_wanted, n_there)
    gaps = np.array(
        [
            _FORBIDDEN
            if token.text in _EXACT_WORDS and token.text != "percent"
            else _GAP * token.weight
            for token in there
        ]
    )
    gap_sum = np.concatenate([[0.0], np.cumsum(gaps)])
    lines = np.array([page.words[token.word].line for token in there])
    starts = np.concatenate([[True], lines[1:] != lines[:-1], [False]])  # column j precedes token j
    ends = np.concatenate([[False], lines[1:] != lines[:-1], [True]])
    rows = [np.zeros(len(there) + 1)]
    removal = [
        _FORBIDDEN if token.number or token.text in _EXACT_WORDS else token.weight
        for token in wanted
    ]
    for i in range(len(wanted)):
        row = rows[-1] + removal[i]
        row[1:] = np.minimum(row[1:], rows[-1][:-1] + substitution[i])
        row = gap_sum + np.minimum.accumulate(row - gap_sum)
        jumped = np.minimum.accumulate(np.where(ends, row, np.inf)) + _JUMP
        rows.append(np.where(starts, np.minimum(row, jumped), row))
    return _trace(rows, substitution, removal, ends)


def _substitution(wanted: list[_Token], there: list[_Token]) -> NDArray[np.float64]:
    """Return the cost of reading each quote token as each page token; (n_wanted, n_there)."""
    weights = np.array([token.weight for token in there])
    fixed = np.array([token.number or token.text in _EXACT_WORDS for token in there])
    places: dict[str, list[int]] = {}
    for j, token in enumerate(there):
        places.setdefault(token.text, []).append(j)
    costs = np.full((len(wanted), len(there)), _FORBIDDEN)
    for i, token in enumerate(wanted):
        if not token.number and token.text not in _EXACT_WORDS:
            costs[i] = np.where(fixed, _FORBIDDEN, np.maximum(weights, token.weight))
            if token.text not in places:
                _price_misspellings(costs[i], token, places)
        for j in places.get(token.text, []):
            if token.number == there[j].number and _same_sign(token, there[j]):
                costs[i, j] = 0.0
    return costs


def _price_misspellings(
    costs: NDArray[np.float64], token: _Token, places: dict[str, list[int]]
) -> None:
    """Lower the cost of page words that are spelt nearly like the quoted one."""
    matcher = SequenceMatcher(autojunk=False, b=token.text)
    for text, indices in places.items():
        if abs(len(text) - len(token.text)) > 3 or text in _EXACT_WORDS or text[0].isdigit():
            continue
        matcher.set_seq1(text)
        if matcher.quick_ratio() >= 0.7 and (ratio := matcher.ratio()) >= 0.7:
            costs[indices] = token.weight * 2 * (1.0 - ratio)


def _same_sign(quoted: _Token, printed: _Token) -> bool:
    """Compare signs; brackets may mean a negative number or just brackets."""
    if not quoted.number:
        return True
    if quoted.negative:
        return printed.negative or printed.bracketed
    return not printed.negative or quoted.bracketed


def _trace(
    rows: list[NDArray[np.float64]],
    substitution: NDArray[np.float64],
    removal: list[float],
    ends: NDArray[np.bool_],
) -> tuple[list[int], float]:
    """Walk back from the cheapest end; prefer matches over gaps, so the choice is deterministic."""
    j = int(np.argmin(rows[-1]))
    cost = float(rows[-1][j])
    if cost >= _FORBIDDEN:
        return [], cost
    i = len(rows) - 1
    matched: list[int] = []
    while i > 0:
        value = rows[i][j]
        if j and np.isclose(value, rows[i - 1][j - 1] + substitution[i - 1, j - 1]):
            i, j = i - 1, j - 1
            matched.append(j)
        elif np.isclose(value, rows[i - 1][j] + removal[i - 1]):
            i -= 1
        else:
            earlier = [k for k in np.flatnonzero(ends[:j]) if np.isclose(value, rows[i][k] + _JUMP)]
            j = int(earlier[-1]) if earlier else j - 1
    return matched[::-1], cost


def _located(page: Page, indices: Sequence[int], score: float) -> Located:
    words = [page.words[i] for i in indices]
    lines: dict[int, list[Box]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word.box)
    boxes = tuple(_union(line) for line in lines.values())
    return Located(" ".join(word.text for word in words), _union(boxes), round(score, 4), boxes)


def _union(boxes: Sequence[Box]) -> Box:
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )
