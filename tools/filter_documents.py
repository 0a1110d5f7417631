"""The tool `filter_documents`."""

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.finding import filters
from pagehop.finding.fields import Field as Stated
from pagehop.finding.fields import places
from pagehop.layout.titles import tells_more
from pagehop.library.view import View
from pagehop.tools.arguments import snippet
from pagehop.tools.list_documents import describe
from pagehop.tools.tool import Arguments, Result, make_tool

_MOST = 60
_SHOWN_PLACES = 4


class FilterDocumentsArguments(Arguments):
    """Arguments of `filter_documents`."""

    predicate: str = Field(
        description='e.g. year = 2018 and name ~ "10K" and pages > 50; aggregate lists the fields'
    )


def filter_documents(view: View) -> BaseTool:
    """Make the tool."""

    def filter_documents(predicate: str) -> Result:
        """Choose documents by conditions on name, title, source, pages, year, metadata or fields.

        Operators: = != < > <= >= ~ (contains) in ("a", "b"), joined with and, or, not.

        Fields are what documents say of themselves: type, kind, date, "period end", party, term,
        "governing law", and labels such as tenant or "annual fee" (aggregate("fields", "list")
        names them). They miss what is told in other words: check by search before you rely on it.
        Case does not matter; put text with spaces in quotes; dates are 2022-03-01. `year` is any
        year in the file name or title, else that of the period or date. Examples:
        name ~ acme and year in (2017, 2018) | kind = agreement and "governing law" = Norway |
        date >= 2022-01-01 and "annual fee" > 1000. Returns how many and which, with the page that
        says so: cite it for each document you count. Pass the names, comma-separated, as
        `documents` to a search or aggregate.
        """
        documents = view.documents()
        found = filters.filter_documents(documents, predicate, view.fields)
        names = [document.name for document in found.documents]
        asks_title = "title" in predicate.casefold()
        lines = [f"{len(names)} of {len(documents)} documents match:"]
        for document in found.documents[:_MOST]:
            line = describe(document) + _said(found.places[document.id])
            # One that says too little to be listed is why the document matches here.
            hidden = asks_title and not tells_more(document.title, document.name)
            lines.append(line + (f" | title: {snippet(document.title, 60)}" if hidden else ""))
        if len(names) > _MOST:
            lines.append(f"... and {len(names) - _MOST} more; narrow the predicate.")
        if not names:
            lines = [
                f"None of the {len(documents)} documents matches. "
                "Loosen the predicate; ~ finds parts of a text."
            ]
        cited = [place for document in found.documents for place in found.places[document.id]]
        artifact = {"documents": names, "places": places(cited)}
        return Result("\n".join(lines), artifact)

    return make_tool(filter_documents, FilterDocumentsArguments)


def _said(stated: tuple[Stated, ...]) -> str:
    """Return the values that made a document match, each with its page."""
    shown = (f"{each.field}: {snippet(each.shown, 60)} [{each.ref}]" for each in stated)
    listed = list(shown)[:_SHOWN_PLACES]
    return " | " + "; ".join(listed) if listed else ""
