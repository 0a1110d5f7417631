"""Align the words of a quote with those of a page, at the lowest cost.

1. Semi-global alignment, one row a quote word (numpy): a page word left out, a quote word that is
   not there, another word and a misspelt one cost something; a jump from the end of a line to the
   start of a later one (the next column, past a footnote) costs little.
2. Numbers, words that scale them and negations must be equal and may not be left out.
3. After a jump or a wide gap a new stretch begins. Each must hold on its own, and the words beside
   a number must be there, so that no number is taken from another place than its words.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 0.85
"""Share of a quote, and of each of its stretches, that must stand on the page."""

_JUMP = 0.5
_GAP = 0.4
_FORBIDDEN = 1e3
_WIDEST_GAP = 2
"""Page words, none a number, that may be left out within a stretch."""
_SHORTEST_STRETCH = 4
"""Quote words; fewer could stand anywhere."""
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
_TOKEN = re.compile(
    r"(?P<number>(?:(?<![\w.])\.)?\d+(?:[.,]\d+)*)|(?P<percent>%)"
    r"|(?P<cjk>[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])|(?P<word>[^\W\d_]+)"
)
_SIGN = re.compile("\N{MINUS SIGN}[$]?$")


@dataclass(frozen=True)
class Token:
    """A number, a word, a percent sign or a character of a script without spaces."""

    text: str
    word: int
    """Index of the word it comes from."""
    last_word: int
    """Of the word it ends in, when it is broken at the end of a line."""
    number: bool = False
    negative: bool = False
    bracketed: bool = False

    @property
    def exact(self) -> bool:
        """Whether nothing else may stand for it."""
        return self.number or self.text in _EXACT_WORDS

    @property
    def weight(self) -> float:
        """What it counts in a score."""
        return 1.0 if self.exact or len(self.text) > 3 else 0.5


@dataclass(frozen=True)
class Alignment:
    """The page tokens that a quote's tokens stand for."""

    matched: list[int]
    score: float
    """Share of the quote that stands there, 0 to 1."""


def plain(text: str) -> str:
    """Return one word as words are compared: unfolded, without typography, lower case."""
    unfolded = unicodedata.normalize("NFKC", text.translate(_PLAIN))
    even = _THOUSANDS.sub("", unfolded.translate(_PLAIN)).casefold()
    return _MINUS.sub("\N{MINUS SIGN}", even)


def tokens(words: Sequence[str]) -> list[Token]:
    """Split words into what is compared; symbols and exponents are left out."""
    found: list[Token] = []
    carried, carried_word = "", -1
    for i, word in enumerate(words):
        text = re.sub(r"(?<=[^\W\d])-+(?=[^\W\d])", "", carried + plain(word))
        first = carried_word if carried else i
        # A word broken at the end of a line goes on in the next one.
        if re.search(r"[^\W\d]-$", text) and i + 1 < len(words) and words[i + 1][:1].isalpha():
            carried, carried_word = text[:-1], first
            continue
        carried = ""
        for match in _TOKEN.finditer(text):
            if match.start() and text[match.start() - 1] == "^":
                continue
            before, after = text[: match.start()], text[match.end() :]
            number = match.lastgroup == "number"
            found.append(
                Token(
                    "percent" if match.lastgroup == "percent" else match.group(),
                    first,
                    i,
                    number,
                    negative=number and bool(_SIGN.search(before)),
                    bracketed=number and before.endswith(("(", "($")) and after.startswith(")"),
                )
            )
    return found


def align(
    wanted: Sequence[Token], there: Sequence[Token], lines: Sequence[int]
) -> Alignment | None:
    """Find the place of a page that a quote matches best.

    Args:
        wanted: Tokens of the quote.
        there: Tokens of the page, in reading order.
        lines: Line number of each of them.

    Returns:
        None when less than `THRESHOLD` of the quote, or of a stretch of it, stands there.
    """
    total = sum(token.weight for token in wanted)
    known = {token.text for token in there}
    # A misspelt word may still match, so half is enough to go on; a wrong number ends it here.
    if any(token.number and token.text not in known for token in wanted):
        return None
    if sum(token.weight for token in wanted if token.text in known) < total / 2:
        return None
    substitution = _substitution(wanted, there)  # (n_wanted, n_there)
    removal = [_FORBIDDEN if token.exact else token.weight for token in wanted]
    breaks = np.diff(np.array(lines)) != 0
    starts = np.concatenate([[True], breaks, [False]])  # column j stands before token j
    ends = np.concatenate([[False], breaks, [True]])
    rows = _costs(substitution, removal, _gaps(there), starts, ends)
    pairs = _trace(rows, substitution, removal, ends)
    score = 1.0 - float(rows[-1].min()) / total
    if score < THRESHOLD or not _numbers_keep_words(pairs, wanted, substitution):
        return None
    if not _stretches_hold(pairs, wanted, there, substitution):
        return None
    return Alignment([j for _, j in pairs], score)


def _gaps(there: Sequence[Token]) -> NDArray[np.float64]:
    """Return the cost of leaving out each page token; leaving out a negation is forbidden."""
    free = {"percent"}
    forbidden = [t.text in _EXACT_WORDS and t.text not in free and not t.number for t in there]
    return np.where(forbidden, _FORBIDDEN, [_GAP * token.weight for token in there])


