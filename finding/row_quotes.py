"""Find a row of a table that was quoted cell by cell, `label | value | value`.

In the text of a page the cells of a row may stand lines apart, between those of other rows, so the
row is no run of words that `quotes.py` could find. It is looked for among the cells of the page's
tables instead: each quoted cell must be a whole cell of one row, in its order; cells may be left
out. Heads are rows too, and so are the headers made of them.
"""

from collections.abc import Iterable, Sequence

from pagehop.finding.alignment import plain
from pagehop.finding.quotes import union
from pagehop.layout.page_tables import Table
from pagehop.types import Box, Located, TextSource

_FEWEST = 2
"""Cells of a quote; one alone is a matter of words."""
_SCORE = 0.98


def locate_row(
    tables: Iterable[Table], quote: str, *, source: TextSource = "text"
) -> Located | None:
    """Return the cells of the row that a quote gives; None when no table has such a row.

    Args:
        tables: Of the page.
        quote: Cells with bars between them.
        source: Where the words of the page come from.
    """
    wanted = [_even(cell) for cell in quote.removeprefix("columns:").split("|")]
    wanted = [cell for cell in wanted if cell]
    if len(wanted) < _FEWEST:
        return None
    for table in tables:
        for row in _rows(table):
            chosen = _chosen(row, wanted)
            if chosen:
                boxes = tuple(box for _, box in chosen)
                text = " | ".join(text for text, _ in chosen)
                return Located(text, union(boxes), _SCORE, boxes, source)
    return None


def _rows(table: Table) -> Iterable[list[tuple[str, Box]]]:
    for row in range(table.height):
        yield [(c.text, c.box) for c in table.cells if c.row <= row < c.row + c.rows]
    boxes = {
        column: union([c.box for c in head])
        for column in range(table.width)
        if (head := [
            c for c in table.cells
            if c.row < table.heads and c.column <= column < c.column + c.columns
        ])
    }  # fmt: skip
    yield [(text, boxes[i]) for i, text in enumerate(table.headers) if i in boxes]


def _chosen(row: Sequence[tuple[str, Box]], wanted: Sequence[str]) -> list[tuple[str, Box]]:
    """Return the cells of a row that are the wanted ones, in order; empty when one is missing."""
    chosen: list[tuple[str, Box]] = []
    for cell in row:
        if len(chosen) < len(wanted) and _even(cell[0]) == wanted[len(chosen)]:
            chosen.append(cell)
    return chosen if len(chosen) == len(wanted) else []


def _even(text: str) -> str:
    return "".join(plain(text).split())
