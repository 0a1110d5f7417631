"""Cells of a table: rows and columns, heads that span columns, labels that run over lines.

1. Columns are the ranges that the cells of the rows share; cells across several of them are left
   out when the ranges are drawn. The edges of a ruled grid overrule them.
2. A head line with fewer parts than there are columns spans them: by the rule under each part,
   else in equal shares where the part stands in the middle of its share.
3. Rows end at the rules between them; without rules, a label that runs over lines is one row with
   its numbers, and a line without a label goes on with the row above when the cells are words.

Not covered: cells that span rows in tables without upright rules.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pagehop.layout.grids import Grid
from pagehop.layout.page_lines import Line, around
from pagehop.layout.rows import RawWord
from pagehop.types import Box

_MOST_ROWS = 400
_CLOSE = 0.45
"""Gap inside a row of several lines, in line heights."""
_UNIT = re.compile(
    r"\(?(?:[^()]{0,40}\b)?(?:in|IN|In)\s+(?:[A-Za-z.]{0,12}\$?\s?)?"
    r"(?:thousand|million|billion|THOUSAND|MILLION|BILLION|Thousand|Million|Billion)[^()]{0,60}\)?"
    r"|[(\[]?(?:US)?[$€£¥]\s?(?:'?000s?|m|mn|bn|million|billion|thousand)\b[)\]]?"
)
_NUMERIC = re.compile(r"[^A-Za-z]*\d[^A-Za-z]*")
_NOTHING = frozenset({"-", "--", "\u2013", "\u2014", "\u2212", "n/a", "N/A", "nm", "*"})


@dataclass(slots=True)
class CellText:
    """One cell; `columns` is how many it spans."""

    text: str
    row: int
    column: int
    columns: int
    rows: int
    box: Box
    """Points."""


@dataclass(slots=True)
class TableCells:
    """The cells of one table, row by row."""

    cells: list[CellText]
    rows: int
    columns: int
    heads: int
    """Leading rows that are column headers."""
    unit: str = ""


@dataclass(slots=True)
class _Part:
    """Words of one line without a wide gap."""

    words: list[RawWord]
    x0: float
    x1: float
    column: int = 0
    columns: int = 1

    @property
    def text(self) -> str:
        return " ".join([word[4] for word in self.words])


def find_unit(texts: Sequence[str]) -> str:
    """Return the first scale that texts at a table's head name, e.g. `(in millions)`."""
    for text in texts:
        match = _UNIT.search(text)
        if match:
            return " ".join(match.group().split()).strip("()[] ,;")
    return ""


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
        table = _from_grid(lines, grid)
    else:
        table = _from_lines(lines, heads, across, grid.ys if grid else ())
    table.unit = unit
    return table


def _from_grid(lines: Sequence[Line], grid: Grid) -> TableCells:
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
        cells.append(CellText(_spelled(words), rows[row], column, columns, spanned, around(words)))
    table = TableCells(cells, len(used), len(xs) - 1, 0)
    table.heads = _count_heads(table)
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


def _spelled(words: Sequence[RawWord]) -> str:
    return " ".join([word[4] for word in words])


def _parts(line: Line) -> list[_Part]:
    parts, at = [], 0
    for cell in line.cells:
        words = line.words[at : at + cell.words]
        at += cell.words
        parts.append(_Part(words, cell.x0, cell.x1))
    return parts


def _from_lines(
    lines: Sequence[Line], heads: int, across: Sequence[Box], ys: Sequence[float]
) -> TableCells:
    parted = [_parts(line) for line in lines]
    edges = _columns(parted[heads:] or parted)
    if heads:
        edges = _with_head_columns(edges, parted[:heads])
    rows: list[list[_Part]] = []
    starts: list[float] = []
    for i, (line, parts) in enumerate(zip(lines, parted, strict=True)):
        placed = _placed_head(parts, line, edges, across) if i < heads else _placed(parts, edges)
        rows.append(placed)
        starts.append(line.y0)
    groups = _rows(lines, rows, heads)
    if ys and _is_worded(rows, heads):
        groups = _bands(lines, ys)
    cells: list[CellText] = []
    for number, group in enumerate(groups):
        cells += _row_cells([rows[i] for i in group], number)
    table = TableCells(cells, len(groups), max(len(edges), 1), 0)
    table.heads = sum(group[-1] < heads for group in groups)
    if ys and not table.heads:
        table.heads = _count_heads(table)
    return table


