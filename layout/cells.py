"""Cells of a table as values, and what their words say: amounts, years, scales."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pagehop.layout.rows import RawWord
from pagehop.types import Box

_UNIT = re.compile(
    r"\(?(?:[^()]{0,40}\b)?(?:in|IN|In)\s+(?:[A-Za-z.]{0,12}\$?\s?)?"
    r"(?:thousand|million|billion|THOUSAND|MILLION|BILLION|Thousand|Million|Billion)[^()]{0,60}\)?"
    r"|[(\[]?(?:US)?[$€£¥]\s?(?:'?000s?|m|mn|bn|million|billion|thousand)\b[)\]]?"
)
OPEN_WORDS = frozenset({"and", "of", "or", "the", "to", "for", "in", "on", "by", "from", "with"})
"""Words that a label does not end with."""
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


def find_unit(texts: Sequence[str]) -> str:
    """Return the first scale that texts at a table's head name, e.g. `(in millions)`."""
    for text in texts:
        match = _UNIT.search(text)
        if match:
            return " ".join(match.group().split()).strip("()[] ,;")
    return ""


def spelled(words: Sequence[RawWord]) -> str:
    """Return words as text."""
    return " ".join([word[4] for word in words])


def count_heads(table: TableCells) -> int:
    """Count the rows of a ruled table before the first with an amount; at least one.

    A later row of one cell across all columns is no head: it says what the rows below it share.
    """
    by_row: dict[int, list[CellText]] = {}
    for cell in table.cells:
        by_row.setdefault(cell.row, []).append(cell)
    across = table.rows
    for row in range(table.rows):
        cells = by_row.get(row, [])
        if any(is_amount(c.text) and not is_year(c.text) for c in cells if c.column > 0):
            return min(row, across, table.rows - 1)
        if row and len(cells) == 1 and cells[0].columns == table.columns > 2:
            across = min(across, row)
    return 1 if table.rows > 1 else 0


def is_amount(text: str) -> bool:
    """Whether a cell holds a number, or what stands for none."""
    return bool(_NUMERIC.fullmatch(text)) or text in _NOTHING


def is_year(text: str) -> bool:
    """Whether a cell holds nothing but a year."""
    return bool(re.fullmatch(r"(?:FY\s?)?(?:19|20)\d\d", text))
