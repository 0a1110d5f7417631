"""Words of a page, in the order a person reads them, as visual rows.

1. The engine's lines, cut at wide gaps, are segments.
2. A vertical gutter with prose on one side at least parts the page into columns; a whitespace strip
   between short or numeric cells does not, so a table row stays one row. Segments that cross the
   gutter (a title over two columns) part the page into bands.
3. Within a column, segments on one base line form a row, left to right (`rows`).

Source: recursive XY-cut (Nagy and Seth 1984); differs: cuts only between prose, never in tables.
Not covered: right-to-left order inside a row, text along a curve.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pagehop.layout.rows import RawWord, Row, Segment, build_rows, join_brackets

_BINS = 96


def read_rows(words: list[RawWord], width_pt: float) -> list[Row]:
    """Order the words of a page into rows.

    Args:
        words: As the engine gives them, boxes in points of the page as displayed.
        width_pt: Width of the page.
    """
    upright: list[Segment] = []
    vertical: list[Segment] = []
    for segment in _segments(words):
        (vertical if _is_vertical(segment) else upright).append(segment)
    columns = _columns(upright, width_pt, 0) if upright else []
    rows = [row for number, column in enumerate(columns) for row in build_rows(column, number)]
    rows += [Row(s.words, len(columns), [0]) for s in vertical]
    for row in rows:
        join_brackets(row)
    return rows


def _segments(words: list[RawWord]) -> list[Segment]:
    """Group words by engine line and cut where the gap is wider than a capital."""
    segments: list[Segment] = []
    block = line = -1
    last = Segment(0, 0, 0, 0, [])
    for word in words:
        x0, y0, x1, y1, text, b, n, _ = word
        if b == block and n == line:
            height = y1 - y0
            near = -2 * height < x0 - last.x1 < height
            # The second test is for a line that runs up or down the page.
            if near or (abs(x0 - last.words[-1][0]) < 1 and len(text) > 1):
                last.words.append(word)
                if x0 < last.x0:
                    last.x0 = x0
                if x1 > last.x1:
                    last.x1 = x1
                if y0 < last.y0:
                    last.y0 = y0
                if y1 > last.y1:
                    last.y1 = y1
                continue
        block, line = b, n
        last = Segment(x0, y0, x1, y1, [word])
        segments.append(last)
    return segments


def _is_vertical(segment: Segment) -> bool:
    if segment.y1 - segment.y0 < 2.5 * (segment.x1 - segment.x0):
        return False
    return sum(len(word[4]) for word in segment.words) > 3


def _columns(segments: list[Segment], width_pt: float, depth: int) -> list[list[Segment]]:
    """Part segments into columns, in reading order."""
    if len(segments) < 8 or depth > 3:
        return [segments]
    x0 = np.array([s.x0 for s in segments])
    x1 = np.array([s.x1 for s in segments])
    for cut in _gutters(x0, x1):
        columns = _bands(segments, x0, x1, cut, width_pt, depth)
        if len(columns) > 1:
            return columns
    return [segments]


def _gutters(x0: NDArray[np.float64], x1: NDArray[np.float64]) -> list[float]:
    """Give places for a vertical cut, best first.

    Left of an edge where many segments start, as a column of text does; then where few segments
    cross and many stand on both sides.
    """
    low, high = float(x0.min()), float(x1.max())
    edges, flush = np.unique((x0 / 3).round() * 3, return_counts=True)
    inside = (
        (flush >= 4) & (edges > low + 0.12 * (high - low)) & (edges < low + 0.88 * (high - low))
    )
    flush_cuts, flush_counts = edges[inside] - 2, flush[inside]
    even_cuts = low + (high - low) * np.linspace(0.12, 0.88, _BINS)
    left, right, crossing = _sides(x0, x1, flush_cuts)
    usable = (left >= 4) & (crossing <= 0.75 * len(x0))
    order = np.argsort(3 * crossing - flush_counts, kind="stable")
    found = [float(flush_cuts[i]) for i in order if usable[i]][:3]
    left, right, crossing = _sides(x0, x1, even_cuts)
    score = np.minimum(left, right) - crossing.astype(float)
    score[(left < 4) | (right < 4) | (crossing > 0.75 * len(x0))] = -np.inf
    best = float(score.max())
    if best > -np.inf:
        first = last = int(score.argmax())
        while last + 1 < _BINS and score[last + 1] == best:
            last += 1
        found.append(float(even_cuts[(first + last) // 2]))
    return [cut for i, cut in enumerate(found) if all(abs(cut - c) > 6 for c in found[:i])]


def _sides(
    x0: NDArray[np.float64], x1: NDArray[np.float64], cuts: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count the segments left of, right of and across each cut."""
    left = (x1[:, None] <= cuts).sum(0)  # (cuts,)
    right = (x0[:, None] >= cuts).sum(0)
    return left, right, len(x0) - left - right


