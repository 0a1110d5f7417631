"""Regions drawn on a page's picture: kind by colour, reading order by number, captions tied."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pagehop.types import Box, Region

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int]
COLOURS: dict[str, Colour] = {
    "title": (176, 0, 160),
    "heading": (208, 20, 20),
    "text": (20, 92, 190),
    "list": (0, 140, 140),
    "table": (20, 130, 30),
    "figure": (226, 120, 0),
    "caption": (140, 84, 20),
    "formula": (110, 30, 200),
    "header": (120, 120, 120),
    "footer": (120, 120, 120),
    "footnote": (96, 96, 30),
}
_OTHER: Colour = (60, 60, 60)


def draw_regions(image: "Image", regions: Sequence[Region], part: Box) -> None:
    """Draw outlines on a picture: number and kind at each, a line from caption to its figure.

    Args:
        image: Of a page or a part of it; changed.
        regions: Of the page, in reading order.
        part: What of the page the picture shows.
    """
    from PIL import ImageDraw, ImageFont  # noqa: PLC0415 - only pictures need it

    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=max(10, image.width / 90))
    thick = max(1, round(image.width / 700))
    places = {region.id: _placed(region.box, part, image.size) for region in regions}
    for region in regions:
        x0, y0, x1, y1 = places[region.id]
        colour = COLOURS.get(region.kind, _OTHER)
        draw.rectangle(
            (x0 - thick, y0 - thick, x1 + thick, y1 + thick), outline=colour, width=thick
        )
        words = f"{region.order} {region.kind}"
        left, top, right, foot = draw.textbbox((x0, y0), words, font=font, anchor="lb")
        # Beside the box where there is room, else above its right end, so that type stays readable.
        x = min(x1 + 3 * thick, image.width - (right - left) - 2)
        draw.rectangle((x - 2, y0, x + right - left + 2, y0 + foot - top + 2), fill=colour)
        draw.text((x, y0 + 1), words, fill=(255, 255, 255), font=font, anchor="lt")
        if region.parent in places:
            a, b = places[region.parent], places[region.id]
            draw.line((*_middle(b), *_middle(a)), fill=colour, width=thick)


def _placed(box: Box, part: Box, size_px: tuple[int, int]) -> Box:
    across, down = size_px[0] / (part[2] - part[0]), size_px[1] / (part[3] - part[1])
    x0, x1 = ((x - part[0]) * across for x in (box[0], box[2]))
    y0, y1 = ((y - part[1]) * down for y in (box[1], box[3]))
    return x0, y0, x1, y1


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