def _columns(rows: Sequence[Sequence[_Part]]) -> list[tuple[float, float]]:
    """Draw the ranges of the columns from the rows with several cells."""
    several = [parts for parts in rows if len(parts) > 1]
    boxes = [(part.x0, part.x1, i) for i, parts in enumerate(several) for part in parts]
    if not boxes:
        spans = [(part.x0, part.x1) for parts in rows for part in parts]
        return [(min(s[0] for s in spans), max(s[1] for s in spans))] if spans else []
    array = np.array(boxes)
    x0, x1, row = array[:, 0], array[:, 1], array[:, 2].astype(int)
    crossing = (x0[:, None] < x1[None, :]) & (x0[None, :] < x1[:, None])  # (n, n)
    per_row = np.zeros((len(boxes), len(several)), dtype=int)
    for i in range(len(several)):
        per_row[:, i] = crossing[:, row == i].sum(axis=1)
    wide = (per_row >= 2).sum(axis=1) >= max(2, 0.15 * len(several))
    if len(several) < 4:
        wide = (per_row >= 2).any(axis=1) & (per_row.max(axis=1) > 2)
    if wide.all():
        wide[:] = False
    ranges: list[list[float]] = []
    for a, b in sorted((a, b) for a, b, w in zip(x0, x1, wide, strict=True) if not w):
        if ranges and a < ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], b)
        else:
            ranges.append([a, b])
    return [(float(a), float(b)) for a, b in ranges]


def _with_head_columns(
    edges: list[tuple[float, float]], heads: Sequence[Sequence[_Part]]
) -> list[tuple[float, float]]:
    """Add a column for labels where the head begins left of all cells, and widen by its parts."""
    found = list(edges)
    for parts in heads:
        for part in parts:
            over = [i for i, (a, b) in enumerate(found) if part.x0 < b and a < part.x1]
            if len(over) == 1 and len(parts) > 1:
                a, b = found[over[0]]
                left = found[over[0] - 1][1] if over[0] else -1e9
                right = found[over[0] + 1][0] if over[0] + 1 < len(found) else 1e9
                found[over[0]] = max(min(a, part.x0), left), min(max(b, part.x1), right)
    return found


def _placed(parts: Sequence[_Part], edges: Sequence[tuple[float, float]]) -> list[_Part]:
    for part in parts:
        part.column = _column_of(part, edges)
    return list(parts)


def _column_of(part: _Part, edges: Sequence[tuple[float, float]]) -> int:
    shared = [min(part.x1, b) - max(part.x0, a) for a, b in edges]
    best = max(range(len(edges)), key=lambda i: shared[i])
    first = next((i for i, s in enumerate(shared) if s > 0), best)
    # A label that runs under the first amounts is still a label.
    return first if not _is_amount(part.text) else best


def _placed_head(
    parts: Sequence[_Part],
    line: Line,
    edges: Sequence[tuple[float, float]],
    across: Sequence[Box],
) -> list[_Part]:
    """Give the parts of a head line the columns that they stand over."""
    parts = [piece for part in parts for piece in _split_years(part, edges)]
    spans: list[tuple[int, int]] = []
    for part in parts:
        rule = _rule_under(part, line, across)
        x0, x1 = (min(part.x0, rule[0]), max(part.x1, rule[2])) if rule else (part.x0, part.x1)
        over = [i for i, (a, b) in enumerate(edges) if min(x1, b) - max(x0, a) > 0.3 * (b - a)]
        shared = [min(x1, b) - max(x0, a) for a, b in edges]
        if not over and max(shared) > 0:
            over = [shared.index(max(shared))]
        if not over:
            centre = (part.x0 + part.x1) / 2
            over = [min(range(len(edges)), key=lambda i: abs(sum(edges[i]) / 2 - centre))]
        spans.append((over[0], over[-1]))
    spans = _shared_out(parts, spans, edges)
    for part, (first, last) in zip(parts, spans, strict=True):
        part.column, part.columns = first, last - first + 1
    return list(parts)


def _split_years(part: _Part, edges: Sequence[tuple[float, float]]) -> list[_Part]:
    """Part `2018 2017`, set close, where each word stands over a column of its own."""
    if len(part.words) < 2:
        return [part]
    columns = []
    for word in part.words:
        centre = (word[0] + word[2]) / 2
        over = [i for i, (a, b) in enumerate(edges) if a - 4 <= centre <= b + 4]
        columns.append(over[0] if len(over) == 1 else -1)
    amounts = all(_is_amount(word[4]) for word in part.words)
    if amounts and -1 not in columns and len(set(columns)) == len(columns):
        return [_Part([word], word[0], word[2]) for word in part.words]
    return [part]


