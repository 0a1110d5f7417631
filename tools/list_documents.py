"""The tool `list_documents`."""

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.layout.titles import tells_more
from pagehop.library.reports import scanned_pages
from pagehop.library.view import View
from pagehop.tools.arguments import snippet
from pagehop.tools.tool import Arguments, Result, make_tool
from pagehop.types import Document

_MOST = 60


class ListDocumentsArguments(Arguments):
    """Arguments of `list_documents`."""

    filter: str = Field(default="", description="these words; empty: all")


def list_documents(view: View) -> BaseTool:
    """Make the tool."""

    def list_documents(filter: str = "") -> Result:
        """List the documents, all or those whose name or title holds some words.

        Use it first when the question names a company, year or report and you need the exact
        document name. Returns one line a document: name, title, number of pages, metadata.
        Names go into the `documents` argument of the searches and into page references
        (name:page). For conditions such as pages > 50 use filter_documents.
        """
        documents = view.documents()
        words = filter.casefold().split()
        found = [d for d in documents if all(word in _searched(d) for word in words)]
        if not documents:
            return Result("There are no documents.", {"documents": []})
        if not found:
            names = ", ".join(d.name for d in documents[:10])
            more = f" and {len(documents) - 10} more" if len(documents) > 10 else ""
            text = f"None of the {len(documents)} documents holds all of {filter!r} in its name "
            text += f"or title. There are: {names}{more}. Use fewer words, or semantic_search."
            return Result(text, {"documents": []})
        head = f"{len(found)} of {len(documents)} documents" if words else f"{len(found)} documents"
        lines = [head + ":", *(describe(document) for document in found[:_MOST])]
        if len(found) > _MOST:
            lines.append(f"... and {len(found) - _MOST} more; pass words to filter them.")
        return Result("\n".join(lines), {"documents": [d.name for d in found[:_MOST]]})

    return make_tool(list_documents, ListDocumentsArguments)


def describe(document: Document) -> str:
    """Return one line on a document."""
    pages = "1 page" if document.pages == 1 else f"{document.pages} pages"
    parts = [document.name, pages]
    if tells_more(document.title, document.name):
        parts.insert(1, snippet(document.title, 100))
    parts += [f"{key}={value}" for key, value in sorted(document.metadata.items())]
    if document.scanned_pages:
        parts.append(scanned_pages(document))
    if document.damaged_pages:
        parts.append(f"{len(document.damaged_pages)} damaged pages")
    return "- " + " | ".join(parts)


def _searched(document: Document) -> str:
    values = (str(value) for value in document.metadata.values())
    spaced = document.name.replace("_", " ").replace("-", " ")
    return " ".join((document.name, spaced, document.title, *document.sources, *values)).casefold()
