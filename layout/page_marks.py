"""What is drawn on a page besides its text: rules, shapes, shaded areas, pictures.

1. Thin straight lines, and rectangles thin enough to stand for one, are rules.
2. Curves, slanted lines and dark rectangles are shapes, the stuff of charts and drawings.
3. Light rectangles are shading: of table rows, boxes, sidebars. White ones, and those as large as
   the page, are its paper.

Plain values of the engine come in. All are points of the page as displayed.
Not covered: clip paths; what is drawn beyond its clip counts up to the page's edge.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pagehop.layout.orientation import turned
from pagehop.types import Box

Drawing = Mapping[str, Any]
_THIN_PT = 3.0
_STRAIGHT_PT = 0.8
"""A line this far from level is slanted."""
_WHITE, _LIGHT = 0.97, 0.78
_PAPER = 0.7
"""Share of the page from which on a filled area is its background."""
_DOT_PT = 1.2, 7.0
_MOST_ITEMS = 300
"""A path of more pieces is a shape as a whole: a plotted line, an outline, a map."""
MOST_MARKS = 6_000
"""Of each sort on one page; the largest stay."""


@dataclass(slots=True)
class Marks:
    """What is drawn on one page, as boxes in points."""

    across: list[Box] = field(default_factory=list)
    """Horizontal rules."""
    upright: list[Box] = field(default_factory=list)
    """Vertical rules."""
    shapes: list[Box] = field(default_factory=list)
    shading: list[Box] = field(default_factory=list)
    pictures: list[Box] = field(default_factory=list)
    dots: list[Box] = field(default_factory=list)
    """Small dark squares and circles, as lists are marked with."""

    def turned(self, turn: int, size_pt: tuple[float, float]) -> "Marks":
        """Return the marks of the page after a turn by 90 or 270 degrees."""

        def turn_all(boxes: list[Box]) -> list[Box]:
            return [turned(box, turn, size_pt) for box in boxes]

        across, upright = turn_all(self.upright), turn_all(self.across)
        sorts = self.shapes, self.shading, self.pictures, self.dots
        rest = (turn_all(boxes) for boxes in sorts)
        return Marks(across, upright, *rest)


def read_marks(
    drawings: Iterable[Drawing],
    pictures: Iterable[Sequence[float]],
    size_pt: tuple[float, float],
    turn: Sequence[float] | None = None,
) -> Marks:
    """Sort the drawings of a page.

    Args:
        drawings: As the engine's `get_cdrawings` gives them, of the page without rotation.
        pictures: Boxes of its images, as displayed.
        size_pt: Width and height as displayed.
        turn: Matrix from the page without rotation to the page as displayed.
    """
    marks = Marks()
    reader = _Reader(marks, size_pt, turn)
    for drawing in drawings:
        if _is_seen(drawing):
            reader.take(drawing)
    for picture in pictures:
        box = reader.placed(picture)
        if box is None:
            continue
        if min(box[2] - box[0], box[3] - box[1]) > _THIN_PT:
            marks.pictures.append(box)
        elif max(box[2] - box[0], box[3] - box[1]) > _THIN_PT:
            reader.rule(box)  # some programs draw rules as pictures
    for name in ("across", "upright", "shapes", "shading", "pictures", "dots"):
        boxes = list(dict.fromkeys(getattr(marks, name)))
        if len(boxes) > MOST_MARKS:
            boxes = sorted(boxes, key=_extent, reverse=True)[:MOST_MARKS]
        setattr(marks, name, boxes)
    return marks


def _extent(box: Box) -> float:
    return (box[2] - box[0]) + (box[3] - box[1])


def _is_seen(drawing: Drawing) -> bool:
    filled = drawing.get("fill") is not None and (drawing.get("fill_opacity") or 0) > 0.05
    drawn = drawing.get("color") is not None and (drawing.get("stroke_opacity") or 0) > 0.05
    return filled or drawn


@dataclass
class _Reader:
    marks: Marks
    size_pt: tuple[float, float]
    turn: Sequence[float] | None

    def placed(self, box: Sequence[float], *, turned: bool = False) -> Box | None:
        """Clip a box to the page; None when nothing of it is there or it is no box."""
        x0, y0, x1, y1 = box
        if turned and self.turn is not None:
            a, b, c, d, e, f = self.turn
            x0, y0, x1, y1 = (a * x0 + c * y0 + e, b * x0 + d * y0 + f,
                              a * x1 + c * y1 + e, b * x1 + d * y1 + f)  # fmt: skip
        x0, x1 = (x0, x1) if x0 <= x1 else (x1, x0)
        y0, y1 = (y0, y1) if y0 <= y1 else (y1, y0)
        width, height = self.size_pt
        if not (x0 <= width and y0 <= height and x1 >= 0 and y1 >= 0):  # or it is no number
            return None
        return max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height)

    def take(self, drawing: Drawing) -> None:
        """Sort one path."""
        items: Sequence[Any] = drawing.get("items") or ()
        whole = self.placed(drawing["rect"], turned=True)
        if whole is None:
            return
        curved = len(items) > _MOST_ITEMS or any(_is_free(item) for item in items)
        if curved:
            self._dot(whole, drawing)
            self._area(whole, drawing, shape=True)
            return
        if len(items) > 2 and drawing.get("fill") is not None and items[0][0] == "l":
            self._rectangle(whole, drawing)  # drawn side by side
            return
        for item in items:
            if item[0] == "l":
                (x0, y0), (x1, y1) = item[1], item[2]
                if (box := self.placed((x0, y0, x1, y1), turned=True)) is not None:
                    self.rule(box)
            else:
                corners = item[1] if item[0] == "re" else _around(item[1])
                if (box := self.placed(corners, turned=True)) is not None:
                    self._rectangle(box, drawing)

    def rule(self, box: Box) -> None:
        """Take a thin box for a rule."""
        x0, y0, x1, y1 = box
        if x1 - x0 >= y1 - y0:
            self.marks.across.append(box)
        else:
            self.marks.upright.append(box)

    def _rectangle(self, box: Box, drawing: Drawing) -> None:
        x0, y0, x1, y1 = box
        self._dot(box, drawing)
        if min(x1 - x0, y1 - y0) < _THIN_PT:
            if max(x1 - x0, y1 - y0) > _THIN_PT:
                self.rule(box)
            return
        if drawing.get("fill") is not None:
            self._area(box, drawing, shape=False)
        if drawing.get("color") is not None and drawing.get("type") != "f":
            for side in ((x0, y0, x1, y0), (x0, y1, x1, y1), (x0, y0, x0, y1), (x1, y0, x1, y1)):
                self.rule(side)

    def _dot(self, box: Box, drawing: Drawing) -> None:
        width, height = box[2] - box[0], box[3] - box[1]
        fill: Sequence[float] = drawing.get("fill") or ()
        dark = len(fill) > 0 and sum(fill) / len(fill) < _LIGHT
        if dark and _DOT_PT[0] < min(width, height) and max(width, height) < _DOT_PT[1]:
            if abs(width - height) < 0.3 * max(width, height):
                self.marks.dots.append(box)

    def _area(self, box: Box, drawing: Drawing, *, shape: bool) -> None:
        width, height = self.size_pt
        x0, y0, x1, y1 = box
        if (x1 - x0) * (y1 - y0) > _PAPER * width * height:
            return
        fill: Sequence[float] = drawing.get("fill") or ()
        light = min(fill) if fill else 0.0
        if fill and light > _WHITE and drawing.get("type") != "fs":
            return
        is_light = len(fill) > 0 and sum(fill) / len(fill) > _LIGHT
        (self.marks.shading if is_light and not shape else self.marks.shapes).append(box)


def _is_free(item: Sequence[Any]) -> bool:
    """Tell a curve or a slanted line."""
    if item[0] == "c":
        return True
    if item[0] == "l":
        (x0, y0), (x1, y1) = item[1], item[2]
        return bool(abs(x1 - x0) > _STRAIGHT_PT and abs(y1 - y0) > _STRAIGHT_PT)
    if item[0] == "qu":
        xs, ys = zip(*item[1], strict=True)
        x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
        return any(
            min(x - x0, x1 - x) > _STRAIGHT_PT or min(y - y0, y1 - y) > _STRAIGHT_PT
            for x, y in item[1]
        )
    return False


def _around(corners: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
