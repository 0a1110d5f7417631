"""Find tables among lines: runs of rows whose cells stand under one another.

1. A row is tabular when gaps part it into cells of which one is a number, or all are short.
2. A run takes in section labels and wrapped labels between tabular rows, and the heads above.
3. A run is a table when the cells of most rows share an edge with a neighbour's.

Not covered: tables without gaps or with one column; cells of several lines are not joined.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from itertools import pairwise

from pagehop.layout.cells import is_amount
from pagehop.layout.page_lines import Cell, Line, is_caption, list_marker

_YEAR = re.compile(r"(?:FY)?(?:19|20)\d\d[*]?")
_FORMULA_NUMBER = re.compile(r"\(\d{1,2}(?:\.\d{1,2})?[a-z]?\)")
_RELATIONS = "=≤≥≈∈∝→<>≡"
_MAX_GAP = 2.8
_ALIGN_PT = 4.0
_TITLE_STEP = 1.6
_MIN_GAP = 1.6
"""Gap between cells of words, in line heights; justified text has gaps up to about 1.3."""


@dataclass(frozen=True)
class TableRun:
    """Lines `start` to `end` (exclusive) are a table; the first `heads` of them are its head."""

    start: int
    end: int
    heads: int


def find_tables(
    lines: list[Line], ruled: Container[int] = (), apart: Container[int] = ()
) -> list[TableRun]:
    """Find the tables among the lines of one column, in order.

    Args:
        lines: Top to bottom.
        ruled: `id` of those that stand between the rules of a table.
        apart: `id` of those that are no head, as a picture's caption.
    """
    tabular = [_is_tabular(line) or (id(line) in ruled and len(line.cells) > 1) for line in lines]
    for i in [i for i, is_row in enumerate(tabular) if is_row]:
        below = next((lines[j] for j in range(i + 1, len(lines)) if tabular[j]), lines[i])
        near = below.y0 - lines[i].y1 < 8 * lines[i].height
        # A heading such as `Note 4:   Debt`; smaller type farther down is another table's.
        amounts = any(cell.is_number for cell in lines[i].cells[1:])
        tabular[i] = amounts or not (near and _is_larger(lines[i], below))
    _join_in(lines, tabular)
    found: list[TableRun] = []
    i = 0
    while i < len(lines):
        if not tabular[i]:
            i += 1
            continue
        end = _run_end(lines, tabular, i)
        rows = [line for line, is_row in zip(lines[i:end], tabular[i:end], strict=True) if is_row]
        framed = sum(id(line) in ruled for line in rows)
        if _is_table(rows) or (framed > 1 and framed >= 0.5 * len(rows)):
            floor = found[-1].end if found else 0
            floor = max([floor, *(j + 1 for j in range(floor, i) if id(lines[j]) in apart)])
            start = _with_heads(lines, tabular, i, end, floor)
            found.append(TableRun(start, end, count_heads(lines[start:end])))
        i = end
    return found


def _join_in(lines: list[Line], tabular: list[bool]) -> None:
    """Take lines of long or close cells for rows where they stand under those of a row near by."""
    for order in (range(len(lines)), range(len(lines) - 1, -1, -1)):
        row: Line | None = None
        since = 0
        for i in order:
            line = lines[i]
            since += 1
            if not tabular[i] and row and since < 8 and _stands_under(line, row):
                tabular[i] = True
            if tabular[i]:
                row, since = line, 0


def _stands_under(line: Line, row: Line) -> bool:
    cells, others = line.cells, row.cells
    if len(cells) < 2 or len(cells) != len(others) or list_marker(line.text) == cells[0].text:
        return False
    flush = abs(cells[0].x0 - others[0].x0) < line.height
    return flush and all(abs(a.x0 - b.x0) < 2 for a, b in zip(cells[1:], others[1:], strict=True))


def _is_tabular(line: Line) -> bool:
    cells = line.cells
    if line.leader:
        return True
    if len(cells) < 2:
        return False
    if len(cells) == 2 and list_marker(line.text) == cells[0].text and not cells[1].is_number:
        return False
    numbers = sum(cell.is_number for cell in cells)
    if numbers == 1 and _FORMULA_NUMBER.fullmatch(cells[-1].text):
        if any(sign in line.text for sign in _RELATIONS):
            return False
    if numbers:
        return max(cell.words for cell in cells) <= 45
    widest = max(b.x0 - a.x1 for a, b in pairwise(cells))
    return max(cell.words for cell in cells) <= 6 and widest > _MIN_GAP * line.height


def _is_larger(line: Line, other: Line) -> bool:
    return line.size > 1.15 * other.size > 0


def _near(above: Line, below: Line) -> bool:
    height = max(1.0, min(above.height, below.height))
    tall = max(above.height, below.height)  # cells of one row, set one lower than the other
    return -tall < below.y0 - above.y1 < _MAX_GAP * height


def _run_end(lines: list[Line], tabular: list[bool], start: int) -> int:
    """Go down from a tabular row as long as another one follows soon."""
    end = start + 1
    i = end
    long = 0
    while i < len(lines) and i - end < 4 and _near(lines[i - 1], lines[i]):
        if is_caption(lines[i].text, alone=False) or _is_new_head(lines, start, i):
            break
        if tabular[i]:
            end = i + 1
            long = 0
        elif end == i and _continues_cell(lines, start, i):
            end = i + 1
        elif _is_larger(lines[i], max(lines[start:end], key=lambda line: line.size)):
            # The rows below a head in small type may be set larger, but not as large as a title.
            title = lines[i].size > _TITLE_STEP * lines[start].size
            if title or any(_has_amounts(row) for row in lines[start:end]):
                break
        elif len(lines[i].words) > 14:
            # A label that runs over one or two lines, close to its row; else text after the table.
            long += 1
            if long > 2 or lines[i].y0 - lines[i - 1].y1 > 0.6 * lines[i].height:
                break
        i += 1
    return end


def _continues_cell(lines: list[Line], start: int, i: int) -> bool:
    """Tell a line of a cell of words from text: it stands under the last cell of its row."""
    line, above = lines[i], lines[i - 1]
    if len(line.cells) > 1 or line.y0 - above.y1 > 0.6 * line.height:
        return False
    row = next((lines[j] for j in range(i - 1, start - 1, -1) if len(lines[j].cells) > 1), None)
    if row is None:
        return False
    last = row.cells[-1]
    indent = line.x0 - last.x0
    within = line.x1 < last.x1 + 2 * line.height
    return abs(indent) < _ALIGN_PT or (within and 0 < indent < 2.5 * line.height)


def _is_new_head(lines: list[Line], start: int, i: int) -> bool:
    """Tell the head of the next table, after a gap: years or words over the columns, no label."""
    line = lines[i]
    if line.y0 - lines[i - 1].y1 <= 0.9 * line.height:
        return False
    cells = [cell for cell in line.cells if not cell.text.startswith("(")]
    if len(cells) > 1 and all(_YEAR.fullmatch(cell.text) for cell in cells):
        return True
    rows = lines[start:i]
    left = min(row.x0 for row in rows)
    unlabelled = line.x0 > left + 0.2 * (max(row.x1 for row in rows) - left)
    worded = not any(cell.is_number and not _YEAR.fullmatch(cell.text) for cell in cells)
    return bool(cells) and unlabelled and worded and any(_has_amounts(row) for row in rows)


def _has_amounts(line: Line) -> bool:
    return any(_is_amount(cell) for cell in line.cells[1:])


def _is_amount(cell: Cell) -> bool:
    return cell.is_number and not _YEAR.fullmatch(cell.text)


def _are_amounts(cell: Cell) -> bool:
    """Tell amounts of several columns, set close; see `close_columns`."""
    texts = cell.text.split()
    amounts = [text for text in texts if is_amount(text) and any(map(str.isdigit, text))]
    return len(texts) == len(amounts) > 1 and not all(map(_YEAR.fullmatch, texts))


def _is_table(rows: list[Line]) -> bool:
    """Ask for enough rows, and cells that stand under one another."""
    numbers = sum(c.is_number for row in rows for c in row.cells)
    numbers += sum(row.leader for row in rows)
    if len(rows) < (2 if numbers >= 2 else 3):
        return False
    aligned = sum(
        _aligned(row, rows[max(0, i - 2) : i] + rows[i + 1 : i + 3]) for i, row in enumerate(rows)
    )
    return aligned >= 0.6 * len(rows)


def _aligned(row: Line, others: list[Line]) -> bool:
    """Tell whether a cell stands flush left, flush right or centred with one of `others`."""
    edges = [_edges(cell) for other in others for cell in other.cells[1:]]
    return row.leader or any(
        abs(a - b) < _ALIGN_PT
        for cell in row.cells[1:]
        for other in edges
        for a, b in zip(_edges(cell), other, strict=True)
    )


def _edges(cell: Cell) -> tuple[float, float, float]:
    return cell.x0, cell.x1, (cell.x0 + cell.x1) / 2


def _with_heads(lines: list[Line], tabular: list[bool], start: int, end: int, floor: int) -> int:
    """Go up from the first row over short lines that stand above its number columns."""
    left = min(lines[start].x0, lines[min(start + 1, len(lines) - 1)].x0)
    width = max(lines[start].x1 - left, 1.0)
    values = min((c.x0 for line in lines[start : start + 4] for c in line.cells[1:]), default=left)
    first = i = start
    while i > floor and start - i < 6 and _near(lines[i - 1], lines[i]):
        i -= 1
        line = lines[i]
        if _is_larger(line, lines[start]):
            break
        over_columns = line.x0 > left + 0.2 * width and len(line.words) <= 14
        over_columns = over_columns and (line.x1 > values or len(line.cells) > 1)
        over_columns = over_columns and not _is_centred(line, lines[start:end])
        unit = line.text.startswith("(") and line.text.endswith(")") and len(line.words) <= 20
        unit = unit and (line.x0 < left + 0.1 * width or line.x1 > values)
        if tabular[i] or over_columns or unit:
            first = i
        elif len(line.words) > 6 or first - i > 1:  # else the label of the first rows
            break
    return first


def _is_centred(line: Line, rows: list[Line]) -> bool:
    """Tell a title, set in the middle of the whole table, from a head over one of its columns."""
    middle = (line.x0 + line.x1) / 2
    left, right = min(row.x0 for row in rows), max(row.x1 for row in rows)
    columns = [cell for row in rows for cell in row.cells[1:]]
    own = any(abs((cell.x0 + cell.x1) / 2 - middle) < 2 * line.height for cell in columns)
    return len(line.cells) == 1 and abs((left + right) / 2 - middle) < line.height and not own


def count_heads(lines: list[Line]) -> int:
    """Count the lines before the first one with a label and an amount."""
    left = min(line.x0 for line in lines)
    width = max(line.x1 for line in lines) - left
    if sum(_has_amounts(line) for line in lines) < 0.2 * len(lines):
        return _count_set_apart(lines)
    heads = 0
    for i, line in enumerate(lines[:7]):
        amounts = [c for c in line.cells if _is_amount(c) or _are_amounts(c)]
        labelled = line.x0 < left + 0.1 * width
        alone = len(line.cells) == 1 and not line.text.startswith("(")
        if amounts or (labelled and alone and i > 0):
            break
        heads = i + 1
    return heads if heads < len(lines) else 0


def _count_set_apart(lines: list[Line]) -> int:
    """Count the leading lines of a table of words that are set in another type than the rest."""
    style = lines[-1].size, lines[-1].bold
    heads = next((i for i, line in enumerate(lines) if (line.size, line.bold) == style), 0)
    return heads if heads <= 3 else 0
