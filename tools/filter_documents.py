"""The tool `filter_documents`."""

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.finding import filters
from pagehop.library.view import View
from pagehop.tools.list_documents import describe
from pagehop.tools.tool import Arguments, Result, make_tool

_MOST = 60


class FilterDocumentsArguments(Arguments):
    """Arguments of `filter_documents`."""

    predicate: str = Field(description='e.g. year = 2018 and name ~ "10K" and pages > 50')


def filter_documents(view: View) -> BaseTool:
    """Make the tool."""

    def filter_documents(predicate: str) -> Result:
        """Choose documents by conditions on name, title, source, pages, year or metadata.

        Operators: = != < > <= >= ~ (contains) in ("a", "b"), joined with and, or, not.

        Case does not matter; put text with spaces in quotes. `year` is any year in the
        file name or title. Examples: name ~ acme and year in (2017, 2018) | not source ~ "draft".
        Returns the names: pass them, comma-separated, as `documents` to a search or aggregate.
        """
        documents = view.documents()
        found = filters.filter_documents(documents, predicate)
        names = [document.name for document in found]
        lines = [f"{len(found)} of {len(documents)} documents match:"]
        lines += [describe(document) for document in found[:_MOST]]
        if len(found) > _MOST:
            lines.append(f"... and {len(found) - _MOST} more; narrow the predicate.")
        if not found:
            lines = [
                f"None of the {len(documents)} documents matches. "
                "Loosen the predicate; ~ finds parts of a text."
            ]
        return Result("\n".join(lines), {"documents": names})

    return make_tool(filter_documents, FilterDocumentsArguments)
