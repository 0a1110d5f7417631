"""The tool `overview`: many pages at a glance."""

import re

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.errors import LibraryError, ToolError
from pagehop.finding.sections import is_label
from pagehop.library.view import View
from pagehop.tools.arguments import read_document, snippet
from pagehop.tools.hits import printed
from pagehop.tools.list_documents import describe
from pagehop.tools.pictures import Pictures
from pagehop.tools.surroundings import area
from pagehop.tools.tool import Arguments, Result, make_tool
from pagehop.types import PageRef, Region

_MOST_PICTURED, _MOST_TOLD = 20, 40
"""Pages on one sheet, and pages in words."""
_HEADINGS, _NAMED = 3, 4
"""Shown of one page."""
_SMALLEST = 0.02
"""Share of the page; smaller figures are logos."""


class OverviewArguments(Arguments):
    """Arguments of `overview`."""

    document: str = Field(default="", description="its name; empty with a query: all")
    pages: str = Field(default="", description="e.g. 21-40 or 3,7,9; empty: from the first on")
    query: str = Field(default="", description="show what a search for this finds")


def overview(view: View, pictures: Pictures) -> BaseTool:
    """Make the tool."""

    def overview(document: str = "", pages: str = "", query: str = "") -> Result:
        """See many pages at a glance: which hold tables, charts, photographs, what headings.

        Use it to find a page by how it looks (a chart, a form, a title page, a table without
        words to search for), or to choose among the pages of a search. Returns thumbnails with
        their page numbers, or a line on each page where pictures cannot be shown. Too small to
        read: next, look at a page or a part of it, or read_page it.
        """
        if document.strip():
            name = read_document(view, document)
        elif query.strip():
            name = ""
        else:
            raise ToolError("give a document, or a query; list_documents() shows the names")
        most = _MOST_PICTURED if shows else _MOST_TOLD
        if query.strip():
            hits = view.search(query, k=most, documents=[name] if name else None)
            refs = [hit.ref for hit in hits]
            head = f'{len(refs)} pages found for "{snippet(query, 80)}", best first'
            left = 0
            if not refs:
                return Result(f"Nothing found for {query!r}; use other words.", {"refs": []})
        else:
            found = view.document(name)
            numbers = _read_pages(pages, found.pages, name)
            left = len(numbers) - most
            refs = _visible(view, [PageRef(name, number) for number in numbers[:most]])
            head = describe(found)[2:]
        if shows:
            head += f"\n{_order(refs)}; each is under its page number"
        if left > 0:
            head += f"\n({left} more pages: set pages, e.g. {_next(numbers[most:])})"
        return pictures.show_sheet(refs, head, "\n".join(_told(view, ref) for ref in refs))

    shows = pictures.images != "text"
    return make_tool(overview, OverviewArguments)


def _told(view: View, ref: PageRef) -> str:
    """Return a line on a page: printed number, headings, kinds of regions, captions."""
    page = view.page(ref)
    regions = [r for r in view.regions(ref) if r.kind not in ("passage", "page")]
    parts = []
    titles = [r.text for r in regions if r.kind in ("title", "heading") and is_label(r.text)]
    if titles:
        parts.append("; ".join(snippet(title, 70) for title in titles[:_HEADINGS]))
    counts = {"table": 0, "figure": 0, "list": 0}
    for region in regions:
        if region.kind in counts and (region.kind != "figure" or area(region.box) >= _SMALLEST):
            counts[region.kind] += 1
    kinds = [f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts.items() if n]
    parts += [", ".join(kinds)] if kinds else []
    parts += [snippet(caption, 100) for caption in _captions(regions)]
    if not page.text.strip():
        parts.append("no text")
    elif not titles:
        parts.append("begins: " + snippet(page.text, 70))
    ocr = " (read by OCR)" if page.source == "ocr" else ""
    return f"[{ref}]{printed(page)}{ocr} {' | '.join(parts)}"


def _captions(regions: list[Region]) -> list[str]:
    named = {r.id for r in regions if r.kind in ("table", "figure")}
    return [r.text for r in regions if r.kind == "caption" and r.parent in named][:_NAMED]


def _read_pages(text: str, last: int, name: str) -> list[int]:
    """Return the pages that a text names, in order; all for an empty one.

    Raises:
        ToolError: It is no list of pages, or one does not exist; a range may go over the end.
    """
    text = text.strip().strip("[]")
    if not text:
        return list(range(1, last + 1))
    numbers: list[int] = []
    for part in re.split(r"[,;]\s*", text):
        bare = part.rpartition(":")[2].strip()  # a whole reference is fine, too
        span = re.fullmatch(r"(\d{1,6})(?:\s*(?:-|\u2013|to)\s*(\d{1,6}))?", bare)
        if span is None:
            raise ToolError(f"pages={text!r} names no pages; write e.g. 21-40 or 3,7,9")
        first, end = int(span[1]), int(span[2] or span[1])
        if not 1 <= first <= last or end < first:
            raise ToolError(f"{name} has pages 1 to {last}; there is no {bare}")
        numbers += range(first, min(end, last) + 1)
    return list(dict.fromkeys(numbers))


def _visible(view: View, refs: list[PageRef]) -> list[PageRef]:
    """Return the pages that a person has not banned from the run.

    Raises:
        ToolError: None is left.
    """
    kept = []
    for ref in refs:
        try:
            view.page(ref)
        except LibraryError as error:
            banned = error
            continue
        kept.append(ref)
    if not kept:
        raise ToolError(str(banned)) from banned
    return kept


def _order(refs: list[PageRef]) -> str:
    if len({ref.name for ref in refs}) > 1 or sorted(refs) != refs:
        return "Row by row: " + ", ".join(map(str, refs))
    numbers = [ref.page for ref in refs]
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        span = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
        return f"Row by row: {refs[0].name}:{span}"
    return f"Row by row: {refs[0].name}: pages {', '.join(map(str, numbers))}"


def _next(numbers: list[int]) -> str:
    few = numbers[:_MOST_PICTURED]
    if few == list(range(few[0], few[-1] + 1)):
        return f"{few[0]}-{few[-1]}"
    return ",".join(map(str, few))
