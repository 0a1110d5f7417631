"""Graphs by name: the main machine, the published systems, and a user's own.

A user's own is given as an object (`graph=Mine()`), or on the command line as `FILE.py:NAME` or
`package.module:NAME`, where NAME is a `Graph` class or one made of it.
"""

import difflib
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pagehop.errors import ConfigError
from pagehop.graphs.graph import Graph, Setup, Shape

if TYPE_CHECKING:
    from pagehop.graphs.explore import Machine

EXPLORE = "explore"
PUBLISHED = {
    "one_shot": "one_shot:OneShot",
    "m3docrag": "m3docrag:M3DocRAG",
    "m3docrag_closed": "m3docrag:M3DocRAGClosed",
    "mdocagent": "mdocagent:MDocAgent",
    "vidorag": "vidorag:ViDoRAG",
    "vrag": "vrag:VRAG",
    "molorag": "molorag:MoLoRAG",
    "marag": "marag:MARAG",
    "text_only": "text_only:TextOnly",
}
"""The published systems: module of `published/` and class."""
NAMES = (EXPLORE, *PUBLISHED)


@dataclass(frozen=True)
class Explore(Graph):
    """The main machine."""

    name: ClassVar[str] = EXPLORE
    shape: ClassVar[Shape] = "loop"
    source: ClassVar[str] = "pagehop (graphs/explore.py)"

    def build(self, setup: Setup) -> "Machine":
        """Compile the machine."""
        from pagehop.graphs.explore import build  # noqa: PLC0415 - loads langgraph

        return build(
            setup.view,
            setup.make_roles,
            setup.budget,
            tools=setup.tools,
            effort=setup.effort,
            model=setup.model,
            tool_timeout_s=setup.tool_timeout_s,
            checkpointer=setup.checkpointer,
            sinks=setup.sinks,
            run_id=setup.run_id,
            trajectory=setup.trajectory,
            forms=setup.forms,
            pause_after=setup.pause_after,
        )


def find_graph(given: object) -> Graph:
    """Return the graph of a name, or one that was given itself.

    Raises:
        ConfigError: There is none.
    """
    if isinstance(given, Graph):
        return given
    if isinstance(given, type) and issubclass(given, Graph):
        return given()
    if not isinstance(given, str):
        raise ConfigError(f"graph={given!r}: give a name such as {EXPLORE!r}, or a pagehop.Graph")
    if given == EXPLORE:
        return Explore()
    if given in PUBLISHED:
        return _published(given)
    if ":" in given:
        return _own(given)
    near = difflib.get_close_matches(given, NAMES, n=3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ConfigError(f"graph={given!r}: {hint}there are {', '.join(NAMES)}")


def with_constants(graph: Graph, constants: Mapping[str, Any]) -> Graph:
    """Return a graph with some constants set; what it does not have is passed over."""
    return replace(graph, **{k: v for k, v in constants.items() if k in graph.constants})


def all_graphs() -> list[Graph]:
    """Return all that have a name, the main machine first."""
    return [find_graph(name) for name in NAMES]


@lru_cache(maxsize=32)
def _published(name: str) -> Graph:
    module, _, kind = PUBLISHED[name].partition(":")
    made: Graph = getattr(importlib.import_module(f"pagehop.graphs.published.{module}"), kind)()
    return made


def _own(given: str) -> Graph:
    place, _, name = given.rpartition(":")
    try:
        module = (
            _from_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
        )
    except (ImportError, OSError, SyntaxError) as error:
        raise ConfigError(f"graph={given!r}: {place} cannot be loaded: {error}") from error
    found = getattr(module, name, None)
    if isinstance(found, Graph) or (isinstance(found, type) and issubclass(found, Graph)):
        return find_graph(found)
    raise ConfigError(f"graph={given!r}: {place} has no Graph named {name!r}")


@lru_cache(maxsize=8)
def _from_file(path: Path) -> object:
    spec = importlib.util.spec_from_file_location(f"pagehop_own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
