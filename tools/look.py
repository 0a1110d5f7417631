"""The tool `look`: crop and zoom, re-rendered from the file."""

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.errors import ToolError
from pagehop.library.view import View
from pagehop.tools.arguments import read_ref
from pagehop.tools.pictures import Pictures
from pagehop.tools.tool import Arguments, Result, make_tool

_SMALLEST = 0.005
_SLACK = 0.02


class LookArguments(Arguments):
    """Arguments of `look`."""

    ref: str = Field(description="name:page, e.g. report_2018:12")
    x0: float = Field(default=0.0, description="left edge")
    y0: float = Field(default=0.0, description="top edge")
    x1: float = Field(default=1.0, description="right edge")
    y1: float = Field(default=1.0, description="bottom edge")
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
        where = read_ref(view, ref)
        given = (x0, y0, x1, y1)
        if any(not -_SLACK <= value <= 1 + _SLACK for value in given):
            raise ToolError(
                f"the box {given} is not in fractions of the page: each number is from 0 to 1, "
                "e.g. 0, 0.5, 1, 1 for the lower half"
            )
        left, top, right, bottom = (min(max(value, 0.0), 1.0) for value in given)
        if right - left < _SMALLEST or bottom - top < _SMALLEST:
            raise ToolError(f"the box {given} is empty or too thin: x0 < x1 and y0 < y1 are needed")
        numbers = ", ".join(f"{value:.3g}" for value in (left, top, right, bottom))
        head = f"[{where}] box {numbers}" + (f" | {question}" if question else "")
        return pictures.show(where, (left, top, right, bottom), head, question)

    return make_tool(look, LookArguments)
