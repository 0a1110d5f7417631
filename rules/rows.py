"""Table rows of a page: label, section, and each cell under its column heading.

1. Lines are read top to bottom. Lines of years, and lines of several short segments, that stand
   before rows are the heading of the rows below them; running text ends a table.
2. A cell's column heading is made of the segments above that overlap it; where a heading line has
   as many years as the row has cells, they are matched in order; where it has a divisor of them,
   each spans its share (`Three Months Ended` over two years).
3. A short line without numbers above rows is their section (`Current:`); it goes into their
   context, and so do the caption and the scale (`in thousands`).
4. Whole numbers that count up head columns where they are the first row of a table without other
   headings (`Level 1 2 3`), and name rows where they are the first column of rows without labels of
   their own (`week 51`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from pagehop.finding.periods import find_years
from pagehop.rules.lines import Cell, Line, read_lines
from pagehop.rules.numbers import table_scale
from pagehop.types import Box, Page, PageRef

_MAX_HEADING_LINES = 6
_MIDDLE = 3
"""Fewest cells among which one is in the middle."""
_TICKS = 3
"""Fewest numbers that make the scale of a chart."""
_COUNTED = 3
"""Fewest whole numbers that count up."""
_MOST_WORDS = 4
"""Words of what is counted up."""


@dataclass(frozen=True)
class Row:
    """One table row."""

    ref: PageRef
    label: str
    """Row label, with the line before it when the label wraps."""
    cells: tuple[Cell, ...]
    columns: tuple[str, ...]
    """Heading of each cell; empty where none was found."""
    section: str
    """Short line above that groups rows."""
    caption: str
    """Text lines right above the table."""
    scale: float
    """What the cells are multiplied by, as the heading or caption says; 1 when nothing does."""
    text: str
    """The line as it stands on the page: what may be quoted."""
    box: Box
    index: int
    """Number of its line on the page."""
    table: int
    """Number of its table on the page."""
    heading: str = ""
    """Of the section it stands in, by the layout."""

    @property
    def values(self) -> tuple[float, ...]:
        """Cell values as printed, not scaled."""
        return tuple(cell.number.value for cell in self.cells)

    @property
    def context(self) -> str:
        """Everything that says what the row is about."""
        parts = (self.label, self.section, " ".join(dict.fromkeys(self.columns)), self.caption)
        return " | ".join(part for part in parts if part)


@dataclass
class _Table:
    """What has been read of the current table."""

    number: int
    heading: list[Line]
    caption: list[str]
    section: str = ""
    rows: int = 0
    scale: float = 1.0


def read_rows(page: Page, lines: Sequence[Line] | None = None) -> list[Row]:
    """Return the table rows of a page in reading order.

    Args:
        page: A page.
        lines: Its lines, when they have been read.
    """
    lines = read_lines(page) if lines is None else lines
    rows: list[Row] = []
    table = _Table(0, [], [])
    before: list[Line] = []
    recent: list[str] = []
    wrapped = ""
    for i, line in enumerate(lines):
        if line.kind == "row":
            if not table.heading and _fits(before, line):
                table.heading = before
            before = table.heading or before
            rows.append(_row(page.ref, table, line, i, wrapped))
            table.rows += 1
            wrapped = ""
            if line.label.lower().startswith("total"):
                table.section = ""
            continue
        years = line.kind == "periods" and _is_section(line.text)  # `2022:` over the rows of a year
        if line.kind in ("periods", "header") and not years:
            if table.rows and (line.kind == "periods" or len(line.segments) > 1):
                table = _Table(table.number + 1, [], _caption(recent, table.section))
            table.heading = [*table.heading, line][-_MAX_HEADING_LINES:]
            wrapped = line.label if _starts_label(line) else ""
        elif line.kind == "label" or years:
            table.section = line.text
            wrapped = line.text
            if not (table.rows or table.heading or _is_section(line.text)):
                table.caption = [*table.caption, line.text][-4:]
        elif line.kind == "prose":
            if table.rows or table.heading:
                table = _Table(table.number + 1, [], [])
            table.caption = [*table.caption, line.text][-3:]
            table.section, wrapped = "", ""
        table.scale = table_scale(line.text) or table.scale
        recent = [*recent, line.text][-3:]
    found: list[Row] = []
    for _, own in groupby(rows, key=lambda row: row.table):
        found += _named_by_count(_headed_by_count(list(own)))
    return found


def find_axes(rows: Sequence[Row]) -> set[int]:
    """Return the tables that are scales of charts: lone numbers most of which have no label."""
    lone: dict[int, list[bool]] = {}
    for row in rows:
        lone.setdefault(row.table, []).append(len(row.cells) == 1 and not row.label)
    return {n for n, marks in lone.items() if len(marks) >= _TICKS and sum(marks) > len(marks) / 2}


def _headed_by_count(rows: list[Row]) -> list[Row]:
    """Give rows the numbers of their table's first row as headings, where those count up."""
    first, *rest = rows
    alike = [row for row in rest if len(row.cells) == len(first.cells) and not any(row.columns)]
    head = first.text.partition(first.cells[0].text)[0].strip()
    counts = _counts_up(first.values) and 0 < len(head.split()) <= _MOST_WORDS
    if not counts or any(first.columns) or not alike:
        return rows
    columns = tuple(f"{head} {cell.text}" for cell in first.cells)
    return [replace(row, columns=columns) if row in alike else row for row in rest]


