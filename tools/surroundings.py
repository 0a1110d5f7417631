"""What stands in and around a box of a page: figures and tables with their captions."""

import re
from collections.abc import Sequence

from pagehop.errors import ToolError
from pagehop.library.view import View
from pagehop.tools.arguments import snippet
from pagehop.types import Box, Page, PageRef, Region

_SMALLEST = 0.01
"""Share of the page; smaller figures are logos and rules."""
_PROSE = frozenset({"title", "heading", "text", "list", "table", "header"})
_MOST = 6
_WIDER, _MARGIN = 0.12, 0.004
"""Of the page: how much wider a box may get on each side, and what is left beside a word."""
_PASSES = 3
_BESIDE = 0.12
"""Of the page's height; text farther off says nothing of a figure."""


def find_target(view: View, ref: PageRef, words: str) -> Box:
    """Return the box of the figure or table that a caption names, the caption included.

    Args:
        view: Where the page is.
        ref: The page.
        words: How its caption begins, e.g. "Figure 3".

    Raises:
        ToolError: No caption of the page begins so; names those that are there.
    """
    regions = view.regions(ref)
    pictured = {r.id: r for r in regions if r.kind in ("figure", "table")}
    captions = [r for r in regions if r.kind == "caption"]
    wanted = _tokens(words)
    for caption in captions:
        if wanted and _tokens(caption.text)[: len(wanted)] == wanted:
            parent = pictured.get(caption.parent)
            above = _above(regions, caption) if parent is None else parent.box
            return _around(caption.box, above)
    there = "; ".join(snippet(caption.text, 60) for caption in captions[:_MOST])
    raise ToolError(
        f"no caption on {ref} begins with {words!r}; "
        + (f"there are: {there}" if there else f"it has no captions: look({ref}) shows the page")
    )


def describe_inside(regions: Sequence[Region], box: Box) -> str:
    """Return a line each for the figures and tables in a box: place, caption, section."""
    captions = {r.parent: r.text for r in regions if r.kind == "caption" and r.parent}
    lines = []
    for region in regions:
        if region.kind not in ("figure", "table") or area(region.box) < _SMALLEST:
            continue
        common = area(overlap(region.box, box))
        if 2 * common < min(area(region.box), area(box)):
            continue
        said = captions.get(region.id, "")
        about = f": {snippet(said, 200)}" if said else _beside(regions, region)
        lines.append(f"{region.kind} at {written(region.box)}{about}")
    if len(lines) > _MOST:
        lines = [*lines[:_MOST], f"and {len(lines) - _MOST} more figures and tables"]
    return "\n".join(lines)


def with_whole_words(page: Page, box: Box) -> Box:
    """Widen a box so that no word or label is cut through, where that takes little.

    A figure's box may end inside its labels; the column of text that a box cuts through stays cut.
    """
    shown = box
    for _ in range(_PASSES):  # widened, it may end in further words
        words = [w.box for w in page.words if area(overlap(w.box, shown)) > 0]
        x0, y0 = (min([shown[i], *(w[i] - _MARGIN for w in words)]) for i in (0, 1))
        x1, y1 = (max([shown[i], *(w[i] + _MARGIN for w in words)]) for i in (2, 3))
        wide = max(x0, 0.0), max(y0, 0.0), min(x1, 1.0), min(y1, 1.0)
        a, b, c, d = (
            side if abs(side - at_first) <= _WIDER else now
            for side, now, at_first in zip(wide, shown, box, strict=True)
        )
        shown = a, b, c, d
    return shown


def area(box: Box) -> float:
    """Return the share of the page that a box takes."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def overlap(one: Box, other: Box) -> Box:
    """Return what two boxes have in common; its area is 0 when they have nothing."""
    return (
        max(one[0], other[0]), max(one[1], other[1]),
        min(one[2], other[2]), min(one[3], other[3]),
    )  # fmt: skip


def written(box: Box) -> str:
    """Return a box as a model reads and writes it."""
    return ", ".join(f"{value:.3g}" for value in box)


def _beside(regions: Sequence[Region], figure: Region) -> str:
    """Return the nearest text above a figure without caption, else below it."""
    near: list[tuple[float, str]] = []
    for region in regions:
        if region.kind not in ("text", "heading", "title", "list") or not region.text.strip():
            continue
        if region.box[0] > figure.box[2] or region.box[2] < figure.box[0]:
            continue
        above, below = figure.box[1] - region.box[3], region.box[1] - figure.box[3]
        # What introduces a picture stands above it, so text below counts as half as far again.
        distance = above if above > -0.01 else below * 1.5
        if -0.01 < distance < _BESIDE:
            near.append((distance, region.text))
    return f", no caption; beside it: {snippet(min(near)[1], 160)}" if near else ", no caption"


def _above(regions: Sequence[Region], caption: Region) -> Box:
    """Return what lies between a caption of which no figure is known and the text above it."""
    left, top, right, _ = caption.box
    over = [
        r.box
        for r in regions
        if r.kind in _PROSE and r.box[3] <= top and r.box[0] < right and r.box[2] > left
    ]
    ceiling = max((box[3] for box in over), default=0.0)
    return min([left, *(b[0] for b in over)]), ceiling, max([right, *(b[2] for b in over)]), top


def _around(one: Box, other: Box) -> Box:
    return (
        min(one[0], other[0]), min(one[1], other[1]),
        max(one[2], other[2]), max(one[3], other[3]),
    )  # fmt: skip


def _tokens(text: str) -> list[str]:
    words = re.findall(r"[^\W_]+", text.casefold())
    return ["figure" if word in ("fig", "figs") else word for word in words]
