"""The tools over a view, for any LangChain or LangGraph agent.

    from langchain.agents import create_agent
    agent = create_agent(model, pagehop.toolset(view))

The view is bound when they are built and is no argument, so a model cannot reach beyond it. They
only read, hold no state of a run, and may be called from many threads.
"""

from typing import get_args

from langchain_core.tools import BaseTool

from pagehop.arguments import misfit
from pagehop.errors import ConfigError
from pagehop.library.view import View
from pagehop.tools.aggregate import aggregate
from pagehop.tools.calculate import calculate
from pagehop.tools.filter_documents import filter_documents
from pagehop.tools.find_tables import find_tables
from pagehop.tools.keyword_search import keyword_search
from pagehop.tools.list_documents import list_documents
from pagehop.tools.look import look
from pagehop.tools.note import note
from pagehop.tools.outline import outline
from pagehop.tools.overview import overview
from pagehop.tools.pictures import Images, Pictures
from pagehop.tools.read_page import read_page
from pagehop.tools.recall import recall
from pagehop.tools.semantic_search import semantic_search
from pagehop.tools.verify import verify
from pagehop.tools.walk import walk
from pagehop.types import Perceive


def toolset(
    view: View,
    images: Images = "inline",
    *,
    perceive: Perceive | None = None,
    max_pixels: int = 1_000_000,
    inside: bool = False,
) -> list[BaseTool]:
    """Make the tools over a view.

    Args:
        view: What they can see.
        images: `inline` sends pictures as content blocks; `reference` only names them in the
            artifact, for a client that renders them with `view.crop`; `text` sends none: the
            perceiver's reading, or the words inside the box.
        perceive: Reads pictures for a reasoner that sees only text; used with `images="text"`.
        max_pixels: Size of one picture.
        inside: Add what only a machine understands (`note`, `recall`).

    Raises:
        ConfigError: `images` is none of the three, or `view` is no view.
    """
    if not isinstance(view, View):
        raise misfit("view", view, "a View, e.g. library.view()")
    if images not in get_args(Images):
        raise ConfigError(f"images is {images!r}; use {', '.join(get_args(Images))}")
    pictures = Pictures(view, images, perceive, max_pixels)
    tools = [
        list_documents(view),
        outline(view),
        overview(view, pictures),
        semantic_search(view),
        keyword_search(view),
        read_page(view, pictures),
        look(view, pictures),
        find_tables(view),
        walk(view),
        filter_documents(view),
        aggregate(view),
        calculate(),
        verify(view),
    ]
    return [*tools, note(), recall()] if inside else tools
