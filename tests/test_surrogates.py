"""Halves of surrogate pairs in replies and questions, which no UTF-8 can hold."""

import json
from pathlib import Path
from typing import Any

import pytest

import pagehop
from pagehop.library.view import View
from pagehop.models.chat_models import load_chat_model
from pagehop.models.scripted import ScriptedModel
from pagehop.models.stub_endpoint import StubEndpoint, StubReply, StubRequest
from pagehop.surrogates import whole, whole_text
from pagehop.trajectories.exporters.exporting import export_run
from pagehop.trajectories.reading import read_run
from test_rollout import answering

QUESTION = "What was the revenue of Halden Marine in 2022?"
HALF = "\ud83d"


def halving(request: StubRequest) -> StubReply:
    """Answer well, but for half an emoji in words and arguments."""
    messages = [type("M", (), {"content": m.get("content")}) for m in request.messages]
    said: Any = answering(messages, [])  # type: ignore[arg-type]  # it reads their contents only
    if isinstance(said, str):
        return StubReply(f"{said} {HALF}" if said == "Found it." else said)
    search = {"name": "keyword_search", "args": {"query": f"revenue {HALF}"}}
    return StubReply(f"Read {HALF} it.", tool_calls=[*said["tool_calls"], search])


def test_pairs_are_joined_and_halves_replaced() -> None:
    assert whole_text("a\ud83d\ude00b") == "a😀b"  # as two pieces of a stream put together
    assert whole_text(f"é{HALF}") == "é\ufffd" and whole_text("é") == "é"
    assert whole({"a": [HALF, {HALF: 1}], "b": 2.5}) == {"a": ["\ufffd", {"\ufffd": 1}], "b": 2.5}


@pytest.mark.parametrize("streaming", [False, True])
def test_a_model_that_writes_half_an_emoji_is_answered_recorded_and_exported(
    view: View, tmp_path: Path, streaming: bool
) -> None:
    with StubEndpoint(halving) as stub:
        model = load_chat_model(
            "openai:stub", base_url=stub.base_url, api_key="none", streaming=streaming
        )
        answer = pagehop.ask(QUESTION, view, model=model, record=tmp_path)
    assert answer.status == "answered" and not answer.warnings
    run = read_run(answer.trajectory)
    assert run.damaged_lines == 0
    (episode,) = run.episodes
    said = [episode.message(call.message).text for call in episode.calls]
    assert "Read \ufffd it." in said
    assert {"query": "revenue \ufffd"} in [dict(call.arguments) for call in episode.tool_calls]
    report = export_run(run.folder, "openai", tmp_path / "rows.jsonl")
    assert report.rows and json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])


def test_a_question_with_bytes_that_are_no_text_is_asked(view: View, tmp_path: Path) -> None:
    """As a terminal gives them: Python reads each such byte as half a pair."""
    model = ScriptedModel(replies=answering)
    answer = pagehop.ask(f"{QUESTION} \udcff", view, model=model, record=tmp_path)
    assert answer.status == "answered" and answer.question == f"{QUESTION} \ufffd"
    (episode,) = read_run(answer.trajectory).episodes
    assert episode.question == answer.question