def _costs(
    substitution: NDArray[np.float64],
    removal: Sequence[float],
    gaps: NDArray[np.float64],
    starts: NDArray[np.bool_],
    ends: NDArray[np.bool_],
) -> list[NDArray[np.float64]]:
    """Return the lowest cost of the first i quote tokens ending before page token j."""
    gap_sum = np.concatenate([[0.0], np.cumsum(gaps)])
    rows = [np.zeros(len(gaps) + 1)]
    for i in range(len(removal)):
        row = rows[-1] + removal[i]
        row[1:] = np.minimum(row[1:], rows[-1][:-1] + substitution[i])
        row = gap_sum + np.minimum.accumulate(row - gap_sum)
        jumped = np.minimum.accumulate(np.where(ends, row, np.inf)) + _JUMP
        rows.append(np.where(starts, np.minimum(row, jumped), row))
    return rows


def _trace(
    rows: list[NDArray[np.float64]],
    substitution: NDArray[np.float64],
    removal: Sequence[float],
    ends: NDArray[np.bool_],
) -> list[tuple[int, int]]:
    """Walk back from the cheapest end, matches before gaps.

    Returns:
        Pairs of a quote token and the page token that stands for it.
    """
    j = int(np.argmin(rows[-1]))
    if rows[-1][j] >= _FORBIDDEN:
        return []
    i = len(rows) - 1
    pairs: list[tuple[int, int]] = []
    while i > 0:
        value = rows[i][j]
        if j and np.isclose(value, rows[i - 1][j - 1] + substitution[i - 1, j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif np.isclose(value, rows[i - 1][j] + removal[i - 1]):
            i -= 1
        else:
            earlier = [k for k in np.flatnonzero(ends[:j]) if np.isclose(value, rows[i][k] + _JUMP)]
            j = int(earlier[-1]) if earlier else j - 1
    return pairs[::-1]


def _numbers_keep_words(
    pairs: Sequence[tuple[int, int]],
    wanted: Sequence[Token],
    substitution: NDArray[np.float64],
) -> bool:
    """Tell whether the words beside each number of the quote stand there too."""
    same = {i for i, j in pairs if substitution[i, j] < wanted[i].weight}
    return all(
        beside in same
        for i, token in enumerate(wanted)
        if token.number
        for beside in (i - 1, i + 1)
        if 0 <= beside < len(wanted)
    )


def _stretches_hold(
    pairs: Sequence[tuple[int, int]],
    wanted: Sequence[Token],
    there: Sequence[Token],
    substitution: NDArray[np.float64],
) -> bool:
    """Tell whether each stretch between jumps and wide gaps could be found by itself."""
    stretches: list[list[tuple[int, int]]] = []
    for i, j in pairs:
        between = there[stretches[-1][-1][1] + 1 : j] if stretches else ()
        wide = len(between) > _WIDEST_GAP or any(token.number for token in between)
        if wide or not stretches:
            stretches.append([])
        stretches[-1].append((i, j))
    for stretch in stretches if len(stretches) > 1 else ():
        first, last = stretch[0][0], stretch[-1][0]
        weight = sum(token.weight for token in wanted[first : last + 1])
        found = sum(wanted[i].weight - float(substitution[i, j]) for i, j in stretch)
        if len(stretch) < _SHORTEST_STRETCH or found < THRESHOLD * weight:
            return False
    return bool(stretches)


def _substitution(wanted: Sequence[Token], there: Sequence[Token]) -> NDArray[np.float64]:
    """Return the cost of reading each quote token as each page token; (n_wanted, n_there)."""
    weights = np.array([token.weight for token in there])
    fixed = np.array([token.exact for token in there])
    places: dict[str, list[int]] = {}
    for j, token in enumerate(there):
        places.setdefault(token.text, []).append(j)
    costs = np.full((len(wanted), len(there)), _FORBIDDEN)
    for i, token in enumerate(wanted):
        if not token.exact:
            costs[i] = np.where(fixed, _FORBIDDEN, np.maximum(weights, token.weight))
            if token.text not in places:
                _price_misspellings(costs[i], token, places)
        for j in places.get(token.text, []):
            if token.number == there[j].number and _same_sign(token, there[j]):
                costs[i, j] = 0.0
    return costs


def _price_misspellings(
    costs: NDArray[np.float64], token: Token, places: dict[str, list[int]]
) -> None:
    """Lower the cost of page words that are spelt nearly like the quoted one."""
    matcher = SequenceMatcher(autojunk=False, b=token.text)
    for text, indices in places.items():
        if abs(len(text) - len(token.text)) > 3 or text in _EXACT_WORDS or text[0].isdigit():
            continue
        matcher.set_seq1(text)
        if matcher.quick_ratio() >= 0.7 and (ratio := matcher.ratio()) >= 0.7:
            costs[indices] = token.weight * 2 * (1.0 - ratio)


def _same_sign(quoted: Token, printed: Token) -> bool:
    """Compare signs; brackets may mean a negative number or just brackets."""
    if not quoted.number:
        return True
    if quoted.negative:
        return printed.negative or printed.bracketed
    return not printed.negative or quoted.bracketed
