"""What runs over a page: paragraphs cut in a sentence, tables cut between rows.

1. The last text of a page and the first of the next are one paragraph when the first ends without
   a mark and the second begins in small letters, or the first ends in a cut word or a comma.
2. The last table at a page's foot and the first at the next one's head are one table when they
   share columns, the first does not end in its total, and the second has no head or the same one;
   or when the second says that it is continued.

Not covered: text that goes on behind a page of figures; tables whose columns were set anew.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pagehop.reading.anchors import Anchor
from pagehop.types import Region

_ASIDE = frozenset({"header", "footer", "footnote", "passage", "page", "caption", "figure"})
_SHOWN = 60
_LOW, _HIGH = 0.6, 0.4
"""A table that runs over ends below the first and goes on above the second."""


def find_continuations(regions: Sequence[Region]) -> Iterator[Anchor]:
    """Yield an anchor `continues` on each page whose end goes on, with the next page as its key.

    Args:
        regions: Of one document, in order.
    """
    pages: dict[int, list[Region]] = {}
    for region in regions:
        if region.kind not in _ASIDE and region.text:
            pages.setdefault(region.page, []).append(region)
    for page, here in sorted(pages.items()):
        after = pages.get(page + 1)
        if after and (words := _joint(here[-1], after)):
            last = here[-1]
            key = f"page:{page + 1}"
            yield Anchor(last.document, page, "continues", key, words, last.box)


def _joint(last: Region, after: Sequence[Region]) -> str:
    first = after[0]
    if last.kind == "table":
        table = next((region for region in after[:3] if region.kind == "table"), None)
        said = "continued" in f"{first.text[:120]} {first.section[-60:]}".casefold()
        if table and last.box[3] > _LOW and table.box[1] < _HIGH:
            if _alike(last, table) and (said or (table is first and _goes_on(last, table))):
                return f"table: {_end(last.text)} ~ {_start(table.text)}"
        return ""
    if last.kind in ("text", "list") and first.kind in ("text", "list"):
        end, start = last.text.rstrip(), first.text.lstrip()
        open_end = end[-1:] in ",-\u2013\u2014(" or end[-1:].isalnum()
        if open_end and (start[:1].islower() or end[-1:] in ",-"):
            return f"{last.kind}: {_end(end)} ~ {_start(start)}"
    return ""


def _alike(one: Region, other: Region) -> bool:
    """Tell whether two tables share their place across the page and the number of columns."""
    shared = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    width = max(one.box[2] - one.box[0], other.box[2] - other.box[0])
    if shared < 0.8 * width:
        return False
    columns = [json.loads(r.cells)["columns"] if r.cells else 0 for r in (one, other)]
    return bool(abs(columns[0] - columns[1]) <= 1)


def _goes_on(one: Region, other: Region) -> bool:
    """Tell whether the rows of a table may be those of the one before it."""
    if not one.cells or not other.cells:
        return True
    first, second = json.loads(one.cells), json.loads(other.cells)
    ending = _row(first, first["rows"] - 1)
    if ending[:1] and ending[0].casefold().startswith("total"):
        return False
    heads = [
        {
            word
            for row in range(table["heads"])
            for cell in _row(table, row)
            for word in cell.split()
        }
        for table in (first, second)
    ]
    return not heads[1] or 2 * len(heads[0] & heads[1]) > len(heads[1])


def _row(table: dict[str, Any], row: int) -> list[str]:
    cells = sorted((cell for cell in table["cells"] if cell[1] == row), key=lambda cell: cell[2])
    return [str(cell[0]) for cell in cells]


def _end(text: str) -> str:
    return "... " + " ".join(text.split())[-_SHOWN:]


def _start(text: str) -> str:
    return " ".join(text.split())[:_SHOWN] + " ..."
