"""Tables told by their rules: grids of lines that cross, and rows between full-width rules.

1. Rules that touch one another are one frame, open at a side where level rules reach beyond the
   last upright one. A frame with at least two columns and two rows whose cells hold words is a
   table; where a rule is missing between two cells, they are one.
2. Level rules of the same width above one another, with rows of several cells between them, are
   the top, head line and foot of a table without upright rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from pagehop.layout.page_lines import Line, is_caption
from pagehop.layout.page_marks import Marks
from pagehop.types import Box

_TOUCH_PT = 2.5
_MOST_RULES = 1200
_SHORT_PT = 6.0
_OPEN_PT = 12.0
"""Level rules that reach further beyond the outermost upright one end a column that it begins."""
_ROW_PT = 20.0
"""Height that a row across all columns, between the parts of a table, may have."""
_MOST_LINES = 80
"""Columns or rows of a grid; more are a plot's grid or a hatching."""


@dataclass(frozen=True)
class Grid:
    """A table's frame; points."""

    box: Box
    xs: tuple[float, ...]
    """Edges of its columns; empty when no upright rules part them."""
    ys: tuple[float, ...]
    """Edges of its rows."""
    upright: tuple[Box, ...] = ()
    across: tuple[Box, ...] = ()


def find_grids(marks: Marks, lines: Sequence[Line]) -> list[Grid]:
    """Find the ruled tables of a page, none inside another."""
    found = [grid for grid in _frames(marks, lines) if _holds_cells(grid, lines)]
    for grid in _banded(marks.across, lines):
        if not any(_overlap(grid.box, other.box) for other in found):
            found.append(grid)
    found.sort(key=lambda grid: -_area(grid.box))
    kept: list[Grid] = []
    for grid in found:
        if not any(_overlap(grid.box, other.box) for other in kept):
            kept.append(grid)
    return kept


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _frames(marks: Marks, lines: Sequence[Line]) -> list[Grid]:
    across = [r for r in marks.across if r[2] - r[0] > _SHORT_PT]
    upright = [r for r in marks.upright if r[3] - r[1] > _SHORT_PT]
    if len(upright) < 3 or len(across) < 3:
        return []
    across = sorted(across, key=lambda r: r[0] - r[2])[:_MOST_RULES]
    upright = sorted(upright, key=lambda r: r[1] - r[3])[:_MOST_RULES]
    rules = np.array(across + upright)
    parts = []
    for part in _components(rules):
        level = [across[i] for i in part if i < len(across)]
        steep = [upright[i - len(across)] for i in part if i >= len(across)]
        ys = _merged([(r[1] + r[3]) / 2 for r in level])
        xs = _merged([(r[0] + r[2]) / 2 for r in steep])
        if 3 <= len(xs) <= _MOST_LINES and 2 <= len(ys) <= _MOST_LINES:
            xs = _with_open_sides(xs, level)
            box = xs[0], ys[0], xs[-1], ys[-1]
            parts.append(Grid(box, tuple(xs), tuple(ys), tuple(steep), tuple(level)))
    return [grid for grid in _joined(parts, lines) if len(grid.ys) >= 3]


def _joined(parts: Sequence[Grid], lines: Sequence[Line]) -> list[Grid]:
    """Join what follows one another with the same columns: parts of one table."""
    joined: list[Grid] = []
    for part in sorted(parts, key=lambda grid: grid.ys[0]):
        at = next((i for i, above in enumerate(joined) if _goes_on(above, part, lines)), None)
        if at is None:
            joined.append(part)
            continue
        above = joined[at]
        xs, ys = _merged(above.xs + part.xs), _merged(above.ys + part.ys)
        rules = above.upright + part.upright, above.across + part.across
        joined[at] = Grid((xs[0], ys[0], xs[-1], ys[-1]), tuple(xs), tuple(ys), *rules)
    return joined


def _goes_on(above: Grid, part: Grid, lines: Sequence[Line]) -> bool:
    """Tell whether a part begins at another's foot: below a double rule or a row of one cell."""
    few, many = sorted((above.xs, part.xs), key=len)
    ends = abs(few[0] - many[0]) < 2 * _TOUCH_PT and abs(few[-1] - many[-1]) < 2 * _TOUCH_PT
    if not ends or any(all(abs(x - other) > 2 * _TOUCH_PT for other in many) for x in few):
        return False
    top, foot = above.ys[-1], part.ys[0]
    if not 0 <= foot - top < _ROW_PT:
        return False
    if foot - top < 2 * _TOUCH_PT:
        return True
    between = [line for line in lines if top < (line.y0 + line.y1) / 2 < foot]
    between = [line for line in between if line.x1 > many[0] and line.x0 < many[-1]]
    inside = all(many[0] - 2 < line.x0 and line.x1 < many[-1] + 2 for line in between)
    return len(between) == 1 and inside and not is_caption(between[0].text, alone=True)


