"""A vision model that reads pictures for a text reader, and whose endpoint has faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import pagehop
from pagehop.agents.perceiver import ALLOWANCE, Allowance, Perceiver
from pagehop.answers import Usage
from pagehop.errors import ToolError
from pagehop.events import EventType
from pagehop.library.view import View
from pagehop.models.chat_models import load_chat_model
from pagehop.models.scripted import ScriptedModel
from pagehop.models.stub_endpoint import StubEndpoint, StubReply, StubRequest, faulty
from pagehop.models.stub_personalities import TRANSIENT, Personality
from pagehop.settings import load_settings
from pagehop.trajectories.reading import read_run

KEY = "sk-very-secret-4f9a8b7c6d5e"
PAGE = "Halden_2022_annual_report:1"
PASSING = tuple(kind for kind in TRANSIENT if kind != "timeout")
"""A tool's own time limit ends what hangs, long before another attempt could be made."""


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Waits that a test can wait for."""
    monkeypatch.setenv("PAGEHOP_RUN__RETRY_WAIT_S", "0.001")
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


@contextmanager
def eyes(personality: Personality) -> Iterator[tuple[StubEndpoint, Any]]:
    """Give an endpoint and a real client of it."""
    with StubEndpoint(personality) as stub:
        yield stub, load_chat_model("stub", base_url=stub.base_url, api_key=KEY)


def asked_of(request: StubRequest) -> str:
    """Return the question about the picture."""
    content: Any = request.messages[-1]["content"]
    return str(content[0]["text"])


def reads(request: StubRequest) -> StubReply:
    """Read any picture rightly."""
    return StubReply(f"{asked_of(request)} Three bars.")


def failing(times: int, status: int = 500) -> Personality:
    """Fail so many times, then read."""

    def personality(request: StubRequest) -> StubReply:
        if request.number < times:
            return StubReply(status=status, error=f"no, with {KEY}", headers={"Retry-After": "0"})
        return reads(request)

    return personality


def picture(shade: int = 0) -> Image.Image:
    """Draw a grey picture."""
    return Image.new("L", (8, 8), shade)


def ask_with_eyes(view: View, vision_model: Any, record: Path, **budget: Any) -> pagehop.Answer:
    """Run a step in which a text-only model looks at a page."""
    look = {"name": "look", "args": {"ref": PAGE, "question": "How many bars?"}}
    plan = '{"parts": [{"id": "Q1", "text": "q"}]}'
    replies = [plan, {"content": "", "tool_calls": [look]}]
    model = ScriptedModel(replies=[*replies, '{"evidence": [], "sufficient": false}'] * 3)
    model.profile = {"image_inputs": False}
    limits = pagehop.Budget(**{"steps": 1, "seconds": None, **budget})
    return pagehop.ask(
        "How many?", view, model=model, vision_model=vision_model, record=record, budget=limits
    )


def test_at_faults_that_pass_every_picture_is_read_as_without() -> None:
    """Each question is one request that fails in half of all cases, drawn anew each time."""
    with eyes(faulty(0.5, reads, kinds=PASSING, seed=3)) as (stub, model):
        perceiver = Perceiver(model, retry_wait_s=0.001)
        for i in range(24):
            question = f"How many bars has picture {i}?"
            assert perceiver(picture(i), question) == f"{question} Three bars."
        assert len(stub.requests) > 30


def test_attempts_stand_in_the_record_and_in_the_usage(view: View, tmp_path: Path) -> None:
    with eyes(failing(2)) as (stub, model):
        answer = ask_with_eyes(view, model, tmp_path)
        assert len(stub.requests) == 3
    (episode,) = read_run(answer.trajectory).episodes
    (read,) = (call for call in episode.calls if call.role == "perceiver")
    assert episode.message(read.message).text == "How many bars? Three bars."
    assert (read.attempts, read.retried) == (3, ("server", "server"))
    others = [call for call in episode.calls if call.role != "perceiver"]
    assert answer.usage.model_calls == 3 + sum(call.usage.model_calls for call in others)
    assert "Three bars." in episode.tool_calls[0].result


def test_an_endpoint_that_stays_ill_is_given_up_and_told(view: View, tmp_path: Path) -> None:
    with eyes(failing(99)) as (stub, model):
        answer = ask_with_eyes(view, model, tmp_path)
        assert len(stub.requests) == 5
    (episode,) = read_run(answer.trajectory).episodes
    (read,) = (call for call in episode.calls if call.role == "perceiver")
    assert read.attempts == 5 and "given up after 5 attempts" in read.error
    assert "no reading; use the text of the page" in episode.tool_calls[0].result
    assert KEY not in "".join(path.read_text() for path in Path(answer.trajectory).rglob("*.json*"))


def test_a_key_that_is_refused_is_not_tried_again() -> None:
    with eyes(failing(1, status=401)) as (stub, model):
        with pytest.raises(ToolError, match="gave no reading"):
            Perceiver(model)(picture(), "How many bars?")
        assert len(stub.requests) == 1


def test_no_attempt_is_made_beyond_the_budget() -> None:
    told: list[tuple[EventType, dict[str, Any]]] = []
    allowance = Allowance(
        {"model_calls": 2}, lambda kind, what, body: told.append((kind, {**body}))
    )
    token = ALLOWANCE.set(allowance)
    try:
        with eyes(failing(99)) as (stub, model):
            with pytest.raises(ToolError, match="budget of model calls is spent; use the text"):
                Perceiver(model, retry_wait_s=0.001)(picture(), "How many bars?")
            assert len(stub.requests) == 2
    finally:
        ALLOWANCE.reset(token)
    assert replace(allowance.meter.usage, seconds=0.0) == Usage(model_calls=2)
    assert [kind for kind, _ in told] == ["llm.start", "context.edit", "error"]


def test_a_tool_that_was_given_up_on_makes_no_other_attempt() -> None:
    allowance = Allowance({})

    def late(request: StubRequest) -> StubReply:
        allowance.close()  # while the first attempt is under way
        return StubReply(status=500, error="overloaded")

    token = ALLOWANCE.set(allowance)
    try:
        with eyes(late) as (stub, model):
            with pytest.raises(ToolError, match="no more time"):
                Perceiver(model, retry_wait_s=0.001)(picture(), "How many bars?")
            assert len(stub.requests) == 1
    finally:
        ALLOWANCE.reset(token)


async def test_a_tool_called_in_the_thread_of_a_loop_tries_again_too() -> None:
    """As in a notebook, where a loop runs in the thread of the cells."""
    with eyes(failing(1)) as (stub, model):
        said = Perceiver(model, retry_wait_s=0.001)(picture(), "How many bars?")
        assert said == "How many bars? Three bars." and len(stub.requests) == 2
