"""The tool `look`: crop and zoom, re-rendered from the file."""

import re

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.errors import ToolError
from pagehop.library.view import View
from pagehop.tools.arguments import read_ref
from pagehop.tools.pictures import Pictures
from pagehop.tools.surroundings import find_target, with_whole_words, written
from pagehop.tools.tool import Arguments, Result, make_tool
from pagehop.types import FULL_PAGE, Box

_SMALLEST = 0.005
_SLACK = 0.02
_PAD = 0.01
"""Of the page, shown on every side: what touches the box is not cut off."""
_TARGET = re.compile(r"^\s*\[?(.+?:\s*\d+)[\]\s,#]+(\D.*?)\s*$")
"""A page reference and how a caption begins."""


class LookArguments(Arguments):
    """Arguments of `look`."""

    ref: str = Field(description="name:page, or with a caption: report_2018:12 Figure 3")
    x0: float = Field(default=0.0, description="left")
    y0: float = Field(default=0.0, description="top")
    x1: float = Field(default=1.0, description="right")
    y1: float = Field(default=1.0, description="bottom")
    question: str = Field(default="", description="what to find out")


def look(view: View, pictures: Pictures) -> BaseTool:
    """Make the tool."""

    def look(
        ref: str,
        x0: float = 0.0,
        y0: float = 0.0,
        x1: float = 1.0,
        y1: float = 1.0,
        question: str = "",
    ) -> Result:
        """Look closely at a part of a page: a chart, a table, small print.

        The box is in fractions of the page, from 0, 0 at the top left to 1, 1 at bottom right.

        The part is rendered anew from the file, so a smaller box shows more detail.
        Start with the whole page, then zoom in; always give fractions of the whole page,
        also for a part of a part. Where pictures cannot be shown, returns the words inside.
        """
        given = (x0, y0, x1, y1)
        named = _TARGET.match(ref)
        where = read_ref(view, named[1] if named else ref)
        if named and given == FULL_PAGE:
            box = find_target(view, where, named[2])
        else:
            box = _checked(given)
        box = with_whole_words(view.page(where), _padded(box)) if pictures.seen else box
        head = f"[{where}] box {written(box)}" + (f" | {question}" if question else "")
        return pictures.show(where, box, head, question)

    return make_tool(look, LookArguments)


def _checked(given: Box) -> Box:
    """Return a box as given, inside the page.

    Raises:
        ToolError: It is in other units, or empty.
    """
    if any(not -_SLACK <= value <= 1 + _SLACK for value in given):
        raise ToolError(
            f"the box {given} is not in fractions of the page: each number is from 0 to 1, "
            "e.g. 0, 0.5, 1, 1 for the lower half; divide thousandths by 1000, and pixels of a "
            "picture of the whole page by its width and height"
        )
    left, top, right, foot = (min(max(value, 0.0), 1.0) for value in given)
    if right - left < _SMALLEST or foot - top < _SMALLEST:
        raise ToolError(f"the box {given} is empty or too thin: x0 < x1 and y0 < y1 are needed")
    return left, top, right, foot


def _padded(box: Box) -> Box:
    left, top, right, foot = box
    return (
        max(left - _PAD, 0.0),
        max(top - _PAD, 0.0),
        min(right + _PAD, 1.0),
        min(foot + _PAD, 1.0),
    )
