"""Tables of a page as cells: how they are stored with a region, and what a reader gets."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pagehop.layout.cells import TableCells
from pagehop.types import Box, PageRef, Region

_PRECISION = 10_000
"""Boxes are stored as whole parts of this."""
_PAGE_NUMBER = re.compile(r"[1-9]\d{0,3}")
_NAMES_PAGES = re.compile(r"\b(?:pages?|contents|index)\b", re.I)
_SURELY = 8
"""Amounts that rise so often by chance stand in one of 40,000 tables."""
_AMOUNT = re.compile(r"\W*\d[\d.,]*\d\W*|\W*\d\W+")
"""Numbers that are no item's: `1,204`, `(3)`, `12%`."""


@dataclass(frozen=True)
class TableCell:
    """One cell of a table."""

    text: str
    row: int
    """From 0, header rows included."""
    column: int
    columns: int
    """How many columns it spans, 1 for most."""
    rows: int
    box: Box


@dataclass(frozen=True)
class Table:
    """A table of a page."""

    ref: PageRef
    region: str
    """Id of its region."""
    box: Box
    caption: str
    """What stands above or below it and names it; empty without."""
    section: str
    unit: str
    """Scale that its head or caption names, e.g. `in millions`; empty without."""
    heads: int
    """Leading rows that are column headers."""
    width: int
    """Columns, row labels included."""
    height: int
    """Rows, header rows included."""
    cells: tuple[TableCell, ...]
    """Row by row, left to right; places without a cell are empty."""

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Return its texts as a grid; a cell that spans several places is in each of a head."""
        grid = [[""] * self.width for _ in range(self.height)]
        for cell in self.cells:
            for row in range(cell.row, min(cell.row + cell.rows, self.height)):
                for column in range(cell.column, min(cell.column + cell.columns, self.width)):
                    first = row == cell.row and column == cell.column
                    if first or row < self.heads:
                        grid[row][column] = cell.text
        return tuple(map(tuple, grid))

    @property
    def headers(self) -> tuple[str, ...]:
        """Return the header of each column, its lines joined."""
        head = self.rows[: self.heads]
        columns = zip(*head, strict=True) if head else ([] for _ in range(self.width))
        return tuple(" ".join(dict.fromkeys(text for text in c if text)) for c in columns)

    @property
    def is_contents(self) -> bool:
        """Whether it is a list of what stands on which page, set in columns.

        Its rows are titles that end in page numbers, which never fall from one row to the next.
        """
        rows = [[text for text in row if text] for row in self.rows[self.heads :]]
        numbered = [row for row in rows if len(row) > 1 and _PAGE_NUMBER.fullmatch(row[-1])]
        named = " ".join((*self.headers, *self.rows[0], self.caption, self.section))
        fewest = 3 if _NAMES_PAGES.search(named) else _SURELY
        if len(numbered) < max(fewest, 0.5 * len(rows)):
            return False
        amounts = [text for row in rows for text in row[:-1] if _AMOUNT.fullmatch(text)]
        pages = [int(row[-1]) for row in numbered]
        return not amounts and pages == sorted(pages)


def pack_cells(table: TableCells, note: str, placed: Callable[[Box], Box]) -> str:
    """Spell cells for the store.

    Args:
        table: Boxes in points.
        note: Its caption.
        placed: Turns points of the page as read into fractions of the page.
    """
    cells = []
    for cell in table.cells:
        parts = [round(side * _PRECISION) for side in placed(cell.box)]
        cells.append([cell.text, cell.row, cell.column, cell.columns, cell.rows, *parts])
    about = {"heads": table.heads, "unit": table.unit, "note": note}
    size = {"rows": table.rows, "columns": table.columns}
    return json.dumps({**about, **size, "cells": cells}, ensure_ascii=False, separators=(",", ":"))


def read_tables(ref: PageRef, regions: Sequence[Region]) -> tuple[Table, ...]:
    """Return the tables among the regions of a page, in reading order."""
    found = []
    for region in regions:
        if region.kind != "table" or not region.cells:
            continue
        stored = json.loads(region.cells)
        cells = tuple(
            TableCell(text, row, column, columns, rows, _box(parts))
            for text, row, column, columns, rows, *parts in stored["cells"]
        )
        about = stored["note"], region.section, stored["unit"], stored["heads"]
        size = stored["columns"], stored["rows"]
        found.append(Table(ref, region.id, region.box, *about, *size, cells))
    return tuple(found)


def _box(parts: Sequence[int]) -> Box:
    a, b, c, d = (part / _PRECISION for part in parts)
    return a, b, c, d
