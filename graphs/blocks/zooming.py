"""A zoom into the picture shown last, with room around it.

Three measures meet here: the box is in fractions of the page, the room in pixels of the picture as
it was sent, and how finely the file is drawn is up to `look`. The picture's own box joins the first
two, so the room shrinks with each zoom into a zoom.
"""

from collections.abc import Sequence
from dataclasses import replace

from pagehop.agents.moves import Call, Observation

_SIDES = ("x0", "y0", "x1", "y1")


def with_room(look: Call, seen: Sequence[Observation], pad_px: int, *, question: str = "") -> Call:
    """Return a look whose box is wider on every side, at most to the page's edge.

    Args:
        look: Its box stays as it is where it is not whole, or before any picture; any other call
            stays as it is.
        seen: Of the run so far, oldest first.
        pad_px: Of the picture shown last.
        question: For a reader of pictures, where the look asks none itself.
    """
    if look.tool != "look":
        return look
    if question:
        look = replace(look, arguments={"question": question, **look.arguments})
    shown = [item.artifact for item in seen if item.artifact.get("width_px")]
    sides = [look.arguments.get(side) for side in _SIDES]
    if not shown or not all(isinstance(side, int | float) for side in sides):
        return look
    of = shown[-1]["box"]
    across = pad_px * (of[2] - of[0]) / shown[-1]["width_px"]
    down = pad_px * (of[3] - of[1]) / shown[-1]["height_px"]
    wider = {
        side: round(min(max(float(value) + room, 0.0), 1.0), 5)
        for side, value, room in zip(_SIDES, sides, (-across, -down, across, down), strict=True)
        if value is not None
    }
    return replace(look, arguments={**look.arguments, **wider})
