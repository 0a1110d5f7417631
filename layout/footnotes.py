"""Footnotes: small marked text at the foot of a column, and marked text right below a table."""

import re
from collections import Counter
from collections.abc import Sequence

from pagehop.layout.blocks import Block
from pagehop.layout.page_lines import PageLines

_SMALL = 0.93
"""Of the size of the text: what is set smaller may be a note."""
_HIGHEST = 0.55
"""Share of the page's height below which notes at its foot stand."""
_MARK = re.compile(r"[*\u2020\u2021\u00a7\u2217]|[\[(]?\d{1,2}[\])]?\D|[\u00b9\u00b2\u00b3]")
_SIGN = re.compile(r"[*\u2020\u2021\u2217]")
"""Marks notes only; a number may also open an item of a list."""
_BELOW_TABLE = 1.6
"""Gap between a table and its notes, in line heights, at most."""


def find_footnotes(blocks: Sequence[Block], page: PageLines, body_size: float) -> list[Block]:
    """Make footnotes of the blocks that are; notes that follow one another are one block.

    Args:
        blocks: Of one page, in reading order; changed.
        page: Where they stand.
        body_size: Type size of the document's text, in points.
    """
    text_size = max(body_size, _text_size(blocks))
    _at_foot(blocks, page, text_size)
    _below_tables(blocks, text_size)
    joined: list[Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        if last and last.kind == block.kind == "footnote" and _follows(last, block):
            last.lines += block.lines
        else:
            joined.append(block)
    return joined


def _text_size(blocks: Sequence[Block]) -> float:
    """Return the type size of most letters in the paragraphs of a page; 0 without any."""
    sizes: Counter[float] = Counter()
    for block in blocks:
        if block.kind == "text":
            for line in block.lines:
                sizes[line.size] += len(line.text)
    return max(sizes, key=sizes.__getitem__) if sizes else 0.0


def _at_foot(blocks: Sequence[Block], page: PageLines, text_size: float) -> None:
    """Take small marked text at the foot of each column for footnotes."""
    column = -1
    for block in reversed(blocks):
        if block.kind not in ("text", "list"):
            column = block.column if block.kind not in ("header", "footer") else column
            continue
        line = block.lines[0]
        if line.column == column or line.y0 < _HIGHEST * page.height:
            continue
        small = line.size < _SMALL * text_size
        if small and _MARK.match(line.text):
            block.kind = "footnote"
        elif not small:
            column = line.column


def _below_tables(blocks: Sequence[Block], text_size: float) -> None:
    above: Block | None = None
    ruled = False
    for block in blocks:
        if block.kind == "text" and not any(char.isalnum() for char in block.text):
            ruled = True  # signs set for a rule, as between a table and its notes
            continue
        if above and above.kind in ("table", "footnote") and block.kind in ("text", "list"):
            line = block.lines[0]
            far = (2 if ruled else 1) * _BELOW_TABLE * line.height
            near = -line.height < line.y0 - above.box[3] < far
            small = ruled or line.size < _SMALL * text_size
            if near and (_SIGN.match(line.text) or (small and _MARK.match(line.text))):
                block.kind = "footnote"
        above, ruled = block, False


def _follows(above: Block, block: Block) -> bool:
    line = block.lines[0]
    near = -line.height < line.y0 - above.box[3] < line.height
    return near and line.column == above.column
