"""Agentic multi-hop question answering over documents, each claim cited to a page and a box.

`import pagehop` is cheap: every public name is loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pagehop.answers import Answer as Answer
    from pagehop.answers import Citation as Citation
    from pagehop.errors import ConfigError as ConfigError
    from pagehop.errors import LibraryError as LibraryError
    from pagehop.errors import ModelError as ModelError
    from pagehop.errors import PagehopError as PagehopError
    from pagehop.errors import ToolError as ToolError
    from pagehop.events import Event as Event
    from pagehop.graphs.budget import Budget as Budget
    from pagehop.interfaces.api import aask as aask
    from pagehop.interfaces.api import ask as ask
    from pagehop.interfaces.api import astream as astream
    from pagehop.interfaces.api import graph as graph
    from pagehop.interfaces.api import list_graphs as list_graphs
    from pagehop.interfaces.api import stream as stream
    from pagehop.interfaces.chat import chat as chat
    from pagehop.interfaces.rollouts import arollout as arollout
    from pagehop.interfaces.rollouts import rollout as rollout
    from pagehop.library.library import IngestReport as IngestReport
    from pagehop.library.library import Library as Library
    from pagehop.library.view import View as View
    from pagehop.tools.toolset import toolset as toolset
    from pagehop.types import Hit as Hit
    from pagehop.types import PageRef as PageRef

__version__ = "0.1.0"

_HOMES = {
    "Answer": "answers",
    "Budget": "graphs.budget",
    "Citation": "answers",
    "ConfigError": "errors",
    "Event": "events",
    "Hit": "types",
    "IngestReport": "library.library",
    "Library": "library.library",
    "LibraryError": "errors",
    "ModelError": "errors",
    "PageRef": "types",
    "PagehopError": "errors",
    "ToolError": "errors",
    "View": "library.view",
    "aask": "interfaces.api",
    "ask": "interfaces.api",
    "arollout": "interfaces.rollouts",
    "astream": "interfaces.api",
    "chat": "interfaces.chat",
    "graph": "interfaces.api",
    "list_graphs": "interfaces.api",
    "rollout": "interfaces.rollouts",
    "stream": "interfaces.api",
    "toolset": "tools.toolset",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pagehop' has no attribute {name!r}")
    value = getattr(import_module(f"pagehop.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
