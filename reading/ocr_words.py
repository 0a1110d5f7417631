"""What OCR says of a page, as plain values, and its way into the words of the text layer.

1. An area of a page is read straightened. Its words keep the place they have there, so that the
   lines of a page scanned askew are level for whoever orders words into rows and regions.
2. `merged` puts them among the words of the text layer, which win where both say something.
3. `placed` and `displayed` turn boxes back to where they stand on the page as displayed.

Boxes are fractions of the page, but for `RawWord`, which is in points.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from pagehop.layout.orientation import turned_size
from pagehop.layout.page_lines import PageLines, Style
from pagehop.layout.rows import RawWord, Row
from pagehop.types import Box

OCR_BLOCK = 1_000_000
"""Block numbers from here on are of lines that OCR read."""
OcrWord = tuple[float, float, float, float, str]
"""x0, y0, x1, y1 in fractions of the page, as if its area stood straight, and the word."""
_TYPE_SHARE = 0.8
"""Type size of a line by the height of its box."""
_SIZE_STEP = 0.16
"""Boxes of lines of one type differ by this, as not every line has long letters."""


@dataclass(frozen=True)
class ReadArea:
    """A part of a page and what OCR read there."""

    box: Box
    angle: float
    """Degrees by which it is turned clockwise."""
    lines: tuple[tuple[OcrWord, ...], ...]


@dataclass(frozen=True)
class PageScan:
    """What is known of a page that is a picture in whole or part."""

    page: int
    boxes: tuple[Box, ...]
    """Areas that are pictures of text."""
    areas: tuple[ReadArea, ...] | None = None
    """What was read there; None before it was."""
    failed: str = ""
    """Why nothing could be read; empty when it could."""

    def to_json(self, by: str) -> str:
        """Return one line for the file of results.

        Args:
            by: What read it: `ocr_engine.reader_id`.
        """
        areas = [[area.box, area.angle, area.lines] for area in self.areas or ()]
        values = {"page": self.page, "by": by, "failed": self.failed, "boxes": self.boxes}
        values["areas"] = areas
        return json.dumps(values, ensure_ascii=False, separators=(",", ":"))

    def to_message(self) -> list[Any]:
        """Return it for the PDF worker."""
        areas = None if self.areas is None else [(a.box, a.angle, a.lines) for a in self.areas]
        return [self.page, self.boxes, areas]


def from_json(values: Mapping[str, Any]) -> PageScan:
    """Read what `PageScan.to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: It is something else.
    """
    boxes = tuple(_box(box) for box in values["boxes"])
    return PageScan(int(values["page"]), boxes, _areas(values["areas"]), str(values["failed"]))


def from_message(values: Sequence[Any]) -> PageScan:
    """Read what `PageScan.to_message` gave."""
    page, boxes, areas = values
    found = tuple(_box(box) for box in boxes)
    return PageScan(page, found, None if areas is None else _areas(areas))


def _areas(values: Iterable[Any]) -> tuple[ReadArea, ...]:
    return tuple(
        ReadArea(
            _box(box),
            float(angle),
            tuple(tuple((x0, y0, x1, y1, str(t)) for x0, y0, x1, y1, t in line) for line in lines),
        )
        for box, angle, lines in values
    )


def _box(values: Sequence[float]) -> Box:
    x0, y0, x1, y1 = map(float, values)
    return x0, y0, x1, y1


def merged(
    words: list[RawWord], scan: PageScan | None, width_pt: float, height_pt: float
) -> list[RawWord]:
    """Add the words that OCR read to those of the text layer, each line a block of its own.

    A word that stands where the text layer has one is the same word, and left out.
    """
    if scan is None or not scan.areas:
        return words
    found: list[RawWord] = []
    centres = [((w[0] + w[2]) / 2, (w[1] + w[3]) / 2) for w in words]
    for area in scan.areas:
        for line in area.lines:
            block = OCR_BLOCK + len(found)
            for i, (x0, y0, x1, y1, text) in enumerate(line):
                raw = (x0 * width_pt, y0 * height_pt, x1 * width_pt, y1 * height_pt)
                shown = _turned(raw, area, width_pt, height_pt) if centres else raw
                middle = (shown[0] + shown[2]) / 2, (shown[1] + shown[3]) / 2
                same = any(_is_inside(centre, shown) for centre in centres)
                if not same and not any(_is_inside(middle, word[:4]) for word in words):
                    found.append((*raw, text, block, 0, i))
    return words + found


def type_sizes(words: Iterable[RawWord]) -> dict[tuple[int, int], Style]:
    """Return the type of the lines that OCR read, as far as their height tells it."""
    heights: dict[tuple[int, int], float] = {}
    for word in words:
        if word[5] >= OCR_BLOCK:
            key = word[5], word[6]
            heights[key] = max(heights.get(key, 0.0), word[3] - word[1])
    if not heights:
        return {}
    usual = median(heights.values())
    sizes = {key: _snapped(height, usual) for key, height in heights.items()}
    return {key: (round(_TYPE_SHARE * size, 1), False, False) for key, size in sizes.items()}


def _snapped(height: float, usual: float) -> float:
    """Round a height to even steps from the usual one."""
    steps = round(math.log(max(height, 0.1) / max(usual, 0.1)) / (2 * _SIZE_STEP))
    return usual * math.exp(steps * 2 * _SIZE_STEP)


def is_ocr(word: RawWord) -> bool:
    """Whether OCR read a word."""
    return word[5] >= OCR_BLOCK


def displayed(rows: Iterable[Row], scan: PageScan, width_pt: float, height_pt: float) -> None:
    """Move the words of rows that OCR read to where they stand on the page, in place."""
    for row in rows:
        row.words = [
            (*_turned(word[:4], area, width_pt, height_pt), *word[4:])
            if is_ocr(word) and (area := _area_at(word[:4], scan, width_pt, height_pt))
            else word
            for word in row.words
        ]


def placed(box: Box, scan: PageScan, width_pt: float, height_pt: float) -> Box:
    """Return where the box of a region that OCR read stands on the page.

    Args:
        box: Fractions of the page, around words as `merged` gives them.
        scan: Of the page.
        width_pt: Width of the page.
        height_pt: Height of the page.
    """
    points = box[0] * width_pt, box[1] * height_pt, box[2] * width_pt, box[3] * height_pt
    area = _area_at(points, scan, width_pt, height_pt)
    if area is None or not area.angle:
        return box
    x0, y0, x1, y1 = _turned(points, area, width_pt, height_pt)
    sides = x0 / width_pt, y0 / height_pt, x1 / width_pt, y1 / height_pt
    a, b, c, d = (round(min(max(side, 0.0), 1.0), 5) for side in sides)
    return a, b, c, d


def with_sources(
    regions: Iterable[Sequence[Any]], page: PageLines, scan: PageScan | None
) -> list[Any]:
    """Add to the fields of regions which of them OCR read, and move those to their place.

    Args:
        regions: Of one page, each with its box last.
        page: The lines that they were cut from.
        scan: Of the page.
    """
    if scan is None or not scan.areas:
        return [(*fields, "text") for fields in regions]
    width, height = turned_size((page.width, page.height), page.turn)
    points = [
        (_middle(page.placed(word[:4])), is_ocr(word)) for line in page.lines for word in line.words
    ]
    found: list[Any] = []
    for *fields, box in regions:
        inside = [ocr for point, ocr in points if _is_inside(point, box)]
        if 2 * sum(inside) > len(inside):
            found.append((*fields, placed(box, scan, width, height), "ocr"))
        else:
            found.append((*fields, box, "text"))
    return found


def _area_at(box: Box, scan: PageScan, width_pt: float, height_pt: float) -> ReadArea | None:
    """Return the area that holds the middle of a box; the nearest one when none does."""
    x, y = (box[0] + box[2]) / 2 / width_pt, (box[1] + box[3]) / 2 / height_pt
    for area in scan.areas or ():
        if _is_inside((x, y), area.box):
            return area
    return next(iter(scan.areas or ()), None)


def _turned(box: Box, area: ReadArea, width_pt: float, height_pt: float) -> Box:
    """Turn a box in points with its area and return the box around it."""
    if not area.angle:
        return box
    cx = (area.box[0] + area.box[2]) / 2 * width_pt
    cy = (area.box[1] + area.box[3]) / 2 * height_pt
    cos, sin = math.cos(math.radians(area.angle)), math.sin(math.radians(area.angle))
    corners = [(x - cx, y - cy) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs = [cx + x * cos - y * sin for x, y in corners]
    ys = [cy + x * sin + y * cos for x, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _is_inside(point: tuple[float, float], box: Box) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
