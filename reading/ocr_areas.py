"""Which parts of a page are pictures of text, and whether its text layer can be used.

1. A text layer is garbage when many of its characters stand for no letter (replacement and
   private-use characters, controls), or when its letters follow one another as in no language
   that is written with them: fonts without Unicode maps give such texts.
2. A page without a usable text layer that is not white is a picture as a whole.
3. On other pages a picture of enough pixels counts, on paper-like ground (most of it has one light
   shade), where the text layer has next to nothing.
4. A scan is read at its own resolution when that suffices.

Imports no engine: `pdf_worker` hands its objects in.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from pagehop.layout.page_lines import fractions
from pagehop.layout.rows import RawWord
from pagehop.types import Box

BAD_SHARE = 0.3
"""Share of characters without a meaning from which a text layer is garbage."""
COMMON_SHARE = 0.3
"""Share of common pairs of letters below which it is; see `common_share`."""
_FEWEST_PAIRS = 150
_MOST_WORDS = 300
"""Enough to tell; counting all of a page would take as long as reading it."""
_LEAST_AREA = 0.03
"""Share of the page; smaller pictures are logos and signatures."""
_LEAST_PIXELS = 16_000
_LEAST_DPI = 60
_LEAST_READ_DPI = 140
_FILLS = 0.9
"""Share of an area that one picture covers when the area is a scan."""
_COVERED = 0.02
"""Share of a picture that words of the text layer cover when it is searchable already."""
_PAPER = 0.5
"""Share of a picture that has the shade of its paper."""
_PAPER_SPREAD = 16
_DARKEST_PAPER = 150
_BAD = re.compile("[\ufffd\ue000-\uf8ff\u0000-\u0008\u000e-\u001f\U000f0000-\U0010fffd]")
_LATIN = re.compile(r"[a-z]{3,}")
_COMMON_PAIRS = frozenset(
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve "
    "co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur la el ie ge sc ei un da na ta ni ko "
    "wa ka no os ad do pr za po sk".split()
)
"""Frequent in English, and in German, French, Spanish, Italian, Dutch or Polish."""


def is_garbage(words: Sequence[RawWord]) -> bool:
    """Tell a text layer that cannot be used from one that can."""
    text = "".join([word[4] for word in words])
    if len(_BAD.findall(text)) > BAD_SHARE * len(text):
        return True
    share = common_share([word[4] for word in words[:_MOST_WORDS]])
    return share is not None and share < COMMON_SHARE


def common_share(words: Sequence[str]) -> float | None:
    """Return the share of common pairs among the letter pairs of words; None for too few to tell.

    About .55 in English text, at least .45 on each page of fifty documents, .28 at most where each
    letter stands for another one in the alphabet's order, .1 on average.
    """
    text = " ".join(words).lower()
    runs = _LATIN.findall(text)
    total = sum(len(run) - 1 for run in runs)
    if total < _FEWEST_PAIRS:
        return None
    common = sum(a + b in _COMMON_PAIRS for run in runs for a, b in pairwise(run))
    return common / total


def picture_areas(page: Any, words: Sequence[RawWord], matrix: Any) -> list[Box]:
    """Return the pictures of text on a page that has a text layer.

    Args:
        page: Of the engine.
        words: Of the text layer, in points of the page as displayed.
        matrix: Renders at about 36 dpi; at less, dense lines run into grey.
    """
    if sum(image[2] * image[3] for image in page.get_images()) < _LEAST_PIXELS:
        return []
    width, height = page.rect.width, page.rect.height
    # Scanners cut a page into strips, so pictures that touch are one before they are judged.
    joined = _joined(
        [_shown(info["bbox"], page) for info in page.get_image_info() if _is_fine(info)]
    )
    return [
        fractions(box, width, height)
        for box in joined
        if (box[2] - box[0]) * (box[3] - box[1]) > _LEAST_AREA * width * height
        and not _is_covered(box, words)
        and _is_paper(page, box, matrix)
    ]


def finest_dpi(page: Any, part: Sequence[float], dpi: float) -> float:
    """Return the resolution to read an area at: that of the scan that fills it, if it is coarser.

    Blown up it reads worse; below `_LEAST_READ_DPI` letters have too few pixels as they are.

    Args:
        page: Of the engine.
        part: The area, in fractions of the page as displayed.
        dpi: Used unless the scan is a little coarser.
    """
    width, height = page.rect.width, page.rect.height
    box = part[0] * width, part[1] * height, part[2] * width, part[3] * height
    area = (box[2] - box[0]) * (box[3] - box[1])
    finest = 0.0
    for info in page.get_image_info():
        x0, y0, x1, y1 = _shown(info["bbox"], page)
        across, down = min(x1, box[2]) - max(x0, box[0]), min(y1, box[3]) - max(y0, box[1])
        if min(across, down) <= 0 or across * down < _FILLS * area:
            continue
        if info["has-mask"]:
            return dpi  # a mask may be finer: type in front of a coarse ground
        sides = info["bbox"]
        long = max(sides[2] - sides[0], sides[3] - sides[1])
        finest = max(finest, max(info["width"], info["height"]) / long * 72)
    return finest if _LEAST_READ_DPI <= finest < dpi else dpi


def _is_fine(info: dict[str, Any]) -> bool:
    """Tell a picture in which letters could be read from a coarse or tiny one."""
    x0, y0, x1, y1 = info["bbox"]
    long = max(x1 - x0, y1 - y0)
    return bool(long > 0 and max(info["width"], info["height"]) / long * 72 >= _LEAST_DPI)


def _shown(bbox: Sequence[float], page: Any) -> Box:
    """Return a picture's box in points of the page as displayed, cut at its edges."""
    a, b, c, d, e, f = page.rotation_matrix
    x0, y0, x1, y1 = bbox
    xs, ys = (a * x0 + c * y0 + e, a * x1 + c * y1 + e), (b * x0 + d * y0 + f, b * x1 + d * y1 + f)
    return (
        max(0.0, min(xs)),
        max(0.0, min(ys)),
        min(page.rect.width, max(xs)),
        min(page.rect.height, max(ys)),
    )


