"""Lists of references: what follows a heading such as `References`, up to the next heading.

An entry is a paragraph that names a year or opens like an item of a list; entries that follow one
another in a column are one list. Not covered: lists of references without a heading.
"""

import re
from collections.abc import Sequence

from pagehop.layout.blocks import Block
from pagehop.layout.page_lines import item_marker

_HEADING = re.compile(
    r"\W*(?:[\dA-Z]{1,3}\.?\s+)?(?:references|bibliography|works cited|literature(?: cited)?"
    r"|further reading)\W*",
    re.I,
)
_YEAR = re.compile(r"(?:18|19|20)\d\d[a-z]?\b")
_MOST_LINES = 12
"""A longer paragraph is no entry."""


def find_references(blocks: Sequence[Block], within: bool) -> tuple[list[Block], bool]:
    """Make lists of the entries of a page.

    Args:
        blocks: In reading order.
        within: Whether the page before ended within a list of references.

    Returns:
        The blocks, entries joined to lists, and whether this page ends within such a list.
    """
    found: list[Block] = []
    for block in blocks:
        last = found[-1] if found else None
        named = bool(_HEADING.fullmatch(block.text)) and len(block.lines) == 1
        if block.kind in ("heading", "title") or (named and block.kind == "text"):
            within = named
            block.kind = "title" if block.kind == "title" else "heading"
        elif within and _is_entry(block, last):
            if not item_marker(block.lines[0]) and _YEAR.search(block.text):
                block.lines[0].starts_item = True
            block.kind = "list"
            if last and last.kind == "list" and last.column == block.lines[0].column:
                last.lines += block.lines
                continue
        found.append(block)
    return found, within


def _is_entry(block: Block, last: Block | None) -> bool:
    if block.kind not in ("text", "list"):
        return False
    named = bool(_YEAR.search(block.text)) or bool(item_marker(block.lines[0]))
    goes_on = last is not None and last.kind == "list" and len(block.lines) <= 3
    return (named and len(block.lines) <= _MOST_LINES) or goes_on
