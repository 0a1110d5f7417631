"""Which parts of a page are pictures of text, and whether its text layer can be used.

1. A text layer is garbage when many of its characters stand for no letter (replacement and
   private-use characters, controls), or when its letters follow one another as in no language
   that is written with them: fonts without Unicode maps give such texts.
2. A page without a usable text layer that is not white is a picture as a whole.
3. On other pages a picture of enough pixels counts, on paper-like ground (most of it has one light
   shade), where the text layer has next to nothing.

Imports no engine: `pdf_worker` hands its objects in.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from pagehop.library.passages import fractions
from pagehop.library.rows import RawWord
from pagehop.types import Box

BAD_SHARE = 0.3
"""Share of characters without a meaning from which a text layer is garbage."""
COMMON_SHARE = 0.2
"""Share of common pairs of letters below which it is; see `common_share`."""
_FEWEST_PAIRS = 150
_MOST_WORDS = 300
"""Enough to tell; counting all of a page would take as long as reading it."""
_LEAST_AREA = 0.03
"""Share of the page; smaller pictures are logos and signatures."""
_LEAST_PX = (200, 80)
_LEAST_DPI = 60
_COVERED = 0.02
"""Share of a picture that words of the text layer cover when it is searchable already."""
_PAPER = 0.5
"""Share of a picture that has the shade of its paper."""
_PAPER_SPREAD = 12
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
    if not text.isascii() and len(_BAD.findall(text)) > BAD_SHARE * len(text):
        return True
    share = common_share([word[4] for word in words[:_MOST_WORDS]])
    return share is not None and share < COMMON_SHARE


def common_share(words: Sequence[str]) -> float | None:
    """Return the share of common pairs among the letter pairs of words; None for too few to tell.

    About .5 in English text, and at least .45 on each page of fifty real documents; about .1 where
    each letter stands for another one.
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
        matrix: What the engine renders a page with for a thumbnail.
    """
    if not any(i[2] >= _LEAST_PX[0] and i[3] >= _LEAST_PX[1] for i in page.get_images()):
        return []
    width, height = page.rect.width, page.rect.height
    found: list[Box] = []
    for info in page.get_image_info():
        box = _shown(info["bbox"], page)
        wide, high = box[2] - box[0], box[3] - box[1]
        if wide * high < _LEAST_AREA * width * height or min(wide, high) < 8:
            continue
        pixels = info["width"], info["height"]
        if pixels[0] < _LEAST_PX[0] or pixels[1] < _LEAST_PX[1]:
            continue
        if max(pixels) / max(wide, high) * 72 < _LEAST_DPI or _is_covered(box, words):
            continue
        if _is_paper(page, box, matrix):
            found.append(fractions(box, width, height))
    return _joined(found)


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
    """Join pictures that touch: scanners cut a page into strips."""
    joined: list[Box] = []
    for box in sorted(boxes, key=lambda box: (box[1], box[0])):
        for i, other in enumerate(joined):
            if _touch(box, other):
                joined[i] = (
                    min(box[0], other[0]),
                    min(box[1], other[1]),
                    max(box[2], other[2]),
                    max(box[3], other[3]),
                )
                break
        else:
            joined.append(box)
    return joined


def _touch(a: Box, b: Box) -> bool:
    slack = 0.004
    across = a[0] <= b[2] + slack and b[0] <= a[2] + slack
    return across and a[1] <= b[3] + slack and b[1] <= a[3] + slack
