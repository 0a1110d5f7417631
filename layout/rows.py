"""Segments to visual rows.

1. Segments on one base line form a row; a table row stays one row.
2. A table row whose cells of several lines are centred on one another is one row, cell by cell.
3. A paragraph beside other text (a picture's caption, a box) is not mixed with it line by line.
"""

from dataclasses import dataclass, field
from itertools import pairwise

RawWord = tuple[float, float, float, float, str, int, int, int]
"""x0, y0, x1, y1 in points as displayed, text, block, line, number in the line."""


@dataclass(slots=True)
class Segment:
    """Words of one engine line without a wide gap between them; points."""

    x0: float
    y0: float
    x1: float
    y1: float
    words: list[RawWord]


@dataclass(slots=True)
class Row:
    """One visual row of a column."""

    words: list[RawWord]
    column: int
    """Running number of its column on the page."""
    cells: list[int] = field(default_factory=list)
    """Index in `words` at which each segment starts."""


def build_rows(segments: list[Segment], column: int) -> list[Row]:
    """Put segments on one base line together, top to bottom.

    Args:
        segments: Of one column.
        column: Its number, noted on each row.
    """
    blocks: dict[int, list[Segment]] = {}
    for segment in segments:
        blocks.setdefault(segment.words[0][5], []).append(segment)
    items: list[tuple[float, float, list[list[Segment]]]] = []
    centred = {b for b, part in blocks.items() if 3 <= len(part) <= 24 and _is_centred_row(part)}
    for block in centred:
        part = blocks[block]
        items.append((min(s.y0 for s in part), part[0].x0, [[s for c in _cells(part) for s in c]]))
    groups = _groups([s for b, part in blocks.items() if b not in centred for s in part])
    apart = _paragraphs_beside(groups, blocks)
    if apart:
        for block in apart:
            part = sorted(blocks[block], key=lambda s: s.y0)
            items.append((part[0].y0, part[0].x0, [[s] for s in part]))
        left = [
            s for b, part in blocks.items() if b not in apart and b not in centred for s in part
        ]
        groups = _groups(left)
    items += [(min(s.y0 for s in g), g[0].x0, [sorted(g, key=lambda s: s.x0)]) for g in groups]
    if centred or apart:
        items.sort(key=lambda item: item[:2])
    return [_row(group, column) for _, _, rows in items for group in rows]


def _row(group: list[Segment], column: int) -> Row:
    row = Row([], column)
    for segment in group:
        row.cells.append(len(row.words))
        row.words += segment.words
    return row


def _groups(segments: list[Segment]) -> list[list[Segment]]:
    groups: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda s: (s.y0 + s.y1, s.x0)):
        for group in groups[:-4:-1]:
            if _on_one_line(group, segment):
                group.append(segment)
                break
        else:
            groups.append([segment])
    return groups


def _cells(block: list[Segment]) -> list[list[Segment]]:
    """Part the segments of a block into those that stand above one another."""
    cells: list[list[Segment]] = []
    edge = 0.0
    for segment in sorted(block, key=lambda s: s.x0):
        if cells and segment.x0 < edge:
            cells[-1].append(segment)
            edge = max(edge, segment.x1)
        else:
            cells.append([segment])
            edge = segment.x1
    return [sorted(cell, key=lambda s: s.y0) for cell in cells]


def _is_centred_row(block: list[Segment]) -> bool:
    """Tell a table row whose cells of one and of several lines are centred on one another."""
    cells = _cells(block)
    lines = {len(cell) for cell in cells}
    if len(cells) < 2 or 1 not in lines or not 2 <= max(lines) <= 6:
        return False
    centres = [(cell[0].y0 + cell[-1].y1) / 2 for cell in cells]
    height = min(s.y1 - s.y0 for s in block)
    if max(centres) - min(centres) > 0.3 * height:
        return False
    gaps = [b.y0 - a.y1 for cell in cells for a, b in pairwise(cell)]
    return -0.5 * height < min(gaps) and max(gaps) < 0.6 * height


def _paragraphs_beside(groups: list[list[Segment]], blocks: dict[int, list[Segment]]) -> set[int]:
    """Find blocks of text that would be mixed line by line with what stands beside them.

    The engine's blocks keep a picture's caption and the text beside it apart. A block whose lines
    mostly share their base lines with others is part of a table instead.
    """
    partners: dict[int, int] = {}
    mixed: set[int] = set()
    for group in groups:
        if len(group) == 1:
            continue
        of_block = {segment.words[0][5] for segment in group}
        if len(of_block) > 1:
            mixed |= of_block
            for segment in group:
                own = segment.words[0][5]
                aligned = any(
                    abs(segment.y1 - other.y1) < 0.12 * (segment.y1 - segment.y0)
                    for other in group
                    if other.words[0][5] != own
                )
                partners[own] = partners.get(own, 0) + aligned
    return {
        block
        for block in mixed
        if _is_paragraph(blocks[block]) and partners[block] <= (len(blocks[block]) - 2) / 3
    }


def _is_paragraph(block: list[Segment]) -> bool:
    lines = sorted(block, key=lambda s: s.y0)
    if len(lines) < 2 or sum(len(s.words) for s in lines) < 2.5 * len(lines):
        return False
    return all(-0.5 * (a.y1 - a.y0) < b.y0 - a.y1 < 0.8 * (a.y1 - a.y0) for a, b in pairwise(lines))


def _on_one_line(group: list[Segment], segment: Segment) -> bool:
    first = group[0]
    top = first.y0 if first.y0 > segment.y0 else segment.y0
    foot = first.y1 if first.y1 < segment.y1 else segment.y1
    if foot <= top or foot - top < 0.5 * min(first.y1 - first.y0, segment.y1 - segment.y0):
        return False
    ratio = (segment.y1 - segment.y0) / max(first.y1 - first.y0, 0.1)
    far = min(abs(segment.x0 - s.x1) for s in group) > 3 * (segment.y1 - segment.y0)
    if far and not 0.7 < ratio < 1.4:  # a heading beside a picture's caption
        return False
    slack = 0.3 * (segment.y1 - segment.y0)
    return all(s.x1 <= segment.x0 + slack or segment.x1 <= s.x0 + slack for s in group)


def join_brackets(row: Row) -> None:
    """Join a closing bracket or percent sign, set in a cell of its own, to its number."""
    words = row.words
    if not any(word[4] in _BRACKETS for word in words):
        return
    for i in range(len(words) - 1, 0, -1):
        text, before = words[i][4], words[i - 1][4]
        closes = text in _CLOSERS and before[-1].isdigit()
        opens = before == "(" and text[0].isdigit()
        if closes or opens:
            a, b = words[i - 1], words[i]
            box = min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
            words[i - 1] = (*box, a[4] + b[4], a[5], a[6], a[7])
            del words[i]
            row.cells = sorted({c if c < i else c - 1 for c in row.cells})


_CLOSERS = frozenset({")", ")%", "%", "%)"})
_BRACKETS = _CLOSERS | {"("}
