"""LangChain's own standard tests on our tools and retriever; a plain agent reaches an answer."""

from typing import Any, ClassVar

import pytest
from langchain.agents import create_agent
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import RetrieversIntegrationTests, ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

import pagehop
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel

REPORT = "Halden_2022_annual_report"
PAGE = {"ref": f"{REPORT}:1"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "list_documents": {"filter": "halden"},
    "outline": {"document": REPORT},
    "overview": {"document": REPORT},
    "semantic_search": {"query": "revenue"},
    "keyword_search": {"query": "revenue"},
    "read_page": PAGE,
    "look": {**PAGE, "y1": 0.5},
    "find_tables": PAGE,
    "walk": PAGE,
    "filter_documents": {"predicate": "pages > 2"},
    "aggregate": {"field": "pages", "op": "sum"},
    "calculate": {"expression": "1 + 1"},
    "verify": {"claim": "It rose.", "quote": "Revenue rose", **PAGE},
}


class Each:
    """Every tool, one after the other."""

    made: ClassVar[BaseTool]

    @pytest.fixture(autouse=True, params=list(EXAMPLES))
    def one_of_them(self, view: View, request: pytest.FixtureRequest) -> None:
        (found,) = [tool for tool in pagehop.toolset(view) if tool.name == request.param]
        type(self).made = found

    @property
    def tool_constructor(self) -> BaseTool:
        return type(self).made

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return EXAMPLES[type(self).made.name]

    @pytest.fixture
    def tool(self, one_of_them: None) -> BaseTool:
        return type(self).made


class TestTools(Each, ToolsUnitTests):
    """The form of every tool."""


class TestCalls(Each, ToolsIntegrationTests):
    """What calls of every tool return."""


class TestRetriever(RetrieversIntegrationTests):
    """The view's retriever, over a real library."""

    view: ClassVar[View]

    @pytest.fixture(autouse=True)
    def over_the_reports(self, view: View) -> None:
        type(self).view = view

    @property
    def retriever_constructor(self) -> Any:
        return lambda **options: type(self).view.as_retriever(**options)

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"k": 2}

    @property
    def retriever_query_example(self) -> str:
        return "revenue of Halden Marine"

    @pytest.fixture
    def retriever(self, over_the_reports: None) -> BaseRetriever:
        return type(self).view.as_retriever(k=2)


def test_every_tool_has_an_example(view: View) -> None:
    assert [tool.name for tool in pagehop.toolset(view)] == list(EXAMPLES)


def test_a_plain_agent_answers_with_our_tools(view: View) -> None:
    def says(messages: list[Any], tools: list[dict[str, Any]]) -> Any:
        seen = [str(message.content) for message in messages if message.type == "tool"]
        if not seen:
            args = {"query": "Halden Marine revenue 2022"}
            return {"content": "", "tool_calls": [{"name": "semantic_search", "args": args}]}
        if len(seen) == 1:
            assert f"{REPORT}:1" in seen[0]
            return {"content": "", "tool_calls": [{"name": "read_page", "args": PAGE}]}
        assert "455.9 million crowns" in seen[1]
        return "455.9 million crowns"

    model = ScriptedModel(replies=says)
    agent: Any = create_agent(model, pagehop.toolset(view))
    state = agent.invoke({"messages": [("user", "What was its revenue?")]})
    assert state["messages"][-1].content == "455.9 million crowns"
    assert [tool["function"]["name"] for tool in model.calls[0].tools] == list(EXAMPLES)
