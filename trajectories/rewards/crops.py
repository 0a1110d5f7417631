"""Rewards for crops: that a look at a page was at the place that matters."""

from pagehop.scoring import boxes
from pagehop.trajectories.calls import Crop
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.rewards.reward import Reward, Scored
from pagehop.types import Box

INSIDE = 0.5
"""Share of a gold box that must lie inside a crop for a hit."""
ZOOM_CAP = 4.0
"""Enlargement by area beyond which nothing more is earned."""


def crop_iou() -> Reward:
    """Best overlap (IoU) of any crop with any gold box of its page, 0 to 1."""

    def rule(episode: Episode) -> Scored:
        pairs = _pairs(episode)
        if pairs is None:
            return Scored(None, "no gold box is known")
        best = max((boxes.iou(crop.box, gold) for crop, gold in pairs), default=0.0)
        return Scored(best, f"best of {len(_crops(episode))} crops")

    return Reward("crop_iou", rule)


def crop_hit() -> Reward:
    """1 when at least half of a gold box lies inside a crop of its page, else 0."""

    def rule(episode: Episode) -> Scored:
        pairs = _pairs(episode)
        if pairs is None:
            return Scored(None, "no gold box is known")
        hit = any(boxes.share_inside(gold, crop.box) >= INSIDE for crop, gold in pairs)
        return Scored(float(hit), "a crop holds a gold box" if hit else "no crop holds a gold box")

    return Reward("crop_hit", rule)


def zoom_gain(cap: float = ZOOM_CAP) -> Reward:
    """How much the closest crop that holds a gold box enlarges it: page area / crop area, 0 to 1.

    1 at `cap` times and above, 0 for the whole page; 0 without a hit.
    """

    def rule(episode: Episode) -> Scored:
        pairs = _pairs(episode)
        if pairs is None:
            return Scored(None, "no gold box is known")
        areas = [
            _area(crop.box)
            for crop, gold in pairs
            if boxes.share_inside(gold, crop.box) >= INSIDE and _area(crop.box) > 0
        ]
        if not areas:
            return Scored(0.0, "no crop holds a gold box")
        times = 1 / min(areas)
        return Scored(min(1.0, (times - 1) / (cap - 1)), f"enlarged {times:.1f} times by area")

    return Reward("zoom_gain", rule, settings={"cap": cap})


def _pairs(episode: Episode) -> list[tuple[Crop, Box]] | None:
    """Return each crop with each gold box of its page; None when no gold box is known."""
    gold = [(one.page, box) for one in episode.task.gold_pages for box in one.boxes]
    if not gold:
        return None
    return [(crop, box) for crop in _crops(episode) for page, box in gold if page == crop.page]


def _crops(episode: Episode) -> list[Crop]:
    return [call.crop for call in episode.tool_calls if call.crop is not None and call.ok]


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
