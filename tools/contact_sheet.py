"""Thumbnails of many pages on one picture, each under its number.

The plan of a sheet (which page stands where, in pixels) is its reference: the picture is drawn from
it again whenever it is sent, and a box that a model gives on it is turned into one of a page.

Source: ViDoRAG (Alibaba-NLP/ViDoRAG, arXiv 2502.18017); differs: numbers are drawn on, and
rows and columns are those that show the pages largest.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from pagehop.errors import LibraryError
from pagehop.library.view import View
from pagehop.types import Box, PageRef

if TYPE_CHECKING:
    from PIL.Image import Image

_GAP_PX = 8
_LABEL_PX = 20
_WIDEST, _TALLEST = 2.0, 0.5
"""Width by height of a sheet; models shrink longer pictures."""
_GROUND, _INK = (52, 52, 60), (255, 255, 255)


@dataclass(frozen=True)
class Thumbnail:
    """One page on a sheet."""

    ref: PageRef
    place: tuple[int, int, int, int]
    """x0, y0, x1, y1 of the page in pixels of the sheet."""


@dataclass(frozen=True)
class Sheet:
    """What stands where."""

    width_px: int
    height_px: int
    thumbnails: tuple[Thumbnail, ...]
    """Row by row."""

    def to_json(self) -> list[list[object]]:
        """Return the thumbnails for an artifact, which holds width and height beside them."""
        return [[str(one.ref), *one.place] for one in self.thumbnails]

    def on_page(self, box_px: Box) -> tuple[PageRef, Box] | None:
        """Return the page on which the middle of a box lies, and the box in fractions of it."""
        x, y = (box_px[0] + box_px[2]) / 2, (box_px[1] + box_px[3]) / 2
        for one in self.thumbnails:
            x0, y0, x1, y1 = one.place
            if x0 <= x <= x1 and y0 <= y <= y1:
                left, right = ((v - x0) / (x1 - x0) for v in (box_px[0], box_px[2]))
                top, foot = ((v - y0) / (y1 - y0) for v in (box_px[1], box_px[3]))
                a, b, c, d = (min(max(v, 0.0), 1.0) for v in (left, top, right, foot))
                return one.ref, (a, b, c, d)
        return None


def read_sheet(artifact: Mapping[str, Any]) -> Sheet:
    """Read the sheet of an artifact."""
    thumbnails = tuple(
        Thumbnail(PageRef.parse(ref), (int(x0), int(y0), int(x1), int(y1)))
        for ref, x0, y0, x1, y1 in artifact["sheet"]
    )
    return Sheet(int(artifact["width_px"]), int(artifact["height_px"]), thumbnails)


def plan_sheet(view: View, refs: Sequence[PageRef], max_pixels: int) -> Sheet:
    """Place pages on a sheet so that they are as large as the pixels allow.

    Args:
        view: Where the pages are.
        refs: At least one.
        max_pixels: Of the sheet, never exceeded.
    """
    aspects = [_aspect(view, ref) for ref in refs]
    usual = median(aspects)
    grids = [(columns, -(-len(refs) // columns)) for columns in range(1, len(refs) + 1)]
    sized = [(*grid, _cell_height(*grid, usual, max_pixels)) for grid in grids]
    fitting = [one for one in sized if _TALLEST <= _shape(*one, usual) <= _WIDEST] or sized
    columns, rows, height = max(fitting, key=lambda one: (one[2], one[0]))
    width = max(1, math.floor(height * usual))
    thumbnails = []
    for i, (ref, aspect) in enumerate(zip(refs, aspects, strict=True)):
        left = _GAP_PX + (i % columns) * (width + _GAP_PX)
        top = _LABEL_PX + (i // columns) * (height + _LABEL_PX)
        across = min(width, max(1, round(height * aspect)))
        down = min(height, max(1, round(across / aspect)))
        x0 = left + (width - across) // 2
        thumbnails.append(Thumbnail(ref, (x0, top, x0 + across, top + down)))
    size = _size(columns, rows, width, height)
    return Sheet(*size, tuple(thumbnails))


def draw_sheet(view: View, sheet: Sheet) -> "Image":
    """Draw a sheet; a page that cannot be rendered stays an empty frame that says so."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - only pictures need it

    picture = Image.new("RGB", (sheet.width_px, sheet.height_px), _GROUND)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=_LABEL_PX - 5)
    one_document = len({one.ref.name for one in sheet.thumbnails}) == 1
    for one in sheet.thumbnails:
        x0, y0, x1, y1 = one.place
        size = x1 - x0, y1 - y0
        try:
            page = view.crop(one.ref, max_pixels=max(1, size[0] * size[1]))
            picture.paste(page.convert("RGB").resize(size, Image.Resampling.LANCZOS), (x0, y0))
        except LibraryError:
            draw.rectangle(one.place, fill=(120, 120, 120))
            draw.text((x0 + 4, y0 + 4), "cannot\nbe drawn", font=font, fill=_INK)
        label = str(one.ref.page) if one_document else str(one.ref)
        while len(label) > 4 and draw.textlength(label, font=font) > size[0]:
            label = ".." + label.removeprefix("..")[1:]
        draw.text(((x0 + x1) / 2, y0 - _LABEL_PX / 2), label, font=font, fill=_INK, anchor="mm")
    return picture


def _aspect(view: View, ref: PageRef) -> float:
    page = view.page(ref)
    if page.width_pt <= 0 or page.height_pt <= 0:  # a damaged page has no size
        return 0.75
    return min(max(page.width_pt / page.height_pt, 0.2), 5.0)


def _cell_height(columns: int, rows: int, aspect: float, max_pixels: int) -> int:
    """Return the greatest height of a page at which the sheet has no more pixels than allowed."""
    low, high = 1, max(2, math.isqrt(max_pixels) * 5)
    while high - low > 1:
        middle = (low + high) // 2
        width, height = _size(columns, rows, max(1, math.floor(middle * aspect)), middle)
        low, high = (middle, high) if width * height <= max_pixels else (low, middle)
    return low


def _shape(columns: int, rows: int, height: int, aspect: float) -> float:
    width, down = _size(columns, rows, max(1, math.floor(height * aspect)), height)
    return width / down


def _size(columns: int, rows: int, width: int, height: int) -> tuple[int, int]:
    return (
        columns * (width + _GAP_PX) + _GAP_PX,
        rows * (height + _LABEL_PX) + _GAP_PX,
    )
