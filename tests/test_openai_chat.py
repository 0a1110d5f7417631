"""Our OpenAI chat model sends what LangChain's sends."""

import asyncio
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from pagehop.models.chat_models import load_chat_model
from pagehop.models.openai_chat import POOL
from pagehop.models.stub_endpoint import StubEndpoint, scripted

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
