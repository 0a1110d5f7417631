"""Rows of a ruled table that no rule parts: lines between two rules that each hold amounts.

Print often rules the columns of a table and only groups of its rows. Between two level rules a
line begins a row when an amount stands alone on it in a column that holds nothing but amounts, and
another column has words on it. What goes on with the line above is no row: amounts in brackets
beside no label of their own (`123` over `(45 %)`), and what follows a dash or comma. A line without
amounts is part of a label that runs over lines: of the row above where labels run down from their
amounts, else of the one below. A label in the middle of its group stays one cell over all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pagehop.layout.cells import OPEN_WORDS, is_amount
from pagehop.layout.grids import Grid
from pagehop.layout.page_lines import Line
from pagehop.layout.rows import RawWord
from pagehop.types import Box

_MIDDLE = 0.3
"""Line heights by which a label may stand beside the middle of its group."""
_SAME = 0.5
"""Share of the lower of two words that stand on one line; raised marks do."""
_OPEN_ENDS = "-\u2013\u2014,;/("


@dataclass(slots=True)
class _Level:
    """Words on one line between two rules."""

    top: float
    foot: float
    by_column: dict[int, list[RawWord]]

    def text(self, column: int) -> str:
        return " ".join(word[4] for word in self.by_column.get(column, []))

    @property
    def label(self) -> str:
        return self.text(0)


def with_inner_rows(grid: Grid, lines: Sequence[Line]) -> Grid:
    """Return a grid with a rule above each row that has none of its own."""
    ys, across = list(grid.ys), list(grid.across)
    for top, foot in pairwise(grid.ys):
        levels = _levels(grid, lines, top, foot)
        whole = [not _spans(column, levels) for column in range(len(grid.xs) - 1)]
        for i in _row_starts(levels)[1:]:
            y = (levels[i - 1].foot + levels[i].top) / 2
            ys.append(y)
            across += _rules(grid, y, whole)
    return replace(grid, ys=tuple(sorted(ys)), across=tuple(across))


def _rules(grid: Grid, y: float, whole: Sequence[bool]) -> list[Box]:
    """Draw a rule over the columns that are parted, one over all that stand side by side."""
    rules: list[Box] = []
    for column, parted in enumerate(whole):
        x0, x1 = grid.xs[column], grid.xs[column + 1]
        if parted and rules and rules[-1][2] == x0:
            rules[-1] = (rules[-1][0], y, x1, y)
        elif parted:
            rules.append((x0, y, x1, y))
    return rules


def _levels(grid: Grid, lines: Sequence[Line], top: float, foot: float) -> list[_Level]:
    """Return the lines between two rules, top to bottom."""
    levels: list[_Level] = []
    inside = [line for line in lines if line.y0 < foot and line.y1 > top]
    words = [w for line in inside for w in line.words if top < (w[1] + w[3]) / 2 < foot]
    words = [w for w in words if grid.xs[0] < (w[0] + w[2]) / 2 < grid.xs[-1]]
    for word in sorted(words, key=lambda w: w[1] + w[3]):
        if not levels or not _on_level(levels[-1], word):
            levels.append(_Level(word[1], word[3], {}))
        level = levels[-1]
        level.top, level.foot = min(level.top, word[1]), max(level.foot, word[3])
        column = int(np.searchsorted(grid.xs, (word[0] + word[2]) / 2)) - 1
        level.by_column.setdefault(column, []).append(word)
    for level in levels:
        for own in level.by_column.values():
            own.sort(key=lambda w: w[0])
    return levels


def _on_level(level: _Level, word: RawWord) -> bool:
    shared = min(level.foot, word[3]) - max(level.top, word[1])
    return shared >= _SAME * min(level.foot - level.top, word[3] - word[1])


def _row_starts(levels: Sequence[_Level]) -> list[int]:
    """Return at which lines rows begin; only the first one where all is one row."""
    columns = sorted({column for level in levels for column in level.by_column if column > 0})
    texts = {column: [level.text(column) for level in levels] for column in columns}
    amounts = [c for c in columns if all(is_amount(text) for text in texts[c] if text)]
    rows = [
        i
        for i, level in enumerate(levels)
        if any(texts[c][i] for c in amounts) and not _goes_on(levels, i, amounts)
    ]
    if len(rows) < 2 or any(len(levels[i].by_column) < 2 for i in rows):
        return [0]
    return _with_labels(levels, rows)


def _goes_on(levels: Sequence[_Level], i: int, amounts: Sequence[int]) -> bool:
    """Tell amounts that belong to the line above."""
    if not i:
        return False
    level, above = levels[i], levels[i - 1]
    ends = [above.text(c)[1:][-1:] for c in amounts if level.text(c)]  # a dash alone is nil
    if any(end and end in _OPEN_ENDS for end in ends):
        return True
    texts = [level.text(c) for c in amounts if level.text(c)]
    own = level.label and not level.label[:1].islower()
    return all(text.startswith(("(", "[")) for text in texts) and not own


def _with_labels(levels: Sequence[_Level], rows: Sequence[int]) -> list[int]:
    """Give lines between rows to the one below, or above when they go on with its label."""
    runs_down = rows[-1] < len(levels) - 1  # labels begin on the line of their amounts
    starts = [0]
    for above, i in pairwise(rows):
        start = i
        while not runs_down and start - 1 > above and not _ends(levels, start - 1):
            start -= 1
        starts.append(start)
    return starts


def _ends(levels: Sequence[_Level], i: int) -> bool:
    """Tell the end of the label above from the beginning of the one below."""
    words = levels[i - 1].label.split()
    opened = bool(words) and (words[-1] in OPEN_WORDS or words[-1][-1] in _OPEN_ENDS)
    return opened or levels[i].label[:1].islower() or levels[i].label.startswith("(")


def _spans(column: int, levels: Sequence[_Level]) -> bool:
    """Tell a label that stands in the middle of its group."""
    own = [level for level in levels if column in level.by_column]
    if column > 0 or len(own) != 1:
        return False
    middle = (levels[0].top + levels[-1].foot) / 2
    return abs((own[0].top + own[0].foot) / 2 - middle) < _MIDDLE * (own[0].foot - own[0].top)
