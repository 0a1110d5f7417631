"""Cells of a ruled table: what stands between rules; where a rule is missing, cells are one."""

from collections.abc import Sequence

import numpy as np

from pagehop.layout.cells import CellText, TableCells, count_heads, spelled
from pagehop.layout.grids import Grid
from pagehop.layout.page_lines import Line, around
from pagehop.layout.rows import RawWord


def cells_of_grid(lines: Sequence[Line], grid: Grid) -> TableCells:
    """Put words between the rules around them; where a rule is missing, cells are one."""
    xs, ys = np.array(grid.xs), np.array(grid.ys)
    held: dict[tuple[int, int], list[RawWord]] = {}
    for line in lines:
        for word in line.words:
            x, y = (word[0] + word[2]) / 2, (word[1] + word[3]) / 2
            column = int(np.clip(np.searchsorted(xs, x) - 1, 0, len(xs) - 2))
            row = int(np.clip(np.searchsorted(ys, y) - 1, 0, len(ys) - 2))
            held.setdefault(_first_of(row, column, grid), []).append(word)
    used = sorted({row for row, _ in held})
    rows = {row: i for i, row in enumerate(used)}
    cells = []
    for (row, column), words in sorted(held.items()):
        columns = 1
        while column + columns < len(xs) - 1 and not _parted(grid, row, column + columns):
            columns += 1
        deep = 1
        while row + deep < len(ys) - 1 and not _ruled(grid, row + deep, column):
            deep += 1
        spanned = sum(row <= other < row + deep for other in used)
        words = _in_lines(words)
        cells.append(CellText(spelled(words), rows[row], column, columns, spanned, around(words)))
    table = TableCells(cells, len(used), len(xs) - 1, 0)
    table.heads = count_heads(table)
    return table


def _first_of(row: int, column: int, grid: Grid) -> tuple[int, int]:
    while column > 0 and not _parted(grid, row, column):
        column -= 1
    while row > 0 and not _ruled(grid, row, column):
        row -= 1
    return row, column


def _parted(grid: Grid, row: int, column: int) -> bool:
    """Tell whether an upright rule parts a row left of a column."""
    middle = (grid.ys[row] + grid.ys[row + 1]) / 2
    return any(abs(r[0] - grid.xs[column]) < 4 and r[1] < middle < r[3] for r in grid.upright)


def _ruled(grid: Grid, row: int, column: int) -> bool:
    """Tell whether a level rule stands above a row in a column."""
    middle = (grid.xs[column] + grid.xs[column + 1]) / 2
    return any(abs(r[1] - grid.ys[row]) < 4 and r[0] < middle < r[2] for r in grid.across)


def _in_lines(words: list[RawWord]) -> list[RawWord]:
    """Order the words of one cell line by line."""
    ordered: list[list[RawWord]] = []
    for word in sorted(words, key=lambda w: (w[1] + w[3], w[0])):
        last = ordered[-1][0] if ordered else None
        if last and (word[1] + word[3]) / 2 < last[3] and (last[1] + last[3]) / 2 > word[1]:
            ordered[-1].append(word)
        else:
            ordered.append([word])
    return [word for line in ordered for word in sorted(line, key=lambda w: w[0])]