def _named_by_count(rows: list[Row]) -> list[Row]:
    """Take a first column that counts up into the labels, where these tell no rows apart."""
    size = len(rows[0].cells)
    same = all(len(row.cells) == size and row.label == rows[0].label for row in rows)
    named = rows[0].columns[0].split()[-1:] if rows[0].columns else []
    if not same or size < 2 or not named or not _counts_up([row.values[0] for row in rows]):
        return rows
    return [
        replace(
            row,
            label=f"{row.label} {named[0]} {row.cells[0].text}".strip(),
            cells=row.cells[1:],
            columns=row.columns[1:],
        )
        for row in rows
    ]


def _counts_up(values: Sequence[float]) -> bool:
    """Whether numbers are whole, small and one apart."""
    whole = all(value == int(value) and 0 <= value < 1000 for value in values)
    return len(values) >= _COUNTED and whole and all(b - a == 1 for a, b in pairwise(values))


def _fits(heading: Sequence[Line], line: Line) -> bool:
    """Whether a heading of an earlier table on the page stands over the cells of this line too.

    Tables are interrupted by running text, of their own column or of the next.
    """
    parts = [c for head in heading if head.kind == "periods" for c in head.cells]
    return len(parts) == len(line.cells) > 1 and all(
        min(p.x1, c.x1) - max(p.x0, c.x0) > -0.01 for p, c in zip(parts, line.cells, strict=True)
    )


def _caption(recent: Sequence[str], section: str) -> list[str]:
    return [section] if section else list(recent[-1:])


def _is_section(text: str) -> bool:
    """Whether a line names a group of rows (`Current:`) rather than the table."""
    return text.rstrip().endswith(":") and len(text.split()) <= 4


def _starts_label(line: Line) -> bool:
    return bool(line.segments) and line.segments[0].x0 < 0.3


def _row(ref: PageRef, table: _Table, line: Line, index: int, wrapped: str) -> Row:
    label, section = line.label, table.section
    if wrapped and (not label or label[:1].islower()):
        label = f"{wrapped} {label}".strip()
    elif section == label:
        section = ""
    columns = tuple(_columns(table.heading, line))
    return Row(
        ref,
        label,
        line.cells,
        columns,
        section,
        " ".join(table.caption),
        table.scale,
        line.text,
        line.box,
        index,
        table.number,
        line.region.section.split(" > ")[-1] if line.region and line.region.section else "",
    )


def _columns(heading: Sequence[Line], line: Line) -> list[str]:
    texts: list[list[str]] = [[] for _ in line.cells]
    for head in heading:
        for i, text in enumerate(_spread(head, line.cells)):
            if text and text not in texts[i]:
                texts[i].append(text)
    return [" ".join(parts) for parts in texts]


def _spread(head: Line, cells: Sequence[Cell]) -> list[str]:
    """Give each cell its part of one heading line."""
    parts = _parts(head, cells[0].x0)
    n, k = len(cells), len(parts)
    if not parts:
        return [""] * n
    if k == n:
        return [text for text, _, _ in parts]
    if k == 1 and _spans(parts[0], cells):
        return [parts[0][0]] * n
    share = n // k
    grouped = k > 1 and n % k == 0
    spanning = head.kind == "periods" or not _aligned(parts, cells) or _centred(parts, cells)
    if grouped and spanning:
        return [parts[i // share][0] for i in range(n)]
    return [_above(parts, cell) for cell in cells]


def _parts(head: Line, x_cells: float) -> list[tuple[str, float, float]]:
    """Heading parts over the cells: single years where the line is of years, segments otherwise."""
    dated = sum(1 for s in head.segments if find_years(s.text))
    if dated < len(head.cells) and all(c.number.is_year for c in head.cells):
        return [(c.text, c.x0, c.x1) for c in head.cells]
    parts = [(s.text, s.x0, s.x1) for s in head.segments]
    if len(parts) > 1 and parts[0][2] < x_cells - 0.02:
        parts = parts[1:]
    return parts


def _aligned(parts: Sequence[tuple[str, float, float]], cells: Sequence[Cell]) -> bool:
    """Whether each part stands over one cell of its own, so that some cells have none."""
    return all(sum(1 for c in cells if _overlap(p, c) > 0) == 1 for p in parts)


def _centred(parts: Sequence[tuple[str, float, float]], cells: Sequence[Cell]) -> bool:
    """Whether each part stands over the middle one of its share of three or more cells."""
    share = len(cells) // len(parts)
    groups = [cells[i * share : (i + 1) * share] for i in range(len(parts))]
    return share >= _MIDDLE and all(
        abs(part[1] + part[2] - group[0].x0 - group[-1].x1) < group[-1].x1 - group[0].x1
        for part, group in zip(parts, groups, strict=True)
    )


def _spans(part: tuple[str, float, float], cells: Sequence[Cell]) -> bool:
    """Whether a lone heading stands over the cells as a group, not over one of them."""
    centre = (part[1] + part[2]) / 2
    within = cells[0].x0 <= centre <= cells[-1].x1
    own = any(c.x0 - 0.02 <= centre <= c.x1 + 0.02 for c in cells)
    return within and (not own or part[2] - part[1] > 0.5 * (cells[-1].x1 - cells[0].x0))


def _above(parts: Sequence[tuple[str, float, float]], cell: Cell) -> str:
    best = max(parts, key=lambda part: _overlap(part, cell))
    if _overlap(best, cell) > -0.03:
        return best[0]
    return ""


def _overlap(part: tuple[str, float, float], cell: Cell) -> float:
    """Shared width; negative is the distance between them."""
    return min(part[2], cell.x1) - max(part[1], cell.x0)