def _with_open_sides(xs: list[float], level: Sequence[Box]) -> list[float]:
    """Add the columns beside the outermost upright rules, which most level rules reach over."""
    left = [r[0] for r in level if r[0] < xs[0] - _OPEN_PT]
    right = [r[2] for r in level if r[2] > xs[-1] + _OPEN_PT]
    edges = [median(left)] if 2 * len(left) > len(level) else []
    return edges + xs + ([median(right)] if 2 * len(right) > len(level) else [])


def _components(boxes: NDArray[np.float64]) -> list[list[int]]:
    """Group boxes that touch; (n, 4)."""
    a = boxes + np.array([-_TOUCH_PT, -_TOUCH_PT, _TOUCH_PT, _TOUCH_PT])
    left = set(range(len(boxes)))
    groups = []
    while left:
        start = left.pop()
        group, queue = [start], [start]
        while queue:
            x0, y0, x1, y1 = a[queue.pop()]
            touching = (boxes[:, 0] <= x1) & (boxes[:, 2] >= x0)
            touching &= (boxes[:, 1] <= y1) & (boxes[:, 3] >= y0)
            fresh = [int(i) for i in np.flatnonzero(touching) if int(i) in left]
            left.difference_update(fresh)
            group += fresh
            queue += fresh
        groups.append(group)
    return groups


def _merged(positions: Sequence[float]) -> list[float]:
    edges: list[float] = []
    for position in sorted(positions):
        if not edges or position - edges[-1] > 2 * _TOUCH_PT:
            edges.append(position)
    return edges


def _holds_cells(grid: Grid, lines: Sequence[Line]) -> bool:
    """Ask for words in at least two columns and rows, and in most rows."""
    filled: set[tuple[int, int]] = set()
    for line in lines:
        for word in line.words:
            x, y = (word[0] + word[2]) / 2, (word[1] + word[3]) / 2
            if grid.box[0] < x < grid.box[2] and grid.box[1] < y < grid.box[3]:
                row, column = np.searchsorted(grid.ys, y) - 1, np.searchsorted(grid.xs, x) - 1
                filled.add((int(row), int(column)))
    rows, columns = {row for row, _ in filled}, {column for _, column in filled}
    if len(rows) < 2 or len(columns) < 2 or len(rows) < 0.5 * (len(grid.ys) - 1):
        return False
    several = sum(len({c for r, c in filled if r == row}) >= 2 for row in rows)
    return several >= 2 and len(filled) >= 0.3 * (len(grid.ys) - 1) * (len(grid.xs) - 1)


def _banded(across: Sequence[Box], lines: Sequence[Line]) -> list[Grid]:
    """Find rows between level rules of one width: the rules that print sets above and below."""
    groups: dict[tuple[int, int], list[Box]] = {}
    for rule in across:
        if rule[2] - rule[0] < 60:
            continue
        key = next(
            (k for k in groups if abs(k[0] - rule[0]) < 4 and abs(k[1] - rule[2]) < 4),
            (round(rule[0]), round(rule[2])),
        )
        groups.setdefault(key, []).append(rule)
        if len(groups) > 60:
            return []
    found = []
    for (x0, x1), rules in groups.items():
        ys = _merged([(r[1] + r[3]) / 2 for r in rules])
        if 3 <= len(ys) <= _MOST_LINES:
            found += _between(float(x0), float(x1), ys, lines)
    return found


def _between(x0: float, x1: float, ys: list[float], lines: Sequence[Line]) -> list[Grid]:
    """Cut a ladder of rules where what stands between two of them is no row of cells."""
    found: list[Grid] = []
    run = [ys[0]]
    for top, foot in zip(ys, [*ys[1:], float("inf")], strict=True):
        inside = [
            line for line in lines
            if top < (line.y0 + line.y1) / 2 < foot and line.x0 > x0 - 6 and line.x1 < x1 + 6
        ] if foot < float("inf") else []  # fmt: skip
        alone = [
            line for line in lines
            if top < (line.y0 + line.y1) / 2 < foot and line.x0 < x1 and line.x1 > x0
        ] if foot < float("inf") else []  # fmt: skip
        if inside and len(inside) == len(alone) and _are_cells(inside):
            run.append(foot)
            continue
        if len(run) >= 3:
            found.append(Grid((x0, run[0], x1, run[-1]), (), tuple(run)))
        run = [foot]
    return found


def _are_cells(inside: Sequence[Line]) -> bool:
    several = sum(len(line.cells) >= 2 for line in inside)
    prose = sum(len(line.cells) < 2 and len(line.words) > 9 for line in inside)
    return several >= 0.4 * len(inside) and prose <= 0.25 * len(inside)
