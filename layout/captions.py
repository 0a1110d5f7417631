"""Captions tied to the table or figure that they name; figures and ruled tables put into order."""

import re
from collections.abc import Sequence

from pagehop.layout.blocks import Block
from pagehop.layout.cells import find_unit
from pagehop.types import Box

_FAR = 0.09
"""A caption is at most this share of the page's height away from what it names."""
_OF_TABLE = re.compile(r"tab", re.I)
_NOTE_CHARS = 240


def place_drawn(blocks: list[Block], drawn: Sequence[Block]) -> list[Block]:
    """Put figures and ruled tables before the first block below them, column by column."""
    placed = list(blocks)
    for block in sorted(drawn, key=lambda b: (b.box[1], b.box[0])):
        placed.insert(_place_of(block.box, placed), block)
    return placed


def _place_of(box: Box, blocks: Sequence[Block]) -> int:
    middle = (box[1] + box[3]) / 2
    beside = [i for i, other in enumerate(blocks) if _share(box, other.box) > 0.3]
    for i in beside:
        # In another column that this one does not reach into, what is below says nothing.
        if _middle(blocks[i].box) > middle:
            return i
    if beside:
        return beside[-1] + 1
    return next((i for i, b in enumerate(blocks) if b.box[1] >= box[3]), len(blocks))


def _middle(box: Box) -> float:
    return (box[1] + box[3]) / 2


def _share(a: Box, b: Box) -> float:
    """Shared width, as a share of the narrower one."""
    narrow = max(min(a[2] - a[0], b[2] - b[0]), 1.0)
    return (min(a[2], b[2]) - max(a[0], b[0])) / narrow


def tie_captions(blocks: Sequence[Block], height_pt: float) -> None:
    """Give each caption its table or figure, and each table the words that stand above it.

    Args:
        blocks: Of one page, in reading order; changed.
        height_pt: Of the page.
    """
    taken: set[int] = set()
    for block in blocks:
        if block.kind != "caption":
            continue
        of_table = bool(_OF_TABLE.match(block.text))
        kinds = ("table", "figure") if of_table else ("figure", "table")
        for kind in kinds:
            near = [
                (gap, j) for j, other in enumerate(blocks)
                if other.kind == kind and j not in taken
                and (gap := _gap(block.box, other.box)) < _FAR * height_pt
                and _share(block.box, other.box) > 0.2
            ]  # fmt: skip
            if near:
                block.parent = min(near)[1]
                taken.add(block.parent)
                break
    for i, block in enumerate(blocks):
        if block.kind == "figure" and i not in taken:
            _caption_below(block, i, blocks)
    for i, block in enumerate(blocks):
        if block.kind == "table":
            _note(block, i, blocks, height_pt)


def _caption_below(figure: Block, index: int, blocks: Sequence[Block]) -> None:
    """Make a caption of few lines right below a figure that are no wider than it."""
    x0, _, x1, y1 = figure.box
    for block in blocks:
        if block.kind != "text" or len(block.lines) > 8:
            continue
        line = block.lines[0]
        near = -2 <= block.box[1] - y1 < 1.6 * line.height
        within = block.box[0] > x0 - line.height and block.box[2] < x1 + line.height
        if near and within and x1 - x0 > 60:
            block.kind, block.parent = "caption", index
            return


def _gap(a: Box, b: Box) -> float:
    return max(a[1] - b[3], b[1] - a[3], 0.0)


def _note(table: Block, index: int, blocks: Sequence[Block], height_pt: float) -> None:
    """Note the caption of a table, and its unit when that stands in the lines above it."""
    captions = [b.text for b in blocks if b.kind == "caption" and b.parent == index]
    above = blocks[index - 1] if index else None
    if above and above.kind in ("text", "heading", "caption") and len(above.text) < _NOTE_CHARS:
        if table.cells and not table.cells.unit and _gap(above.box, table.box) < 0.05 * height_pt:
            table.cells.unit = find_unit([above.text])
            if table.cells.unit and above.kind != "caption":
                captions.append(above.text)
    table.note = " ".join(captions)[:_NOTE_CHARS]
