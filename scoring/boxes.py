"""How well boxes on pages meet the gold ones.

A place is (document, page, box), the box in fractions of the page. All return 0 to 1.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pagehop.types import Box


@dataclass(frozen=True)
class Place:
    """A box on a page."""

    page: Hashable
    """What names the page: a reference, or (document, number)."""
    box: Box


def iou(first: Box, second: Box) -> float:
    """Return the area of the intersection over that of the union; 0 when both are empty.

    Source: Everingham et al. 2010, The PASCAL Visual Object Classes Challenge, section 4.2.
    """
    shared = _area(_intersection(first, second))
    union = _area(first) + _area(second) - shared
    return shared / union if union else 0.0


def share_inside(gold: Box, found: Box) -> float:
    """Return the share of the gold box that lies in the found one; 0 for an empty gold box."""
    return _area(_intersection(gold, found)) / _area(gold) if _area(gold) else 0.0


def best_iou(found: Sequence[Place], gold: Sequence[Place]) -> float | None:
    """Return the mean over the gold boxes of the best IoU that a found box on its page reaches.

    Returns:
        None when there is no gold box.
    """
    return _mean([max((iou(f.box, g.box) for f in found if f.page == g.page), default=0.0)
                  for g in gold])  # fmt: skip


def region_recall_at(found: Sequence[Place], gold: Sequence[Place], k: int | None) -> float | None:
    """Return how much of the gold boxes the first k found boxes cover, averaged over gold boxes.

    What several found boxes cover together counts once.

    Source: MMDocIR (Dong et al. 2025, arXiv 2501.08828), layout recall by overlap; differs: each
    gold box weighs the same, whatever its area.

    Returns:
        None when there is no gold box.
    """
    return _mean([_covered(g.box, [f.box for f in found[:k] if f.page == g.page]) for g in gold])


def region_hit_at(
    found: Sequence[Place], gold: Sequence[Place], k: int | None, *, threshold: float = 0.5
) -> float | None:
    """Return 1 when one of the first k found boxes holds that share of a gold box, else 0.

    Returns:
        None when there is no gold box.
    """
    if not gold:
        return None
    return float(
        any(
            share_inside(g.box, f.box) >= threshold
            for f in found[:k]
            for g in gold
            if f.page == g.page
        )
    )


def _covered(gold: Box, found: Sequence[Box]) -> float:
    """Share of a box that others cover together: the cells of the grid that their edges draw."""
    parts = [part for box in found if _area(part := _intersection(gold, box))]
    if not parts or not _area(gold):
        return 0.0
    xs = sorted({x for x0, _, x1, _ in parts for x in (x0, x1)})
    ys = sorted({y for _, y0, _, y1 in parts for y in (y0, y1)})
    cells = (
        (left, top, right, bottom) for left, right in pairwise(xs) for top, bottom in pairwise(ys)
    )
    area = sum(
        _area(cell) for cell in cells if any(_intersection(cell, part) == cell for part in parts)
    )
    return area / _area(gold)


def _intersection(first: Box, second: Box) -> Box:
    return (
        max(first[0], second[0]),
        max(first[1], second[1]),
        min(first[2], second[2]),
        min(first[3], second[3]),
    )


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
