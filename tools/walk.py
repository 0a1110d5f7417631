"""The tool `walk`: follow the page graph."""

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.finding.page_edges import RELATIONS
from pagehop.finding.page_graph import MAX_HOPS, degradations
from pagehop.library.view import View
from pagehop.tools.arguments import read_choices, read_ref, snippet
from pagehop.tools.tool import Arguments, Result, make_tool
from pagehop.types import PageRef, Path


class WalkArguments(Arguments):
    """Arguments of `walk`."""

    ref: str = Field(description="where to start")
    relations: str = Field(
        default="",
        description="comma-separated; empty: all",
    )
    query: str = Field(default="", description="pages near it come first")
    hops: int = Field(default=1, ge=1, le=MAX_HOPS, description="most edges of a path")
    width: int = Field(default=5, ge=1, le=20, description="paths kept after each hop")


def walk(view: View) -> BaseTool:
    """Make the tool."""

    def walk(
        ref: str, relations: str = "", query: str = "", hops: int = 1, width: int = 5
    ) -> Result:
        """Go from a page to the pages it is connected with.

        refers_to: where "see Note 8", "page 41" lead; continues: where a broken-off table or
        paragraph goes on, or came from; cites: a document it names; mentions: pages with the same
        rare names; duplicate: nearly the same page; similar: like content; next, previous;
        section: its pages.

        Use it when a page you read points elsewhere or breaks off, or to find the same statement
        in another year or document. With a query, pages near it come first. Returns paths: each
        page reached, the relation and the words that justify it. Next: read_page the end of a path.
        """
        start = read_ref(view, ref)
        chosen = read_choices(relations, RELATIONS, "relation")
        paths = view.walk(
            start, relations=chosen or None, query=query.strip() or None, hops=hops, width=width
        )
        note = degradations(view, chosen, query)
        artifact = {"paths": [_reference(start, path) for path in paths], "note": note}
        lines = [f"({note})"] if note else []
        if not paths:
            named = ", ".join(chosen) or "any relation"
            text = f"No page is reached from {start} by {named}. Follow other relations, or search."
            return Result("\n".join([text, *lines]), artifact)
        shown = [_line(view, i, path) for i, path in enumerate(paths, 1)]
        return Result("\n".join([f"From [{start}]:", *shown, *lines]), artifact)

    return make_tool(walk, WalkArguments)


def _line(view: View, number: int, path: Path) -> str:
    steps = " -> ".join(
        f"{edge.relation} [{edge.target}] ({snippet(edge.words, 200)})" for edge in path.edges
    )
    return f"{number}. {steps} | {path.score:.2f}\n   {_opening(view, path.end)}"


def _opening(view: View, ref: PageRef) -> str:
    """Return what the page starts with, its running header left out."""
    for region in view.regions(ref):
        if region.kind not in ("header", "footer", "passage", "page") and len(region.text) > 3:
            return snippet(region.text, 120)
    return snippet(view.page(ref).text, 120) or "(no text)"


def _reference(start: PageRef, path: Path) -> dict[str, object]:
    return {
        "refs": [str(start), *(str(edge.target) for edge in path.edges)],
        "relations": [edge.relation for edge in path.edges],
        "words": [edge.words for edge in path.edges],
        "score": path.score,
    }
