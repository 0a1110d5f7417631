"""The LangGraph machines: explore (the main one), its state and its budget."""

from pagehop.graphs.steer import Steer as Steer