def _is_covered(box: Box, words: Sequence[RawWord]) -> bool:
    area = (box[2] - box[0]) * (box[3] - box[1])
    inside = [
        (w[2] - w[0]) * (w[3] - w[1])
        for w in words
        if box[0] <= (w[0] + w[2]) / 2 <= box[2] and box[1] <= (w[1] + w[3]) / 2 <= box[3]
    ]
    return sum(inside) > _COVERED * area


def _is_paper(page: Any, box: Box, matrix: Any) -> bool:
    """Tell text and drawings on light ground from photographs, by a thumbnail."""
    picture = page.get_pixmap(matrix=matrix, clip=box, alpha=False, colorspace="gray")
    shades = np.frombuffer(picture.samples, np.uint8)
    if not shades.size:
        return False
    counts = np.bincount(shades, minlength=256)
    paper = int(counts[_DARKEST_PAPER:].argmax()) + _DARKEST_PAPER
    near = counts[max(0, paper - _PAPER_SPREAD) : paper + _PAPER_SPREAD + 1].sum()
    return bool(_PAPER * shades.size <= near < shades.size)


def _joined(boxes: list[Box]) -> list[Box]:
    """Join boxes that touch."""
    joined: list[Box] = []
    for box in sorted(boxes, key=lambda box: (box[1], box[0])):
        touching = [other for other in joined if _touch(box, other)]
        x0, y0, x1, y1 = zip(box, *touching, strict=True)
        joined = [other for other in joined if other not in touching]
        joined.append((min(x0), min(y0), max(x1), max(y1)))
    return joined


def _touch(a: Box, b: Box) -> bool:
    slack = 2.0  # points
    across = a[0] <= b[2] + slack and b[0] <= a[2] + slack
    return across and a[1] <= b[3] + slack and b[1] <= a[3] + slack
