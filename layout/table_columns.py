"""Columns of a table without upright rules, and which of them each part of a line stands in.

1. Columns are the ranges that the cells of the rows share; cells across several of them are left
   out when the ranges are drawn.
2. A head line with fewer parts than there are columns spans them: by the rule under each part,
   else in equal shares where the part stands in the middle of its share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pagehop.layout.cells import is_amount
from pagehop.layout.close_columns import SIGNS, amount_end, find_channels, parts_at
from pagehop.layout.page_lines import Line
from pagehop.layout.rows import RawWord
from pagehop.types import Box


@dataclass(slots=True)
class Part:
    """Words of one line without a wide gap."""

    words: list[RawWord]
    x0: float
    x1: float
    column: int = 0
    columns: int = 1

    @property
    def text(self) -> str:
        """Its words, parted by blanks."""
        return " ".join([word[4] for word in self.words])


def parts_of(line: Line) -> list[Part]:
    """Cut a line at its wide gaps."""
    parts, at = [], 0
    for cell in line.cells:
        words = line.words[at : at + cell.words]
        at += cell.words
        parts.append(Part(words, cell.x0, cell.x1))
    return parts


def parted_closely(rows: list[list[Part]]) -> list[list[Part]]:
    """Part what holds amounts of several close columns."""
    places: list[list[float]] = []  # edges of what stands under one another
    for part in sorted((p for parts in rows for p in parts if len(p.words) > 1), key=_left):
        if all(is_amount(word[4]) or not word[4].isalnum() for word in part.words):
            if places and part.x0 < places[-1][1]:
                places[-1][1] = max(places[-1][1], part.x1)
            else:
                places.append([part.x0, part.x1])
    for left, right in places:
        inside = [[p for p in parts if left <= p.x0 and p.x1 <= right] for parts in rows]
        channels = find_channels([words for found in inside if (words := _words(found))])
        if channels:
            rows = [_parted(parts, channels) for parts in rows]
    return rows


def _left(part: Part) -> float:
    return part.x0


def _words(parts: Sequence[Part]) -> list[RawWord]:
    return [word for part in parts for word in part.words]


def _parted(parts: Sequence[Part], channels: Sequence[float]) -> list[Part]:
    pieces: list[list[RawWord]] = []
    for part in parts:
        over = [x for x in channels if part.x0 < x < part.x1]
        pieces += (parts_at(part.words, over) if over else None) or [part.words]
    for piece, after in pairwise(pieces):
        if len(piece) > 1 and piece[-1][4] in SIGNS and is_amount(after[0][4]):
            after.insert(0, piece.pop())
    return [Part(words, words[0][0], amount_end(words[-1])) for words in pieces]


def draw_columns(rows: Sequence[Sequence[Part]]) -> list[tuple[float, float]]:
    """Draw the ranges of the columns from the rows with several cells."""
    several = [parts for parts in rows if len(parts) > 1]
    boxes = [(part.x0, part.x1, i) for i, parts in enumerate(several) for part in parts]
    if not boxes:
        spans = [(part.x0, part.x1) for parts in rows for part in parts]
        return [(min(s[0] for s in spans), max(s[1] for s in spans))] if spans else []
    array = np.array(boxes)
    x0, x1, row = array[:, 0], array[:, 1], array[:, 2].astype(int)
    crossing = (x0[:, None] < x1[None, :]) & (x0[None, :] < x1[:, None])  # (n, n)
    per_row = np.zeros((len(boxes), len(several)), dtype=int)
    for i in range(len(several)):
        per_row[:, i] = crossing[:, row == i].sum(axis=1)
    wide = (per_row >= 2).sum(axis=1) >= max(2, 0.15 * len(several))
    if len(several) < 4:
        wide = (per_row >= 2).any(axis=1) & (per_row.max(axis=1) > 2)
    if wide.all():
        wide[:] = False
    ranges: list[list[float]] = []
    for a, b in sorted((a, b) for a, b, w in zip(x0, x1, wide, strict=True) if not w):
        if ranges and a < ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], b)
        else:
            ranges.append([a, b])
    return [(float(a), float(b)) for a, b in ranges]


def widened_by_heads(
    edges: list[tuple[float, float]], heads: Sequence[Sequence[Part]]
) -> list[tuple[float, float]]:
    """Add a column for labels where the head begins left of all cells, and widen by its parts."""
    found = list(edges)
    for parts in heads:
        for part in parts:
            over = [i for i, (a, b) in enumerate(found) if part.x0 < b and a < part.x1]
            if len(over) == 1 and len(parts) > 1:
                a, b = found[over[0]]
                left = found[over[0] - 1][1] if over[0] else -1e9
                right = found[over[0] + 1][0] if over[0] + 1 < len(found) else 1e9
                found[over[0]] = max(min(a, part.x0), left), min(max(b, part.x1), right)
    return found


def placed_parts(parts: Sequence[Part], edges: Sequence[tuple[float, float]]) -> list[Part]:
    """Give the parts of a line their columns."""
    parts = [piece for part in parts for piece in _split_amounts(part, edges)]
    for part in parts:
        part.column = _column_of(part, edges)
    return parts


def _column_of(part: Part, edges: Sequence[tuple[float, float]]) -> int:
    shared = [min(part.x1, b) - max(part.x0, a) for a, b in edges]
    best = max(range(len(edges)), key=lambda i: shared[i])
    first = next((i for i, s in enumerate(shared) if s > 0), best)
    # A label that runs under the first amounts is still a label.
    return first if not is_amount(part.text) else best


def placed_head(
    parts: Sequence[Part],
    line: Line,
    edges: Sequence[tuple[float, float]],
    across: Sequence[Box],
) -> list[Part]:
    """Give the parts of a head line the columns that they stand over."""
    parts = [piece for part in parts for piece in _split_amounts(part, edges)]
    spans: list[tuple[int, int]] = []
    for part in parts:
        rule = _rule_under(part, line, across)
        x0, x1 = (min(part.x0, rule[0]), max(part.x1, rule[2])) if rule else (part.x0, part.x1)
        over = [i for i, (a, b) in enumerate(edges) if min(x1, b) - max(x0, a) > 0.3 * (b - a)]
        shared = [min(x1, b) - max(x0, a) for a, b in edges]
        if not over and max(shared) > 0:
            over = [shared.index(max(shared))]
        if not over:
            centre = (part.x0 + part.x1) / 2
            over = [min(range(len(edges)), key=lambda i: abs(sum(edges[i]) / 2 - centre))]
        spans.append((over[0], over[-1]))
    spans = _shared_out(parts, spans, edges)
    for part, (first, last) in zip(parts, spans, strict=True):
        part.column, part.columns = first, last - first + 1
    return list(parts)


def _split_amounts(part: Part, edges: Sequence[tuple[float, float]]) -> list[Part]:
    """Part `2018 2017`, set close, where each amount stands over a column of its own."""
    if len(part.words) < 2:
        return [part]
    columns = []
    for word in part.words:
        centre = (word[0] + word[2]) / 2
        over = [i for i, (a, b) in enumerate(edges) if a - 4 <= centre <= b + 4]
        columns.append(over[0] if len(over) == 1 else -1)
    amounts = all(is_amount(word[4]) for word in part.words)
    if amounts and -1 not in columns and len(set(columns)) == len(columns):
        return [Part([word], word[0], word[2]) for word in part.words]
    return [part]


def _rule_under(part: Part, line: Line, across: Sequence[Box]) -> Box | None:
    centres = [(cell.x0 + cell.x1) / 2 for cell in line.cells]
    others = [centre for centre in centres if not part.x0 <= centre <= part.x1]
    near = [
        r for r in across
        if -3 <= r[1] - line.y1 < 6 and r[0] - 2 <= (part.x0 + part.x1) / 2 <= r[2] + 2
        and not any(r[0] < other < r[2] for other in others)
    ]  # fmt: skip
    return min(near, key=lambda r: r[2] - r[0]) if near else None


def _shared_out(
    parts: Sequence[Part], spans: list[tuple[int, int]], edges: Sequence[tuple[float, float]]
) -> list[tuple[int, int]]:
    """Spread head parts over the value columns in equal shares when each stands amid its share."""
    values = list(range(1, len(edges)))
    heads = [i for i, span in enumerate(spans) if span[1] >= 1]
    if not heads or len(values) <= len(heads) or len(values) % len(heads):
        return spans
    share = len(values) // len(heads)
    out = list(spans)
    for k, i in enumerate(heads):
        first, last = values[k * share], values[(k + 1) * share - 1]
        middle = (edges[first][0] + edges[last][1]) / 2
        width = edges[last][1] - edges[first][0]
        if abs((parts[i].x0 + parts[i].x1) / 2 - middle) > 0.18 * width:
            return spans
        out[i] = first, last
    return out
