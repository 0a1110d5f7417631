"""What an endpoint really said, kept under the chat client: sync, async, streamed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from langchain_openai import ChatOpenAI
from openai import DefaultHttpxClient
from PIL import Image
from pydantic import SecretStr

import pagehop
from pagehop.agents.prompting import picture_block
from pagehop.evaluation.stand_in import stand_in
from pagehop.library.view import View
from pagehop.models.capture import captured, capturing, wrapped
from pagehop.models.chat_calls import call_chat
from pagehop.models.chat_models import load_chat_model
from pagehop.models.scripted import ScriptedModel
from pagehop.models.stub_endpoint import StubEndpoint, StubReply, StubRequest
from pagehop.settings import load_settings
from pagehop.trajectories.blobs import read_blob
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.segments import segments, undeclared
from test_rollout import answering as answering_roles

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


def test_raw_bytes_are_kept_without_secrets_and_with_pictures_once(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEHOP_RUN__RAW", "true")
    monkeypatch.setenv("MY_API_KEY", "Zz9-very-secret")
    load_settings.cache_clear()
    pictures = [picture_block(Image.new("RGB", (40, 30), color)) for color in ("red", "blue")]
    question = [{"type": "text", "text": "Is Zz9-very-secret on it?"}, *pictures]
    try:
        with StubEndpoint(stand_in()) as stub:
            model = load_chat_model("openai:gpt-4o", base_url=stub.base_url)
            answer = pagehop.ask(question, view, model=model, record=tmp_path)
    finally:
        load_settings.cache_clear()
    folder = Path(answer.trajectory)
    (episode,) = read_run(folder).episodes
    assert len(episode.calls) > 3 and len(stub.requests) == len(episode.calls)
    for call, sent in zip(episode.calls, stub.requests, strict=True):
        raw = read_blob(folder, call.request_blob).decode()
        told = json.loads(raw)
        assert told["model"] == sent["model"] and len(told["messages"]) == len(sent["messages"])
        assert "Zz9" not in raw and "base64" not in raw
        named = re.findall(r'"blob:([0-9a-f]{64})"', raw)
        assert all(read_blob(folder, one).startswith(b"\x89PNG") for one in named)
        reply = json.loads(read_blob(folder, call.response_blob))
        assert reply["choices"][0]["message"]["content"] == episode.message(call.message).text
    first = read_blob(folder, episode.calls[0].request_blob)
    assert first.count(b"blob:") == 2 and b"***" in first
    assert not any(b"Zz9" in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_raw_bytes_are_not_kept_unless_asked_for(view: View, tmp_path: Path) -> None:
    with StubEndpoint(stand_in()) as stub:
        model = load_chat_model("openai:m", base_url=stub.base_url)
        answer = pagehop.ask("What was revenue?", view, model=model, record=tmp_path)
    (episode,) = read_run(answer.trajectory).episodes
    assert not any(call.request_blob or call.response_blob for call in episode.calls)


def test_an_edit_says_how_long_the_prompts_were(view: View, tmp_path: Path) -> None:
    with StubEndpoint(stand_in()) as stub:
        model = load_chat_model("openai:m", base_url=stub.base_url)
        answer = pagehop.ask("What was revenue?", view, model=model, record=tmp_path)
    (episode,) = read_run(answer.trajectory).episodes
    calls = {f"{call.id}.edit": call for call in episode.calls}
    assert episode.edits
    for edit in episode.edits:
        assert edit.tokens_after == calls[edit.id].usage.input_tokens > 0 < edit.tokens_before


@pytest.mark.parametrize("grammar", ["native", "json"])
@pytest.mark.parametrize("limit", [700, 1400])
def test_a_prompt_cut_anew_is_declared(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, grammar: str
) -> None:
    """A repair behind a prompt that was cut to fit moved the cuts: a break that nothing told of."""
    refused: list[str] = []

    def stumbling(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        said = answering_roles(messages, tools)
        if "The round ends here" in str(messages[-1].content) and not refused:
            refused.append("once")
            return "Nonsense. " * 30
        if grammar == "json" and isinstance(said, dict):
            calls = [{"tool": c["name"], "arguments": c["args"]} for c in said["tool_calls"]]
            return json.dumps({"thought": said["content"], "calls": calls})
        return said

    monkeypatch.setenv("PAGEHOP_RUN__MAX_PROMPT_TOKENS", str(limit))
    monkeypatch.setenv("PAGEHOP_RUN__GRAMMAR", grammar)
    load_settings.cache_clear()
    try:
        model = ScriptedModel(replies=stumbling)
        answer = pagehop.ask("Revenue in 2022?", view, model=model, record=tmp_path)
    finally:
        load_settings.cache_clear()
    (episode,) = read_run(answer.trajectory).episodes
    assert refused and len(episode.calls) > 3
    assert undeclared(episode) == (), [one.begins for one in segments(episode)]
