"""A citation as a picture: the page around the quote, the quote marked.

1. What surrounds the quote is rendered from the PDF at the width asked for, and cut back to whole
   lines, so that no line of text is sliced by the edge.
2. A marker is laid over each line of the quote (black letters stay black) and a thin frame around
   all of them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pagehop.library.view import View
from pagehop.types import Box, Citation

if TYPE_CHECKING:
    from PIL.Image import Image

MARKER, FRAME = (255, 238, 160), (214, 90, 0)
_LEAST_WIDTH, _LEAST_HEIGHT = 0.62, 0.13
"""Of the page: what a reader needs to see around a quote of few words."""
_INK = 200
"""Grey value below which a pixel counts as printed."""


def cited_picture(
    citation: Citation, view: View, *, shown: Box | None = None, width_px: int = 1200
) -> "Image":
    """Render what surrounds a cited quote, with the quote marked and framed.

    Args:
        citation: What to show.
        view: What it comes from.
        shown: Box of the page to show; None takes the quote's surroundings.
        width_px: Width of the picture.

    Raises:
        LibraryError: The page is not in the view, or does not render.
    """
    page, whole = view.page(citation.ref), shown is not None
    shown = shown or surroundings(citation.box)
    ratio = (shown[3] - shown[1]) * page.height_pt / ((shown[2] - shown[0]) * page.width_pt)
    picture = view.crop(citation.ref, shown, max_pixels=round(width_px * width_px * ratio))
    located = view.locate(citation.ref, citation.quote)
    boxes = located.boxes if located and located.boxes else (citation.box,)
    marked, frame = mark(picture.convert("RGB"), boxes, shown)
    return marked if whole else _whole_lines(marked, picture.convert("L"), frame)


def surroundings(box: Box, pad: float = 0.025) -> Box:
    """Return the box of what to show around a quote.

    Args:
        box: Of the quote, fractions of the page.
        pad: Added on each side, fraction of the page.
    """
    x0, x1 = _widen(box[0] - pad, box[2] + pad, _LEAST_WIDTH)
    y0, y1 = _widen(box[1] - pad, box[3] + pad, _LEAST_HEIGHT)
    return (x0, y0, x1, y1)


def mark(picture: "Image", boxes: Sequence[Box], shown: Box) -> tuple["Image", Box]:
    """Mark boxes of a page in the picture of a larger box of it; return it and the frame drawn.

    Args:
        picture: What is shown, RGB.
        boxes: What to mark, fractions of the page.
        shown: Box of the page that the picture shows.

    Returns:
        The marked picture, and the frame around all marks in its pixels.
    """
    from PIL import Image, ImageChops, ImageDraw  # noqa: PLC0415 - only where pictures are made

    air = max(2.0, picture.width / 300)
    marker = Image.new("RGB", picture.size, "white")
    areas = [_pixels(box, shown, picture, air) for box in boxes]
    for area in areas:
        ImageDraw.Draw(marker).rectangle(area, fill=MARKER)
    x0, y0, x1, y1 = zip(*areas, strict=True)
    frame = (min(x0) - air / 2, min(y0) - air / 2, max(x1) + air / 2, max(y1) + air / 2)
    marked = ImageChops.multiply(picture, marker)
    ImageDraw.Draw(marked).rectangle(frame, outline=FRAME, width=max(2, picture.width // 450))
    return marked, frame


def _pixels(box: Box, shown: Box, picture: "Image", air: float) -> Box:
    x_scale = picture.width / (shown[2] - shown[0])
    y_scale = picture.height / (shown[3] - shown[1])
    return (
        (box[0] - shown[0]) * x_scale - air,
        (box[1] - shown[1]) * y_scale,
        (box[2] - shown[0]) * x_scale + air,
        (box[3] - shown[1]) * y_scale,
    )


def _whole_lines(picture: "Image", grey: "Image", frame: Box) -> "Image":
    """Cut a picture at the outermost rows without print above and below the frame."""
    blank = np.asarray(grey).min(axis=1) >= _INK  # (height,)
    above = np.flatnonzero(blank[: max(0, int(frame[1]) - 2)])
    below = np.flatnonzero(blank[int(frame[3]) + 2 :])
    top = int(above[0]) if len(above) else 0
    bottom = int(below[-1]) + int(frame[3]) + 3 if len(below) else picture.height
    return picture.crop((0, top, picture.width, bottom))


def _widen(low: float, high: float, least: float) -> tuple[float, float]:
    """Give a range at least a length, inside 0 to 1."""
    missing = max(0.0, least - (high - low)) / 2
    low, high = low - missing, high + missing
    if low < 0:
        low, high = 0.0, high - low
    if high > 1:
        low, high = low - (high - 1), 1.0
    return max(0.0, low), min(1.0, high)
