"""The tool `note`, inside a machine only."""

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.tools.tool import Arguments, Result, make_tool


class NoteArguments(Arguments):
    """Arguments of `note`."""

    text: str = Field(min_length=1, max_length=2000, description="one fact or lead, self-contained")


def note() -> BaseTool:
    """Make the tool; the machine that holds it keeps the notes."""

    def note(text: str) -> Result:
        """Keep a thought for later rounds: a lead to follow, a dead end, how parts fit together.

        What you read leaves your sight when a round ends; notes stay. For facts to cite, quote
        the page instead: notes are not evidence. One thing a note, with its name:page.
        """
        kept = " ".join(text.split())
        return Result("Noted.", {"note": kept})

    return make_tool(note, NoteArguments)
