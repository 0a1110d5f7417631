"""ScriptedModel: what it says, what it records, and LangChain's own tests of a chat model."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.tools import tool
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import BaseModel

from pagehop.errors import ModelError
from pagehop.models.scripted import ScriptedModel


class TestLangChainContract(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ScriptedModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"replies": ["hello"]}


@tool
def keyword_search(query: str) -> str:
    """Find words."""
    return query


CALL = {"content": "I look.", "tool_calls": [{"name": "keyword_search", "args": {"query": "x"}}]}


def test_replies_come_in_order_and_a_finished_script_says_so() -> None:
    model = ScriptedModel(replies=["one", AIMessage("two")])
    assert [model.invoke("?").text, model.invoke("?").text] == ["one", "two"]
    with pytest.raises(ModelError, match=r"call 3 .* 2 replies.*repeat_last"):
        model.invoke("?")


def test_repeat_last_never_ends() -> None:
    model = ScriptedModel(replies=["one", "two"], repeat_last=True)
    assert [model.invoke("?").text for _ in range(4)] == ["one", "two", "two", "two"]


def test_tool_calls_get_ids_and_bad_arguments_are_invalid_calls() -> None:
    bad = {"tool_calls": [{"name": "keyword_search", "args": "{query: x"}]}
    model = ScriptedModel(replies=[CALL, bad]).bind_tools([keyword_search])
    first, second = model.invoke("?"), model.invoke("?")
    assert first.tool_calls[0]["args"] == {"query": "x"}
    assert first.tool_calls[0]["id"] == "call_1_1"
    assert second.tool_calls == []
    assert second.invalid_tool_calls[0]["args"] == "{query: x"


def test_an_exception_is_raised_and_used_up() -> None:
    model = ScriptedModel(replies=[TimeoutError("slow"), "fine"])
    with pytest.raises(TimeoutError):
        model.invoke("?")
    assert model.invoke("?").text == "fine"


def test_a_function_sees_messages_and_tools() -> None:
    def reply(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> str:
        return f"{messages[-1].text} {tools[0]['function']['name']}"

    model = ScriptedModel(replies=reply)
    bound = model.bind_tools([keyword_search], tool_choice="any")
    assert bound.invoke("hi").text == "hi keyword_search"
    assert model.calls[0].messages == (HumanMessage("hi"),)
    assert model.calls[0].kwargs["tool_choice"] == "any"


async def test_an_async_function_is_awaited_and_refused_by_invoke() -> None:
    async def reply(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> str:
        await asyncio.sleep(0)
        return "later"

    model = ScriptedModel(replies=reply)
    assert (await model.ainvoke("?")).text == "later"
    with pytest.raises(ModelError, match="ainvoke"):
        model.invoke("?")


def test_structured_output_and_copies_share_the_record() -> None:
    class Verdict(BaseModel):
        sufficient: bool

    said = {"tool_calls": [{"name": "Verdict", "args": {"sufficient": True}}]}
    model = ScriptedModel(replies=[said, "x", "y"])
    assert model.with_structured_output(Verdict).invoke("?") == Verdict(sufficient=True)
    deepcopy(model).invoke("?")
    model.model_copy().invoke("?")
    assert len(model.calls) == 3


def test_it_streams_word_by_word_with_calls_and_usage() -> None:
    model = ScriptedModel(replies=[CALL]).bind_tools([keyword_search])
    chunks = [chunk for chunk in model.stream("what is it?") if isinstance(chunk, AIMessageChunk)]
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    assert [c.text for c in chunks][:2] == ["I ", "look."]
    assert whole.tool_calls[0]["args"] == {"query": "x"}
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] > 0


async def test_calls_of_many_threads_and_tasks_are_all_recorded_once() -> None:
    model = ScriptedModel(replies=[str(i) for i in range(60)])
    with ThreadPoolExecutor(8) as pool:
        said = [m.text for m in pool.map(model.invoke, ["?"] * 30)]
    said += [m.text for m in await asyncio.gather(*(model.ainvoke("?") for _ in range(30)))]
    assert sorted(said, key=int) == [str(i) for i in range(60)]
    assert len(model.calls) == 60


def test_nonsense_in_a_script_is_named() -> None:
    with pytest.raises(ModelError, match="cannot say 3"):
        ScriptedModel(replies=[3]).invoke("?")
