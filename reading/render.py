"""Pictures of page boxes: which part to render, how finely, a small cache, a marker."""

import math
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from pagehop.types import Box

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_DPI = 600
"""Beyond this a PDF's fonts gain nothing and its pictures are only blown up."""
MAX_PIXELS = 40_000_000


@dataclass(frozen=True)
class Cut:
    """A part of a page to render."""

    clip_pt: Box
    """Points of the page as displayed."""
    zoom: float
    """Pixels a point."""


def plan_cut(width_pt: float, height_pt: float, box: Box, limits: Mapping[str, float]) -> Cut:
    """Choose clip and zoom so that the padded box fills `max_pixels`, and never more.

    Args:
        width_pt: Width of the page as displayed.
        height_pt: Height of the page as displayed.
        box: Fractions of the page as displayed.
        limits: `max_pixels`, at least 1; `pad` in fractions of the page; `dpi`, no finer than that.
    """
    pad = limits.get("pad", 0.0)
    x0, x1 = sorted((box[0], box[2]))
    y0, y1 = sorted((box[1], box[3]))
    x0, x1 = _span(x0 - pad, x1 + pad, width_pt)
    y0, y1 = _span(y0 - pad, y1 + pad, height_pt)
    area = (x1 - x0) * (y1 - y0)
    pixels = min(limits["max_pixels"], MAX_PIXELS)
    zoom = min((pixels / area) ** 0.5, limits.get("dpi", MAX_DPI) / 72)
    while (drawn := _pixels((x0, y0, x1, y1), zoom)) > pixels:
        zoom *= min((pixels / drawn) ** 0.5, 0.9995)
    return Cut((x0, y0, x1, y1), zoom)


def _pixels(clip_pt: Box, zoom: float) -> int:
    """Count the pixels that the engine draws: every one that the clip touches."""
    x0, y0, x1, y1 = (value * zoom for value in clip_pt)
    return (math.ceil(x1) - math.floor(x0)) * (math.ceil(y1) - math.floor(y0))


def _span(low: float, high: float, size_pt: float) -> tuple[float, float]:
    """Scale to points, at least one point long and inside the page."""
    low, high = max(0.0, low * size_pt), min(size_pt, high * size_pt)
    if high - low < 1:
        low = min(max(0.0, (low + high) / 2 - 0.5), max(0.0, size_pt - 1))
        high = min(size_pt, low + 1)
    return low, high


class PictureCache:
    """The pictures made last, up to a number of pixels."""

    def __init__(self, max_pixels: int = 24_000_000) -> None:
        self._max_pixels = max_pixels
        self._pixels = 0
        self._pictures: OrderedDict[Hashable, Image] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> "Image | None":
        """Give a copy, as callers may draw on it."""
        with self._lock:
            picture = self._pictures.get(key)
            if picture is None:
                return None
            self._pictures.move_to_end(key)
            return picture.copy()

    def put(self, key: Hashable, picture: "Image") -> None:
        """Keep a copy and drop the oldest."""
        with self._lock:
            if key in self._pictures:
                return
            self._pictures[key] = picture.copy()
            self._pixels += picture.width * picture.height
            while self._pixels > self._max_pixels and self._pictures:
                _, oldest = self._pictures.popitem(last=False)
                self._pixels -= oldest.width * oldest.height


def draw_box(
    picture: "Image", box: Box, *, colour: tuple[int, int, int] = (214, 40, 40)
) -> "Image":
    """Return a copy with a rectangle around a box.

    Args:
        picture: The whole page.
        box: Fractions of the page.
        colour: Of the line, RGB.
    """
    from PIL import ImageDraw  # noqa: PLC0415 - only pictures need it

    marked = picture.convert("RGB")
    line = max(2, round(min(marked.size) / 300))
    x0, x1 = sorted((box[0] * marked.width, box[2] * marked.width))
    y0, y1 = sorted((box[1] * marked.height, box[3] * marked.height))
    corners = (x0 - 2 * line, y0 - 2 * line, x1 + 2 * line, y1 + 2 * line)
    ImageDraw.Draw(marked).rectangle(corners, outline=colour, width=line)
    return marked
