"""Rows of a ruled table that no rule parts: lines between two rules that each hold amounts.

Print often rules the columns of a table and only groups of its rows. Between two level rules,
lines are rows when at least two columns go along: amounts stand alone on them in one column, and
each such line has words in another one. A line without amounts belongs to a row next to it, as a
label that runs over two lines. A label in the middle of its group stays one cell over all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pagehop.layout.cells import is_amount
from pagehop.layout.grids import Grid
from pagehop.layout.page_lines import Line
from pagehop.layout.rows import RawWord

_MIDDLE = 0.3
"""Line heights by which a label may stand beside the middle of its group."""


@dataclass(slots=True)
class _Level:
    """Words on one base line between two rules."""

    top: float
    foot: float
    by_column: dict[int, list[RawWord]]

    def text(self, column: int) -> str:
        return " ".join(word[4] for word in self.by_column.get(column, []))


def with_inner_rows(grid: Grid, lines: Sequence[Line]) -> Grid:
    """Return a grid with a rule above each row that has none of its own."""
    ys, across = list(grid.ys), list(grid.across)
    for top, foot in zip(grid.ys, grid.ys[1:], strict=False):
        levels = _levels(grid, lines, top, foot)
        starts = _row_starts(levels)
        for i in starts[1:]:
            y = (levels[i - 1].foot + levels[i].top) / 2
            ys.append(y)
            across += [
                (grid.xs[column], y, grid.xs[column + 1], y)
                for column in range(len(grid.xs) - 1)
                if not _spans(column, levels)
            ]
    return replace(grid, ys=tuple(sorted(ys)), across=tuple(across))


def _levels(grid: Grid, lines: Sequence[Line], top: float, foot: float) -> list[_Level]:
    """Return the base lines between two rules, top to bottom."""
    levels: list[_Level] = []
    words = [w for line in lines for w in line.words if top < (w[1] + w[3]) / 2 < foot]
    words = [w for w in words if grid.xs[0] < (w[0] + w[2]) / 2 < grid.xs[-1]]
    for word in sorted(words, key=lambda w: (w[1] + w[3], w[0])):
        middle = (word[1] + word[3]) / 2
        if not levels or middle > levels[-1].foot:
            levels.append(_Level(word[1], word[3], {}))
        column = int(np.searchsorted(grid.xs, (word[0] + word[2]) / 2)) - 1
        levels[-1].by_column.setdefault(column, []).append(word)
    return levels


def _row_starts(levels: Sequence[_Level]) -> list[int]:
    """Return at which lines rows begin; only the first one where all is one row."""
    columns = {column for level in levels for column in level.by_column if column > 0}
    for column in sorted(columns):
        texts = [level.text(column) for level in levels]
        full = [i for i, text in enumerate(texts) if text]
        if len(full) < 2 or not all(is_amount(texts[i]) for i in full):
            continue
        if sum(len(levels[i].by_column) > 1 for i in full) == len(full):
            return _with_labels(levels, full)
    return [0]


def _with_labels(levels: Sequence[_Level], rows: Sequence[int]) -> list[int]:
    """Give lines between rows to the one below, or above when they go on with its label."""
    starts = []
    for above, i in zip([-1, *rows], rows, strict=False):
        start = i
        while start - 1 > above and not _goes_on(levels[start - 1]):
            start -= 1
        starts.append(start)
    return [0, *starts[1:]]


def _goes_on(level: _Level) -> bool:
    text = " ".join(level.text(column) for column in sorted(level.by_column))
    return text[:1].islower() or text.startswith("(")


def _spans(column: int, levels: Sequence[_Level]) -> bool:
    """Tell a label that stands in the middle of its group."""
    own = [level for level in levels if column in level.by_column]
    if column > 0 or not own or len(own) > 1:
        return False
    middle = (levels[0].top + levels[-1].foot) / 2
    return abs((own[0].top + own[0].foot) / 2 - middle) < _MIDDLE * (own[0].foot - own[0].top)
