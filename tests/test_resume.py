"""A run with a chat model, killed anywhere and resumed from its SQLite file to the same end."""

import asyncio
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

import pagehop
from pagehop.graphs.explore import Machine
from pagehop.graphs.state import Question
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from pagehop.settings import load_settings

REPORT = "Halden_2022_annual_report"
ASKED = Question(question="What was the revenue of Halden Marine in 2022?", episode_id="one")
CONFIG: Any = {"configurable": {"thread_id": "t"}}
NODES = ["plan", "explore", "act", "summarize", "reflect", "answer"]
CALLS = 8
"""Model calls of a whole run: plan, two rounds of explore twice and condense, answer."""


def says(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
    """Answer by what the prompt shows alone, as a model in another process would."""
    first, last = str(messages[0].content), str(messages[-1].content)
    second = "E1 [" in str(messages[2].content) if len(messages) > 2 else False
    if first.startswith("You plan"):
        return json.dumps({"parts": [{"id": "Q1", "text": ASKED["question"]}]})
    if first.startswith("You write the answer"):
        return json.dumps({"claims": [{"text": "It was 455.9 million.", "evidence": ["E1", "E2"]}]})
    if "The round ends here" in last:
        quote = "Key figures of Halden Marine" if second else "Revenue rose to 455.9 million"
        kept = {"ref": f"{REPORT}:{2 if second else 1}", "quote": quote, "part": "Q1"}
        parts = [{"id": "Q1", "state": "answered" if second else "open"}]
        return json.dumps({"evidence": [kept], "parts": parts, "sufficient": second})
    if any(message.type == "tool" for message in messages):
        return "Read it."
    read = {"name": "read_page", "args": {"ref": f"{REPORT}:{2 if second else 1}"}}
    return {"content": "Read.", "tool_calls": [read]}


def machine(view: View, model: ScriptedModel, saver: AsyncSqliteSaver | None = None) -> Machine:
    return pagehop.graph("explore", view, model=model, record=False, checkpointer=saver)


async def whole(view: View) -> tuple[Any, int]:
    """Return the state at the end of a run that nobody killed, and its model calls."""
    model = ScriptedModel(replies=says)
    return await machine(view, model).ainvoke(ASKED), len(model.calls)


async def resume(view: View, database: str) -> tuple[Any, int]:
    """Go on in a fresh machine; return the state at the end and the model calls."""
    model = ScriptedModel(replies=says)
    async with AsyncSqliteSaver.from_conn_string(database) as saver:
        return await machine(view, model, saver).ainvoke(None, CONFIG), len(model.calls)


def check_same(resumed: Any, expected: Any) -> None:
    for name in ("text", "status", "citations", "warnings"):
        assert getattr(resumed["answer"], name) == getattr(expected["answer"], name)
    assert resumed["evidence"] == expected["evidence"]
    for name in ("steps", "rounds", "tool_calls", "model_calls", "input_tokens", "output_tokens"):
        assert getattr(resumed["answer"].usage, name) == getattr(expected["answer"].usage, name)


@pytest.mark.parametrize("after", NODES)
@pytest.mark.parametrize("time", [1, 2])
async def test_killed_after_a_node_no_model_call_is_made_again(
    view: View, after: str, time: int, tmp_path: Path
) -> None:
    expected, count = await whole(view)
    assert (expected["answer"].status, count) == ("answered", CALLS)
    database, model, seen = str(tmp_path / "runs.db"), ScriptedModel(replies=says), 0
    async with AsyncSqliteSaver.from_conn_string(database) as saver:
        killed = machine(view, model, saver).astream(ASKED, CONFIG, durability="sync")
        async for update in killed:
            seen += after in update
            if seen == time:
                break
    resumed, later = await resume(view, database)
    check_same(resumed, expected)
    assert len(model.calls) + later == count


@pytest.mark.parametrize("call", range(1, CALLS + 1))
async def test_killed_in_a_model_call_that_call_alone_is_made_again(
    view: View, call: int, tmp_path: Path
) -> None:
    expected, count = await whole(view)
    arrived, number = asyncio.Event(), itertools.count(1)

    async def hangs(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        if next(number) == call:
            arrived.set()
            await asyncio.sleep(60)
        return says(messages, tools)

    database, model = str(tmp_path / "runs.db"), ScriptedModel(replies=hangs)
    async with AsyncSqliteSaver.from_conn_string(database) as saver:
        run = asyncio.create_task(
            machine(view, model, saver).ainvoke(ASKED, CONFIG, durability="sync")
        )
        await arrived.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    resumed, later = await resume(view, database)
    check_same(resumed, expected)
    assert len(model.calls) + later == count + 1


def looks() -> Callable[[list[BaseMessage], list[dict[str, Any]]], Any]:
    """A model that looks over the pages and at nineteen different boxes, then answers."""
    tops = itertools.count()

    def reply(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        first, last = str(messages[0].content), str(messages[-1].content)
        if first.startswith("You ") and "tool" not in {m.type for m in messages} and not tools:
            return says(messages, tools)
        if "The round ends here" in last:
            box = [0.0, 0.0, 1.0, 1.0]
            kept = {"ref": f"{REPORT}:2", "reading": f"455.9 at {next(tops)}", "box": box}
            return json.dumps({"evidence": [kept], "sufficient": False})
        top = next(tops) / 50
        if not top:
            wanted = {"name": "overview", "args": {"document": REPORT}}
            return {"content": "", "tool_calls": [wanted]}
        args = {"ref": f"{REPORT}:2", "y0": round(top, 2), "y1": 1.0, "question": "Revenue?"}
        return {"content": "Look closer.", "tool_calls": [{"name": "look", "args": args}]}

    return reply


async def test_twenty_pictures_lie_in_the_checkpoints_as_references(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEHOP_RUN__PICTURES", "yes")
    load_settings.cache_clear()
    model = ScriptedModel(replies=looks())
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "runs.db")) as saver:
        made = pagehop.graph(
            "explore", view, model=model, record=False, checkpointer=saver,
            budget=pagehop.Budget(steps=20, seconds=None),
        )  # fmt: skip
        state = await made.ainvoke(ASKED, CONFIG, durability="sync")
    load_settings.cache_clear()
    assert state["spent"].images == 20
    shown = [str(block) for call in model.calls for m in call.messages for block in m.content]
    assert any("base64" in block for block in shown)
    stored = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert stored <= 300_000, stored
