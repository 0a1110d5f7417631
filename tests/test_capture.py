"""What an endpoint really said, kept under the chat client: sync, async, streamed."""

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from openai import DefaultHttpxClient
from pydantic import SecretStr

import pagehop
from pagehop.library.view import View
from pagehop.models.capture import captured, capturing, wrapped
from pagehop.models.chat_calls import call_chat
from pagehop.models.chat_models import load_chat_model
from pagehop.models.stub_endpoint import StubEndpoint, StubReply, StubRequest
from pagehop.settings import load_settings
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.segments import segments

ARGUMENTS = '{"query":   "revenue",  "k": 3.0}'
REPLY = StubReply(
    "Look.", tool_calls=[{"name": "find", "args": ARGUMENTS}], reasoning="It asks for revenue."
)
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}


def plain(stub: StubEndpoint, **more: Any) -> ChatOpenAI:
    return ChatOpenAI(model="m", base_url=stub.base_url, api_key=SecretStr("none"), **more)


def reply(request: StubRequest) -> StubReply:
    return REPLY


def test_the_plain_client_drops_what_the_transport_keeps() -> None:
    with StubEndpoint(reply, tokens="given") as stub, wrapped(DefaultHttpxClient()) as client:
        model = plain(stub, http_client=client).bind(tools=[TOOL])
        with capturing(tokens=True) as found:
            said = model.invoke("What was revenue?")
    assert isinstance(said, AIMessage)
    everything = said.model_dump_json()
    assert "It asks for revenue." not in everything and "token_ids" not in everything
    assert ARGUMENTS not in [json.dumps(call["args"]) for call in said.tool_calls]
    (kept,) = found
    assert kept.tool_arguments == (ARGUMENTS,) and kept.reasoning == "It asks for revenue."
    written = bytes(kept.completion_ids).decode()
    assert ARGUMENTS in written and written.endswith("<|end|>")
    assert "What was revenue?" in bytes(kept.prompt_ids).decode()
    assert len(kept.logprobs) == len(kept.completion_ids) and kept.finish_reason == "tool_calls"


@pytest.mark.parametrize("streamed", [False, True])
async def test_async_calls_keep_the_same_streamed_or_not(streamed: bool) -> None:
    pieces: list[str] = []
    with StubEndpoint(reply, tokens="given") as stub:
        model = load_chat_model("openai:m", base_url=stub.base_url)
        told = await call_chat(
            model, [("user", "What?")], tools=[TOOL], tokens=True,  # type: ignore[list-item]
            on_delta=pieces.append if streamed else None,
        )  # fmt: skip
    kept = told.captured
    assert kept is not None and bool(pieces) is streamed
    assert (kept.text, kept.reasoning) == ("Look.", "It asks for revenue.")
    assert kept.tool_arguments == (ARGUMENTS,) and kept.prompt_ids and kept.completion_ids
    assert len(kept.logprobs) == len(kept.completion_ids)


async def test_an_endpoint_that_refuses_the_wish_is_asked_without_it() -> None:
    with StubEndpoint(reply, tokens="refused") as stub:
        model = load_chat_model("openai:m", base_url=stub.base_url)
        asks = [("user", "What?")]
        for _ in range(2):
            told = await call_chat(model, asks, tools=[TOOL], tokens=True)  # type: ignore[arg-type]
            assert told.attempts == 1 and told.captured is not None
            assert told.captured.tool_arguments == (ARGUMENTS,) and not told.captured.prompt_ids
    wished = [bool(body.get("return_token_ids")) for body in stub.requests]
    assert wished == [True, False, False]


def test_nothing_is_kept_or_changed_where_nobody_listens() -> None:
    with StubEndpoint(reply) as stub, wrapped(DefaultHttpxClient()) as client:
        plain(stub, http_client=client).invoke("What?")
    assert "return_token_ids" not in stub.requests[0]


@pytest.mark.parametrize("raw", [b"", b"{", b"no json", b"data: {\n\ndata: [DONE]\n", b"[1]"])
def test_a_reply_that_cannot_be_read_leaves_its_fields_empty(raw: bytes) -> None:
    kept = captured(b"{}", raw)
    assert kept.reply == raw and not kept.text and not kept.completion_ids


def answering(request: StubRequest) -> StubReply:
    first, last = (str(request.messages[i].get("content")) for i in (0, -1))
    page = "Halden_2022_annual_report:1"
    if first.startswith("You plan"):
        return StubReply(json.dumps({"parts": [{"id": "Q1", "text": "revenue"}]}))
    if first.startswith("You write the answer"):
        claim = {"text": "It was 455.9 million crowns.", "evidence": ["E1"]}
        return StubReply(json.dumps({"claims": [claim]}))
    if "The round ends here" in last:
        kept = [{"ref": page, "quote": "Revenue rose to 455.9 million crowns", "part": "Q1"}]
        parts = [{"id": "Q1", "state": "answered"}]
        return StubReply(json.dumps({"evidence": kept, "parts": parts, "sufficient": True}))
    if last.startswith("Step 1."):
        return StubReply(
            "Read.", tool_calls=[{"name": "read_page", "args": f'{{"ref":  "{page}"}}'}]
        )
    return StubReply("Found it.")


def test_a_run_records_ids_and_where_the_client_made_them_drift(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEHOP_RUN__TOKENS", "true")
    load_settings.cache_clear()
    try:
        with StubEndpoint(answering, tokens="given") as stub:
            answer = pagehop.ask(
                "Revenue of Halden Marine in 2022?", view, model="openai:m",
                base_url=stub.base_url, record=tmp_path,
            )  # fmt: skip
    finally:
        load_settings.cache_clear()
    assert answer.status == "answered" and not stub.errors
    (episode,) = read_run(answer.trajectory).episodes
    for call in episode.calls:
        path = episode.path(call.message)
        ids = tuple(i for message in path for i in (message.tokens.ids if message.tokens else ()))
        assert call.prompt_ids and ids == call.prompt_ids + call.completion_ids
    assert episode.tool_calls[0].arguments_raw == '{"ref":  "Halden_2022_annual_report:1"}'
    found = segments(episode)
    # The client wrote the arguments anew, with one space: told as drift, never trained twice.
    assert [one.begins.partition(":")[0] for one in found] == [
        "start", "declared", "drift", "declared"
    ]  # fmt: skip
    trained = [name for one in found for name in one.new]
    assert sorted(trained) == sorted(call.message for call in episode.calls)
