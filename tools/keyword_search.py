"""The tool `keyword_search`."""

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.finding.patterns import find_words
from pagehop.library.view import View
from pagehop.tools.arguments import read_documents, read_kinds
from pagehop.tools.hits import show_hits
from pagehop.tools.tool import Arguments, Result, make_tool


class KeywordSearchArguments(Arguments):
    """Arguments of `keyword_search`."""

    query: str = Field(min_length=1, description="words and signs, or regex:pattern")
    k: int = Field(default=8, ge=1, le=50, description="pages to return")
    documents: str = Field(default="", description="names, comma-separated; empty: all")
    kinds: str = Field(default="", description="of regions, e.g. table,caption; empty: all")


def keyword_search(view: View) -> BaseTool:
    """Make the tool."""

    def keyword_search(query: str, k: int = 8, documents: str = "", kinds: str = "") -> Result:
        """Find pages by exact terms: names, numbers, codes, phrases, patterns.

        Plain words rank pages, a "phrase" in quotes must stand on the page, -word must not,
        regex:pattern must match (it runs to the end of the query).

        Word forms are included, case does not matter. Returns pages, best first: [name:page]
        with the passage that matched. Next: read_page them. If nothing is found, use fewer
        words or semantic_search.
        """
        names = read_documents(view, documents)
        hits = find_words(view, query, k=k, documents=names, kinds=read_kinds(kinds))
        nothing = (
            "Nothing found. Use fewer or other words, drop documents and kinds, or semantic_search."
        )
        return show_hits(view, query, hits, nothing)

    return make_tool(keyword_search, KeywordSearchArguments)
