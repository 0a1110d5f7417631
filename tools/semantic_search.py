"""The tool `semantic_search`."""

from typing import Literal

from langchain_core.tools import BaseTool
from pydantic import Field

from pagehop.errors import ToolError
from pagehop.library.view import View
from pagehop.tools.arguments import read_documents, read_kinds
from pagehop.tools.hits import show_hits
from pagehop.tools.tool import Arguments, Result, make_tool


class SemanticSearchArguments(Arguments):
    """Arguments of `semantic_search`."""

    query: str = Field(min_length=1, description="a question or phrase")
    k: int = Field(default=8, ge=1, le=50, description="pages to return")
    documents: str = Field(default="", description="names, comma-separated; empty: all")
    kinds: str = Field(default="", description="of regions, e.g. table,caption; empty: all")
    by: Literal["text", "image", "both"] = Field(default="text", description="what is compared")


def semantic_search(view: View) -> BaseTool:
    """Make the tool."""

    def semantic_search(
        query: str,
        k: int = 8,
        documents: str = "",
        kinds: str = "",
        by: str = "text",
    ) -> Result:
        """Find pages by meaning and words, best first: [name:page] with the passage that fits.

        Use it first for most questions. Write what the page would say, e.g. Acme capital
        expenditures 2018; one thing a query. Each page comes with its printed number, the kind of
        region, the section, and the best region: rows of a table with its head. Next:
        read_page the promising ones before you quote them; set `documents` once you know
        which one; use keyword_search for exact terms, numbers and names.
        """
        if by != "text" and not view.has_picture_vectors:
            raise ToolError(
                f"by={by!r} needs vectors of page pictures, which this library has not; "
                'use by="text", or look at a page with look'
            )
        chosen = read_kinds(kinds)
        if by == "image" and chosen:
            raise ToolError('by="image" finds whole pages: drop kinds, or use by="both"')
        hits = view.search(
            query,
            k=k,
            mode="visual" if by == "image" else "hybrid",
            documents=read_documents(view, documents),
            kinds=chosen,
            pictures=by == "both",
        )
        return show_hits(
            view, query, hits, "Nothing found. Use other words, or drop documents and kinds."
        )

    return make_tool(semantic_search, SemanticSearchArguments)
