"""Pictures, charts and drawings as regions, from image boxes and drawn shapes.

1. Images and shapes near one another are one figure; rules that cross it are its axes.
2. Short lines of type in it or at its edge are its labels. An area with paragraphs in it is a
   shaded box or a background, no figure. A chart's own title is above it, in its middle.

Not covered: charts without any shape, figures made of type alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pagehop.layout.grids import Grid
from pagehop.layout.page_lines import Line, PageLines, is_caption
from pagehop.types import Box

_NEAR_PT = 12.0
"""Shapes this near belong together: bars, points, the pieces of a drawing."""
_PICTURE_NEAR_PT = 3.0
_SMALLEST_PT = 28.0
_MOST_SEEDS = 1500
_PROSE_WORDS = 7
_FEWEST_BARS = 3
_FEWEST_STEPS = 4
_NARROW_PT = 60.0
_TITLE_WORDS = 14
_TITLE_LINES = 4
_BACKGROUND = 0.8
"""Share of the page from which on an image with text on it is its background."""


@dataclass
class Figure:
    """One picture, chart or drawing; points."""

    box: Box
    lines: list[Line]
    """Its labels, in reading order."""


def find_figures(page: PageLines, lines: Sequence[Line], grids: Sequence[Grid]) -> list[Figure]:
    """Find the figures of a page.

    Args:
        page: With what is drawn on it.
        lines: Those that may be labels: no running heads or feet.
        grids: Tables, in which nothing is a figure.
    """
    marks = page.marks
    around = [grid.box for grid in grids]
    pictures = [box for box in marks.pictures if not _inside_any(box, around)]
    shapes = [box for box in marks.shapes if not _inside_any(box, around)]
    clusters = _gather(pictures, _PICTURE_NEAR_PT)
    plots = [box for box in _plots(marks.across, marks.upright) if not _inside_any(box, around)]
    plots = [box for box in plots if any(_touch(box, shape) for shape in shapes)]
    plots += [
        box for box in _scales(marks.across, marks.upright)
        if sum(_inside_any(shape, [box]) for shape in shapes) >= _FEWEST_BARS
    ]  # fmt: skip
    drawn = _gather([*shapes, *plots], _NEAR_PT)
    found: list[Figure] = []
    for box in _gather([*clusters, *_with_axes(drawn, marks.across, marks.upright)], 1.0):
        if min(box[2] - box[0], box[3] - box[1]) < _SMALLEST_PT:
            continue
        pictured = any(_covers(picture, box) for picture in pictures)
        figure = _labelled(box, lines, page, pictured=pictured)
        if figure is not None:
            found.append(figure)
    return found


def _plots(across: Sequence[Box], upright: Sequence[Box]) -> list[Box]:
    """Find two axes that meet in the lower left corner of a chart."""
    if len(across) * len(upright) > 40_000:
        return []
    return [
        (a[0], u[1], a[2], a[1])
        for a in across
        for u in upright
        if abs(u[0] - a[0]) < 2 and abs(u[3] - a[1]) < 2 and min(u[3] - u[1], a[2] - a[0]) > 30
    ]


def _scales(across: Sequence[Box], upright: Sequence[Box]) -> list[Box]:
    """Find the grid lines of charts: rules of one length, evenly beside or above one another."""
    found = []
    for rules, along, step in ((across, 0, 1), (upright, 1, 0)):
        alike: dict[tuple[int, int], list[Box]] = {}
        for rule in rules:
            key = round(rule[along] / 3), round(rule[along + 2] / 3)
            if rule[along + 2] - rule[along] > _SMALLEST_PT:
                alike.setdefault(key, []).append(rule)
        for group in alike.values():
            places = sorted({round(rule[step]) for rule in group})
            steps = [b - a for a, b in pairwise(places)]
            usual = sorted(steps)[len(steps) // 2] if steps else 0
            # An axis amid them may halve a step.
            if sum(abs(s - usual) < 0.15 * usual + 2 for s in steps) >= _FEWEST_STEPS:
                found.append(_around(group))
    return found


def _touch(a: Box, b: Box) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def _inside_any(box: Box, others: Sequence[Box]) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(o[0] - 2 <= x <= o[2] + 2 and o[1] - 2 <= y <= o[3] + 2 for o in others)


def _covers(picture: Box, box: Box) -> bool:
    across = min(picture[2], box[2]) - max(picture[0], box[0])
    down = min(picture[3], box[3]) - max(picture[1], box[1])
    whole = (box[2] - box[0]) * (box[3] - box[1])
    return across > 0 and down > 0 and across * down > 0.5 * whole


def _gather(boxes: Sequence[Box], near_pt: float) -> list[Box]:
    """Join boxes that are near one another, until none is."""
    if not boxes:
        return []
    array = np.array(boxes, dtype=float)
    step = 2.0
    while len(array) > _MOST_SEEDS:
        snapped = np.concatenate(
            [np.floor(array[:, :2] / step), np.ceil(array[:, 2:] / step)], axis=1
        )
        array = np.unique(snapped, axis=0) * step
        step *= 2
    while True:
        joined = _joined(array, near_pt)
        if len(joined) == len(array):
            return [(float(a), float(b), float(c), float(d)) for a, b, c, d in joined]
        array = joined


def _joined(array: NDArray[np.float64], near_pt: float) -> NDArray[np.float64]:
    left = np.ones(len(array), dtype=bool)
    out = []
    for i in range(len(array)):
        if not left[i]:
            continue
        left[i] = False
        box = array[i].copy()
        while True:
            touching = left & (array[:, 0] <= box[2] + near_pt) & (array[:, 2] >= box[0] - near_pt)
            touching &= (array[:, 1] <= box[3] + near_pt) & (array[:, 3] >= box[1] - near_pt)
            if not touching.any():
                break
            left[touching] = False
            box[:2] = np.minimum(box[:2], array[touching, :2].min(axis=0))
            box[2:] = np.maximum(box[2:], array[touching, 2:].max(axis=0))
        out.append(box)
    return np.array(out)


def _with_axes(boxes: list[Box], across: Sequence[Box], upright: Sequence[Box]) -> list[Box]:
    """Widen drawn areas by the axes and grid lines that cross them."""
    widened = []
    for box in boxes:
        x0, y0, x1, y1 = box
        width, height = x1 - x0, y1 - y0
        if min(width, height) < 4:
            continue
        crossing = [
            *(r for r in across if _crosses(r[1], (y0, y1), (r[0], r[2]), (x0, x1))),
            *(r for r in upright if _crosses(r[0], (x0, x1), (r[1], r[3]), (y0, y1))),
        ]
        crossing += [rung for r in crossing[:1] for rung in _ladder(r, across)]
        for r in crossing:
            x0, y0, x1, y1 = min(x0, r[0]), min(y0, r[1]), max(x1, r[2]), max(y1, r[3])
        widened.append((x0, y0, x1, y1))
    return widened


def _ladder(rule: Box, across: Sequence[Box]) -> list[Box]:
    """Give the grid lines of a plot: level rules of one width, evenly above one another."""
    if rule[3] - rule[1] > rule[2] - rule[0]:
        return []
    alike = [r for r in across if abs(r[0] - rule[0]) < 3 and abs(r[2] - rule[2]) < 3]
    heights = sorted({round(r[1]) for r in alike})
    steps = [b - a for a, b in pairwise(heights)]
    even = len(steps) >= 3 and max(steps) < 1.35 * min(steps) + 2
    return alike if even else []


def _crosses(
    at: float, sides: tuple[float, float], rule: tuple[float, float], along: tuple[float, float]
) -> bool:
    """Tell whether a rule at a height runs through an area and is not much longer than it."""
    longest = 2.5 * (along[1] - along[0]) + 20
    near = sides[0] - 8 <= at <= sides[1] + 8
    return near and rule[0] < along[1] and rule[1] > along[0] and rule[1] - rule[0] < longest


def _labelled(box: Box, lines: Sequence[Line], page: PageLines, *, pictured: bool) -> Figure | None:
    inside = [line for line in lines if _centre_in(line, box)]
    prose = [line for line in inside if len(line.words) >= _PROSE_WORDS]
    large = (box[2] - box[0]) * (box[3] - box[1]) > _BACKGROUND * page.width * page.height
    words = sum(len(line.words) for line in inside)
    crowded = len(prose) >= 2 and sum(len(line.words) for line in prose) > 0.5 * words
    if crowded:
        return None
    if not pictured and len(inside) > 40:
        return None  # type on a drawn background
    if large and len(inside) > 12:
        return None
    if not pictured and len(inside) == 1 and box[3] - box[1] < 3 * inside[0].height:
        return None  # a band behind a heading
    if not pictured:
        sizes = sorted(line.size for line in lines)
        usual = sizes[len(sizes) // 2] if sizes else 0.0
        known = {id(line) for line in inside}
        for _ in range(2):
            free = [ln for ln in lines if id(ln) not in known and ln.size <= 1.25 * usual]
            labels = [ln for ln in free if _is_label(ln, box)]
            known |= {id(ln) for ln in labels}
            inside += labels
            box = _around([box, *[(ln.x0, ln.y0, ln.x1, ln.y1) for ln in labels]])
        title = _title(box, [ln for ln in lines if id(ln) not in known], 1.6 * usual)
        inside += title
        box = _around([box, *[(ln.x0, ln.y0, ln.x1, ln.y1) for ln in title]])
    inside = [line for line in inside if not is_caption(line.text, alone=True)]
    order = {id(line): i for i, line in enumerate(lines)}
    return Figure(box, sorted(inside, key=lambda line: order[id(line)]))


def _centre_in(line: Line, box: Box) -> bool:
    x, y = (line.x0 + line.x1) / 2, (line.y0 + line.y1) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _is_label(line: Line, box: Box) -> bool:
    """Tell tick labels and axis titles at the foot and the sides of a chart."""
    if len(line.words) > 14 or is_caption(line.text, alone=True) or line.text[-1] in ".:;":
        return False
    numbers = sum(cell.is_number for cell in line.cells)
    if len(line.words) > 5 and len(line.cells) < 3 and not numbers:
        return False
    height = line.y1 - line.y0
    beside = line.y0 < box[3] and line.y1 > box[1]
    # Tick labels stand farther off than words do.
    far = (3.5 if numbers == len(line.cells) else 1.5) * height
    beside = beside and (0 <= box[0] - line.x1 < far or 0 <= line.x0 - box[2] < far)
    under = line.x0 > box[0] - 20 and line.x1 < box[2] + 20 and -2 <= line.y0 - box[3] < height
    return beside or under


def _title(box: Box, lines: Sequence[Line], largest: float) -> list[Line]:
    """Give the lines of a chart's own title: few, right above it, in its middle, no wider.

    Args:
        box: Of the chart with its labels.
        lines: Those that are no labels.
        largest: Type size, in points, from which on it is the title of the page.
    """
    found: list[Line] = []
    top = box[1]
    if box[2] - box[0] < _NARROW_PT:
        return found  # one bar, with its amount above it
    for line in sorted(lines, key=lambda ln: -ln.y1):
        gap = top - line.y1
        if gap < -2 or line.x0 > box[2] or line.x1 < box[0]:
            continue
        if gap > (0.9 if found else 1.8) * line.height:
            break
        centred = abs(line.x0 + line.x1 - box[0] - box[2]) < 2 * line.height
        within = line.x0 > box[0] - line.height and line.x1 < box[2] + line.height
        few = len(line.words) <= _TITLE_WORDS and line.text[-1] not in ".:;,"
        if is_caption(line.text, alone=True):
            return []
        if not (centred and within and few) or line.size > largest:
            # A paragraph that ends above a chart, its last line in the middle by chance.
            return [] if found and gap < 0.6 * line.height and line.size <= largest else found
        found.append(line)
        top = line.y0
    return found if len(found) <= _TITLE_LINES else []


def _around(boxes: Sequence[Box]) -> Box:
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
