"""The LangGraph machines: explore (the main one), the published systems, and what they are made of.

A graph of one's own needs `Graph`, `Flow` and `Step`: docs/GRAPHS.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pagehop.graphs.steer import Steer as Steer

if TYPE_CHECKING:
    from pagehop.graphs.blocks.flow import Flow as Flow
    from pagehop.graphs.blocks.step import Step as Step
    from pagehop.graphs.graph import Graph as Graph

_HOMES = {"Flow": "blocks.flow", "Graph": "graph", "Step": "blocks.step"}


def __getattr__(name: str) -> Any:
    """Load a name on first use: they load langgraph, which budgets and checks do not need."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pagehop.graphs' has no attribute {name!r}")
    return getattr(import_module(f"pagehop.graphs.{_HOMES[name]}"), name)
