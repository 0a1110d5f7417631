"""The tools inside plain LangChain and LangGraph agents; what a model is told of them."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.prebuilt import ToolNode

from pagehop.library.view import View
from pagehop.tools.toolset import toolset

SNAPSHOTS = Path(__file__).parent / "snapshots"
NAMES = [
    "list_documents", "outline", "overview", "semantic_search", "keyword_search", "read_page",
    "look", "find_tables", "walk", "filter_documents", "aggregate", "calculate", "verify", "note",
    "recall",
]  # fmt: skip
HALDEN = "Halden_2021_annual_report"


class ScriptedChat(GenericFakeChatModel):
    """LangChain's scripted model, which also takes tools."""

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        return self


def scripted(*calls: dict[str, Any]) -> ScriptedChat:
    turns = [
        AIMessage("", tool_calls=[{"type": "tool_call", "id": f"c{i}", **call}])
        for i, call in enumerate(calls)
    ]
    return ScriptedChat(messages=iter([*turns, AIMessage("done")]))


def test_the_tools_are_these_in_this_order(view: View) -> None:
    assert [tool.name for tool in toolset(view, inside=True)] == NAMES
    assert [tool.name for tool in toolset(view)] == NAMES[:-2]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_model_is_told_of_a_tool_is_as_recorded(view: View, name: str) -> None:
    (tool,) = (tool for tool in toolset(view, inside=True) if tool.name == name)
    told = json.dumps(convert_to_openai_tool(tool)["function"], indent=1, ensure_ascii=False) + "\n"
    path = SNAPSHOTS / f"tool_{name}.json"
    if os.environ.get("PAGEHOP_UPDATE_SNAPSHOTS") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8"), "run with PAGEHOP_UPDATE_SNAPSHOTS=1"


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_flat_and_described(view: View, name: str) -> None:
    (tool,) = (tool for tool in toolset(view, inside=True) if tool.name == name)
    for argument in tool.args.values():
        assert argument["type"] in ("string", "integer", "number")
        assert argument["description"]


def test_a_plain_agent_reads_results_and_errors(view: View) -> None:
    model = scripted(
        {"name": "read_page", "args": {"ref": f"{HALDEN}:41"}},
        {"name": "look", "args": {"ref": f"{HALDEN}:2", "y1": 0.4}},
        {"name": "calculate", "args": {"expresion": "1"}},
        {"name": "calculate", "args": {"expression": "57.3 - 49.8"}},
    )
    agent = create_agent(model, toolset(view))
    state = agent.invoke({"messages": [HumanMessage("How much did spending rise?")]})
    observed = [m for m in state["messages"] if isinstance(m, ToolMessage)]
    assert [m.status for m in observed] == ["error", "success", "error", "success"]
    assert "page 41 does not exist" in str(observed[0].content)
    assert isinstance(observed[1].content, list)
    assert observed[1].content[1]["type"] == "image"  # type: ignore[index]
    assert "call calculate(expression)" in str(observed[2].content)
    assert observed[3].content == "57.3 - 49.8 = 7.5"
    assert state["messages"][-1].content == "done"


async def test_a_tool_node_runs_them_asynchronously(view: View) -> None:
    calls = [
        {"type": "tool_call", "id": "a", "name": "read_page", "args": {"ref": f"{HALDEN}:1"}},
        {"type": "tool_call", "id": "b", "name": "read_page", "args": {"ref": f"{HALDEN}:9"}},
    ]
    node = ToolNode(toolset(view, "text"))
    from langgraph.graph import END, START, MessagesState, StateGraph  # noqa: PLC0415 - one test

    graph = StateGraph(MessagesState)
    graph.add_node("tools", node)
    graph.add_edge(START, "tools")
    graph.add_edge("tools", END)
    state = await graph.compile().ainvoke({"messages": [AIMessage("", tool_calls=calls)]})
    good, bad = state["messages"][1:]
    assert good.status == "success"
    assert good.artifact["ref"] == f"{HALDEN}:1"
    assert bad.status == "error"
    assert "page 9 does not exist" in bad.content
