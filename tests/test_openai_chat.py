"""Our OpenAI chat model sends what LangChain's sends."""

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from pagehop.models.chat_models import load_chat_model
from pagehop.models.openai_chat import POOL
from pagehop.models.stub_endpoint import StubEndpoint, scripted
from pagehop.models.stub_personalities import StubReply

langchain_openai = pytest.importorskip("langchain_openai")
MESSAGES = [
    SystemMessage("You look things up."),
    HumanMessage([{"type": "text", "text": "Which city?"}]),
    AIMessage("", tool_calls=[{"name": "look", "args": {"q": "city"}, "id": "c1"}]),
    ToolMessage("Bergen", tool_call_id="c1"),
]
PARAMETERS = {"type": "object", "properties": {"q": {"type": "string"}}}
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "look", "description": "Look.", "parameters": PARAMETERS},
}


@pytest.mark.parametrize("streamed", [False, True])
async def test_requests_are_those_of_langchain(streamed: bool) -> None:
    options: dict[str, Any] = {"api_key": "none", "extra_body": {"top_k": 3}}
    with StubEndpoint(scripted(["Bergen."] * 2)) as stub:
        url = stub.base_url
        ours = load_chat_model("openai:stub", base_url=url, **options)
        plain = langchain_openai.ChatOpenAI(
            model="stub", base_url=url, stream_usage=True, max_retries=0, **options
        )
        for model in (ours, plain):
            bound = model.bind_tools([TOOL])
            if streamed:
                said = "".join([piece.text async for piece in bound.astream(MESSAGES)])
            else:
                said = (await bound.ainvoke(MESSAGES)).text
            assert said == "Bergen."
        first, second = stub.requests
    assert first == second
    assert len(first["messages"]) == 4 and first["tools"] == [TOOL] and first["top_k"] == 3


async def test_more_calls_than_a_pool_takes_are_made_at_once() -> None:

    calls = 2 * POOL + 1
    with StubEndpoint(scripted(["Bergen."] * calls), latency_s=0.05) as stub:
        model = load_chat_model("openai:stub", base_url=stub.base_url, api_key="none")
        said = await asyncio.gather(*(model.ainvoke(MESSAGES) for _ in range(calls)))
    assert {message.text for message in said} == {"Bergen."}


@pytest.mark.parametrize("more", [{}, {"timeout": 5.0}])
async def test_replies_are_those_of_langchain(more: dict[str, Any]) -> None:
    """Read past the OpenAI client's types, or through them where an option asks for more."""
    look = {"name": "look", "args": {"q": "x"}}
    replies = [StubReply("Bergen.", tool_calls=[look]), StubReply("No.")]
    said = []
    for kind in ("ours", "langchain"):
        with StubEndpoint(scripted(replies)) as stub:
            options: dict[str, Any] = {"base_url": stub.base_url, "api_key": "none"}
            model = (
                load_chat_model("openai:stub", **options)
                if kind == "ours"
                else langchain_openai.ChatOpenAI(model="stub", max_retries=0, **options)
            )
            said.append([await model.ainvoke(MESSAGES, **more) for _ in replies])
    for ours, plain in zip(*said, strict=True):
        assert (ours.content, ours.tool_calls) == (plain.content, plain.tool_calls)
        assert ours.usage_metadata == plain.usage_metadata and ours.usage_metadata
        same = ("model_name", "finish_reason", "model_provider")
        for name in same:
            assert ours.response_metadata[name] == plain.response_metadata[name]


async def test_a_refusal_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    message = {"role": "assistant", "content": None, "refusal": "I will not."}
    choice = {"index": 0, "finish_reason": "stop", "message": message}

    async def post(*_: object, **__: object) -> dict[str, Any]:
        return {"id": "1", "model": "m", "choices": [choice]}

    model = load_chat_model("openai:m", base_url="http://model.test/v1", api_key="none")
    assert isinstance(model, langchain_openai.ChatOpenAI)
    monkeypatch.setattr(model.root_async_client, "post", post)
    said = await model.ainvoke(MESSAGES)
    assert said.additional_kwargs["refusal"] == "I will not."
