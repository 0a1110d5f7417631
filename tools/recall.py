"""The tool `recall`, inside a machine only."""

import re
from collections.abc import Sequence
from contextvars import ContextVar

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.answers import Evidence
from pagehop.tools.tool import Arguments, Result, make_tool

KEPT: ContextVar[Sequence[Evidence]] = ContextVar("kept", default=())
"""Evidence of the run that makes the call; the machine sets it, so the tool holds no state."""
_MOST = 12
_WORD = re.compile(r"\w+")


class RecallArguments(Arguments):
    """Arguments of `recall`."""

    query: str = Field(min_length=1, description="words of the evidence, its page or its part")


def recall() -> BaseTool:
    """Make the tool."""

    def recall(query: str) -> Result:
        """Show evidence that was kept earlier and is no longer listed above.

        Use it when the list of evidence says that more is kept, before you look something up
        again. Returns the pieces that match, best first, with their ids (E7) and pages.
        """
        kept = KEPT.get()
        scored = [(overlap(f"{item.quote} {item.ref}", query), item) for item in kept]
        best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: -pair[0])[:_MOST]
        if not best:
            return Result("None of the evidence kept so far matches; use other words.", {})
        lines = [f"{item.id} [{item.ref}]: {item.quote}" for _, item in best]
        return Result("\n".join(lines), {"evidence": [item.id for _, item in best]})

    return make_tool(recall, RecallArguments)


def overlap(text: str, wanted: str) -> float:
    """Return the share of the wanted words that a text holds, 0 to 1."""
    words = set(_WORD.findall(wanted.casefold()))
    return len(words & set(_WORD.findall(text.casefold()))) / max(1, len(words))
