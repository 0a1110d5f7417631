"""The public names are pinned: adding or removing one is a decision, not an accident."""

from importlib import import_module

import pytest

import pagehop

PUBLIC = [
    "Answer", "Budget", "Citation", "ConfigError", "Event", "Hit", "IngestReport", "Library",
    "LibraryError", "ModelError", "PageRef", "PagehopError", "ToolError", "View", "aask",
    "arollout", "ask", "astream", "chat", "graph", "list_graphs", "rollout", "stream", "toolset",
]  # fmt: skip


def test_public_names_are_pinned() -> None:
    assert sorted(pagehop.__all__) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_loads_and_is_documented(name: str) -> None:
    assert getattr(pagehop, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pagehop.nothing  # noqa: B018


def test_no_public_function_bears_a_layers_name() -> None:
    layers = {"interfaces", "evaluation", "trajectories", "graphs", "agents", "tools", "prompts"}
    assert not layers & set(pagehop.__all__)
    assert import_module("pagehop.library").__name__ == "pagehop.library"
