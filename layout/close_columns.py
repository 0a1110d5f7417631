"""Columns of amounts set so close that no gap or rule parts them: white channels through the rows.

Where at least three rows have the same number of amounts in one place, and no amount of one column
reaches under one of the next, the channels between them part the columns.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pagehop.layout.cells import is_amount
from pagehop.layout.rows import RawWord

_FEWEST = 3
"""Rows that must agree, and they must be half of those with amounts."""
SIGNS = frozenset({"$", "€", "£", "¥", "(", "$("})
"""Words that belong to the amount after them."""
_APART = 0.5
"""Line heights between columns in most rows; between words there are about .3."""
_DASHES = frozenset({"-", "\u2013", "\u2014", "\u2212"})
_BLANK = 0.5
"""Line heights between a dash and its numbers in a range such as `2024 - 2044`."""


@dataclass(frozen=True)
class _Amount:
    x0: float
    x1: float
    height: float


def find_channels(rows: Sequence[Sequence[RawWord]]) -> list[float]:
    """Return where close columns are parted, left to right; none where all is one column.

    Args:
        rows: The words that each row has in one place, left to right.
    """
    amounts = [_amounts(words) for words in rows]
    counts = Counter(len(row) for row in amounts if row)
    if not counts:
        return []
    several, agree = max(counts.items(), key=lambda item: (item[1], item[0]))
    if several < 2 or agree < max(_FEWEST, 0.5 * sum(counts.values())):
        return []
    columns = list(zip(*(row for row in amounts if len(row) == several), strict=True))
    apart = [
        median(b.x0 - a.x1 for a, b in zip(left, right, strict=True))
        for left, right in pairwise(columns)
    ]
    if min(apart) < _APART * median(amount.height for column in columns for amount in column):
        return []  # as far as words of one cell are: `12 345`, `12 (34 %)`
    ends = [max(amount.x1 for amount in column) for column in columns]
    starts = [min(amount.x0 for amount in column) for column in columns]
    if any(start <= end for end, start in zip(ends, starts[1:], strict=False)):
        return []
    return [(end + start) / 2 for end, start in zip(ends, starts[1:], strict=False)]


def parts_at(words: Sequence[RawWord], channels: Sequence[float]) -> list[list[RawWord]] | None:
    """Part the words of a row at channels; None where they are no row of those columns.

    They are when none reaches over a channel and all are amounts, or each column has one word.
    """
    if any(word[0] < x < word[2] and word[4][-1:] not in SIGNS for word in words for x in channels):
        return None
    edges = [float("-inf"), *channels, float("inf")]
    middles = [(word, (word[0] + word[2]) / 2) for word in words]
    parts = [[word for word, x in middles if left < x <= right] for left, right in pairwise(edges)]
    whole = bool(_amounts(words)) or all(len(part) == 1 for part in parts)
    bracketed = any(part[0][4].count("(") > part[0][4].count(")") for part in parts if part)
    return [part for part in parts if part] if whole and not bracketed else None


def amount_end(word: RawWord) -> float:
    """Return where an amount ends, without the next one's sign, set close: `8,778$`."""
    close = len(word[4]) > 1 and word[4][-1] in SIGNS
    return word[2] - (word[2] - word[0]) / len(word[4]) if close else word[2]


def _amounts(words: Sequence[RawWord]) -> list[_Amount]:
    """Return amounts, each with its sign; none where other words or a range are among them."""
    if _has_range(words):
        return []
    found: list[_Amount] = []
    start: float | None = None
    for word in words:
        if word[4] in SIGNS:
            start = word[0] if start is None else start
        elif is_amount(word[4]):
            x0 = word[0] if start is None else start
            found.append(_Amount(x0, amount_end(word), word[3] - word[1]))
            start = None
        else:
            return []
    return found if start is None else []


def _has_range(words: Sequence[RawWord]) -> bool:
    """Tell a dash between two numbers from one that stands for no amount."""
    for before, dash, after in zip(words, words[1:], words[2:], strict=False):
        blank = _BLANK * (after[3] - after[1])
        if dash[4] in _DASHES and dash[0] - before[2] < blank and after[0] - dash[2] < blank:
            return True
    return False