def _rule_under(part: _Part, line: Line, across: Sequence[Box]) -> Box | None:
    centres = [(cell.x0 + cell.x1) / 2 for cell in line.cells]
    others = [centre for centre in centres if not part.x0 <= centre <= part.x1]
    near = [
        r for r in across
        if -3 <= r[1] - line.y1 < 6 and r[0] - 2 <= (part.x0 + part.x1) / 2 <= r[2] + 2
        and not any(r[0] < other < r[2] for other in others)
    ]  # fmt: skip
    return min(near, key=lambda r: r[2] - r[0]) if near else None


def _shared_out(
    parts: Sequence[_Part], spans: list[tuple[int, int]], edges: Sequence[tuple[float, float]]
) -> list[tuple[int, int]]:
    """Spread head parts over the value columns in equal shares when each stands amid its share."""
    values = list(range(1, len(edges)))
    heads = [i for i, span in enumerate(spans) if span[1] >= 1]
    if not heads or len(values) <= len(heads) or len(values) % len(heads):
        return spans
    share = len(values) // len(heads)
    out = list(spans)
    for k, i in enumerate(heads):
        first, last = values[k * share], values[(k + 1) * share - 1]
        middle = (edges[first][0] + edges[last][1]) / 2
        width = edges[last][1] - edges[first][0]
        if abs((parts[i].x0 + parts[i].x1) / 2 - middle) > 0.18 * width:
            return spans
        out[i] = first, last
    return out


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


def _rows(lines: Sequence[Line], rows: Sequence[Sequence[_Part]], heads: int) -> list[list[int]]:
    """Group the lines of one row."""
    groups: list[list[int]] = []
    worded = _is_worded(rows, heads)
    for i in range(len(lines)):
        if i > heads and groups and _goes_on(lines, rows, groups[-1], i, worded=worded):
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _is_worded(rows: Sequence[Sequence[_Part]], heads: int) -> bool:
    """Tell a table of words, whose cells run over lines, from one of amounts."""
    amounts = sum(any(_is_amount(p.text) for p in row[1:]) for row in rows[heads:])
    return amounts < 0.3 * max(1, len(rows) - heads)


def _goes_on(
    lines: Sequence[Line],
    rows: Sequence[Sequence[_Part]],
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
        return worded or not held or not any(_is_amount(part.text) for part in row)
    last = next((p.text for j in reversed(group) for p in rows[j] if p.column == 0), "")
    runs_on = labels[0][:1].islower() or (labels[0].startswith("(") and not last.endswith(":"))
    opened = bool(last) and (last[-1] in ",-\u2013\u2014" or last.split()[-1] in _OPEN_WORDS)
    if held and values:
        return False
    return (runs_on or opened) and not (held and labels[0].startswith("("))


_OPEN_WORDS = frozenset({"and", "of", "or", "the", "to", "for", "in", "on", "by", "from", "with"})


def _row_cells(rows: Sequence[Sequence[_Part]], number: int) -> list[CellText]:
    by_column: dict[int, list[_Part]] = {}
    for row in rows:
        for part in row:
            by_column.setdefault(part.column, []).append(part)
    cells = []
    for column, parts in sorted(by_column.items()):
        words = [word for part in parts for word in part.words]
        columns = max(part.columns for part in parts)
        cells.append(CellText(_spelled(words), number, column, columns, 1, around(words)))
    return cells


def _count_heads(table: TableCells) -> int:
    """Count the rows of a ruled table before the first with an amount; at least one."""
    by_row: dict[int, list[CellText]] = {}
    for cell in table.cells:
        by_row.setdefault(cell.row, []).append(cell)
    for row in range(table.rows):
        cells = by_row.get(row, [])
        if any(_is_amount(c.text) and not _is_year(c.text) for c in cells if c.column > 0):
            return min(max(row, 0), table.rows - 1)
    return 1 if table.rows > 1 else 0


def _is_amount(text: str) -> bool:
    return bool(_NUMERIC.fullmatch(text)) or text in _NOTHING


def _is_year(text: str) -> bool:
    return bool(re.fullmatch(r"(?:FY\s?)?(?:19|20)\d\d", text))
