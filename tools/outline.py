"""The tool `outline`."""

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.finding.sections import headings
from pagehop.library.view import View
from pagehop.tools.arguments import read_document, snippet
from pagehop.tools.list_documents import describe
from pagehop.tools.tool import Arguments, Result, make_tool
from pagehop.types import OutlineEntry

_MOST = 120


class OutlineArguments(Arguments):
    """Arguments of `outline`."""

    document: str = Field(description="its name")


def outline(view: View) -> BaseTool:
    """Make the tool."""

    def outline(document: str) -> Result:
        """Show the table of contents of a document, with the page of each section.

        Use it to find where a long document treats something (a note, a chapter, a statement)
        before you read pages. Returns one line a section with its name:page reference; next,
        read_page one of them, or search with `documents` set to this name.
        """
        found = view.document(read_document(view, document))
        entries, source = list(found.outline), "its table of contents"
        if not entries:
            entries, source = headings(view, found.name), "its headings"
        lines = [describe(found)[2:]]
        deepest = _depth_that_fits(entries)
        shown = [entry for entry in entries if entry.level <= deepest][:_MOST]
        lines.append(f"Sections, from {source}:" if shown else "It has no headings to show.")
        for entry in shown:
            indent = "  " * (entry.level - 1)
            lines.append(f"{indent}{snippet(entry.title, 100)}  [{found.name}:{entry.page}]")
        if len(shown) < len(entries):
            lines.append(f"({len(entries) - len(shown)} smaller sections are left out)")
        if not shown:
            lines.append(f"Read it from {found.name}:1, or search in it.")
        refs = [f"{found.name}:{entry.page}" for entry in shown]
        return Result("\n".join(lines), {"document": found.name, "refs": refs})

    return make_tool(outline, OutlineArguments)


def _depth_that_fits(entries: list[OutlineEntry]) -> int:
    """Return the deepest level at which the lines stay few."""
    levels = sorted({entry.level for entry in entries})
    fitting = [level for level in levels if sum(entry.level <= level for entry in entries) <= _MOST]
    return fitting[-1] if fitting else (levels[0] if levels else 1)
