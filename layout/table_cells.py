"""Cells of a table: rows and columns, heads that span columns, labels that run over lines.

1. The edges of a ruled grid part cells (`grid_cells`); without them columns are drawn from what
   the rows share (`table_columns`).
2. Rows end at the rules between them; without rules, a label that runs over lines is one row with
   its numbers, and a line without a label goes on with the row above when the cells are words.

Not covered: cells that span rows in tables without upright rules.
"""

from collections.abc import Sequence

import numpy as np

from pagehop.layout.cells import (
    OPEN_WORDS,
    CellText,
    TableCells,
    count_heads,
    find_unit,
    is_amount,
    spelled,
)
from pagehop.layout.grid_cells import cells_of_grid
from pagehop.layout.grid_rows import with_inner_rows
from pagehop.layout.grids import Grid
from pagehop.layout.page_lines import Line, around
from pagehop.layout.table_columns import (
    Part,
    draw_columns,
    parted_closely,
    parts_of,
    placed_head,
    placed_parts,
    widened_by_heads,
)
from pagehop.types import Box

_MOST_ROWS = 400
_CLOSE = 0.45
"""Gap inside a row of several lines, in line heights."""


def cut_cells(
    lines: Sequence[Line], heads: int, grid: Grid | None = None, across: Sequence[Box] = ()
) -> TableCells:
    """Cut the lines of a table into cells.

    Args:
        lines: Top to bottom.
        heads: How many of them are the head.
        grid: Its frame, when it is ruled.
        across: Level rules in its box.
    """
    lines = lines[:_MOST_ROWS]
    unit = find_unit([line.text for line in lines[: max(heads, 2)]])
    if grid is not None and grid.xs:
        table = cells_of_grid(lines, with_inner_rows(grid, lines))
    else:
        table = _from_lines(lines, heads, across, grid.ys if grid else ())
    table.unit = unit
    return table


def _from_lines(
    lines: Sequence[Line], heads: int, across: Sequence[Box], ys: Sequence[float]
) -> TableCells:
    parted = parted_closely([parts_of(line) for line in lines])
    edges = draw_columns(parted[heads:] or parted)
    if heads:
        edges = widened_by_heads(edges, parted[:heads])
    rows = [
        placed_head(parts, line, edges, across) if i < heads else placed_parts(parts, edges)
        for i, (line, parts) in enumerate(zip(lines, parted, strict=True))
    ]
    groups = _rows(lines, rows, heads)
    if ys and _is_worded(rows, heads):
        groups = _bands(lines, ys)
    cells: list[CellText] = []
    for number, group in enumerate(groups):
        cells += _row_cells([rows[i] for i in group], number)
    table = TableCells(cells, len(groups), max(len(edges), 1), 0)
    table.heads = sum(group[-1] < heads for group in groups)
    if ys and not table.heads:
        table.heads = count_heads(table)
    return table


def _bands(lines: Sequence[Line], ys: Sequence[float]) -> list[list[int]]:
    """Group lines by the rules between them, unless a band holds many rows."""
    bands: dict[int, list[int]] = {}
    for i, line in enumerate(lines):
        bands.setdefault(int(np.searchsorted(ys, (line.y0 + line.y1) / 2)), []).append(i)
    groups: list[list[int]] = []
    for _, band in sorted(bands.items()):
        full = sum(len(lines[i].cells) > 1 for i in band)
        amounts = sum(any(c.is_number for c in lines[i].cells[1:]) for i in band)
        if full > 1 and (amounts > 1 or len(band) > 6):
            groups += [[i] for i in band]
        else:
            groups.append(band)
    return groups


def _rows(lines: Sequence[Line], rows: Sequence[Sequence[Part]], heads: int) -> list[list[int]]:
    """Group the lines of one row."""
    groups: list[list[int]] = []
    worded = _is_worded(rows, heads)
    for i in range(len(lines)):
        if i > heads and groups and _goes_on(lines, rows, groups[-1], i, worded=worded):
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _is_worded(rows: Sequence[Sequence[Part]], heads: int) -> bool:
    """Tell a table of words, whose cells run over lines, from one of amounts."""
    amounts = sum(any(is_amount(p.text) for p in row[1:]) for row in rows[heads:])
    return amounts < 0.3 * max(1, len(rows) - heads)


def _goes_on(
    lines: Sequence[Line],
    rows: Sequence[Sequence[Part]],
    group: list[int],
    i: int,
    *,
    worded: bool,
) -> bool:
    line, above = lines[i], lines[i - 1]
    if line.y0 - above.y1 > _CLOSE * min(line.height, above.height):
        return False
    row = rows[i]
    labels = [part.text for part in row if part.column == 0]
    values = any(part.column > 0 for part in row)
    held = any(part.column > 0 for j in group for part in rows[j])
    if not labels:
        return worded or not held or not any(is_amount(part.text) for part in row)
    last = next((p.text for j in reversed(group) for p in rows[j] if p.column == 0), "")
    runs_on = labels[0][:1].islower() or (labels[0].startswith("(") and not last.endswith(":"))
    opened = bool(last) and (last[-1] in ",-\u2013\u2014" or last.split()[-1] in OPEN_WORDS)
    if held and values:
        return False
    return (runs_on or opened) and not (held and labels[0].startswith("("))


def _row_cells(rows: Sequence[Sequence[Part]], number: int) -> list[CellText]:
    by_column: dict[int, list[Part]] = {}
    for row in rows:
        for part in row:
            by_column.setdefault(part.column, []).append(part)
    cells = []
    for column, parts in sorted(by_column.items()):
        words = [word for part in parts for word in part.words]
        columns = max(part.columns for part in parts)
        cells.append(CellText(spelled(words), number, column, columns, 1, around(words)))
    return cells