def _bands(
    segments: list[Segment],
    x0: NDArray[np.float64],
    x1: NDArray[np.float64],
    cut: float,
    width_pt: float,
    depth: int,
) -> list[list[Segment]]:
    """Cut into columns wherever prose stands beside the cut, between segments that cross it."""
    sides = np.where(x1 <= cut, 0, np.where(x0 >= cut, 1, 2))
    order = sorted(range(len(segments)), key=lambda i: segments[i].y0 + segments[i].y1)
    columns: list[list[Segment]] = []
    plain: list[Segment] = []
    band: list[int] = []

    def close() -> None:
        nonlocal plain, band
        if len(band) < 6:
            plain.extend(segments[i] for i in band)
            band = []
            return
        left = [segments[i] for i in band if sides[i] == 0]
        right = [segments[i] for i in band if sides[i] == 1]
        if _are_columns(left, right, width_pt):
            if plain:
                columns.append(plain)
                plain = []
            columns.extend(_columns(left, width_pt, depth + 1))
            columns.extend(_columns(right, width_pt, depth + 1))
        else:
            plain.extend(segments[i] for i in band)
        band = []

    for i in order:
        if sides[i] == 2:
            close()
            plain.append(segments[i])
        else:
            band.append(i)
    close()
    if plain:
        columns.append(plain)
    return columns


def _are_columns(left: list[Segment], right: list[Segment], width_pt: float) -> bool:
    if len(left) < 3 or len(right) < 3:
        return False
    prose = _is_prose(left, width_pt), _is_prose(right, width_pt)
    if all(prose):
        return True
    if _share_blocks(left, right):
        return False
    if any(prose):
        text, other = (left, right) if prose[0] else (right, left)
        if len(text) >= 5 and not _share_baselines(text, other):
            return True
    return _are_halves(left, right)


def _share_blocks(left: list[Segment], right: list[Segment]) -> bool:
    """Tell whether the engine took much of both sides for the same blocks, as in a table."""
    blocks = [{s.words[0][5] for s in side} for side in (left, right)]
    small = min((left, blocks[1]), (right, blocks[0]), key=lambda side: len(side[0]))
    return sum(s.words[0][5] in small[1] for s in small[0]) > 0.4 * len(small[0])


def _are_halves(left: list[Segment], right: list[Segment]) -> bool:
    """Tell two columns that hold tables from one table: each row starts with words, flush left."""
    sides = left, right
    spans = [max(s.x1 for s in side) - min(s.x0 for s in side) for side in sides]
    total = max(s.x1 for s in right) - min(s.x0 for s in left)
    if min(spans) < 0.35 * total:
        return False
    full = [
        sum(s.x1 - s.x0 > 0.8 * span and len(s.words) >= 5 for s in side)
        for side, span in zip(sides, spans, strict=True)
    ]
    return max(full) >= 4 and all(_starts_with_words(side) for side in sides)


def _starts_with_words(side: list[Segment]) -> bool:
    edge = min(s.x0 for s in side) + 0.08 * (max(s.x1 for s in side) - min(s.x0 for s in side))
    flush = sum(s.x0 < edge and any(c.isalpha() for w in s.words[:2] for c in w[4]) for s in side)
    feet = sorted(s.y1 for s in side)
    rows = 1 + sum(b - a > 3 for a, b in pairwise(feet))
    return flush >= 0.6 * rows


def _is_prose(side: list[Segment], width_pt: float) -> bool:
    """Tell text set in close lines of one width from labels and cells of ragged widths."""
    span = max(s.x1 for s in side) - min(s.x0 for s in side)
    if span < 0.15 * width_pt:
        return False
    full = sum(s.x1 - s.x0 >= 0.75 * span for s in side)
    words = sum(len(s.words) for s in side)
    if full < 0.5 * len(side) or words < 3.5 * len(side):
        return False
    lines = sorted((s.y0, s.y1) for s in side)
    close = sum(b[0] - a[1] < 0.8 * (a[1] - a[0]) for a, b in pairwise(lines))
    return close >= 0.5 * (len(lines) - 1)


def _share_baselines(text: list[Segment], other: list[Segment]) -> bool:
    """Tell whether most segments of `other` stand on a line of `text`, as in a table."""
    feet = np.array([s.y1 for s in text])
    height = float(np.median([s.y1 - s.y0 for s in text]))
    shared = sum(
        bool((np.abs(feet - s.y1) < 0.2 * height).any())
        for s in other
        if 0.75 * height < s.y1 - s.y0 < 1.33 * height
    )
    return shared >= 0.5 * len(other)
