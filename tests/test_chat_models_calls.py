"""Calls of a chat model over real HTTP, against a stub endpoint that misbehaves in every way."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from email.utils import formatdate
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool

from pagehop.answers import Usage
from pagehop.errors import (
    CallFailed,
    ContextOverflow,
    FaultKind,
    ModelError,
    PicturesUnsupported,
    ToolsUnsupported,
)
from pagehop.models.chat_calls import ChatReply, call_chat
from pagehop.models.chat_models import load_chat_model
from pagehop.models.prices import Prices
from pagehop.models.scripted import ScriptedModel
from pagehop.models.stub_endpoint import StubEndpoint, StubReply, scripted
from pagehop.models.stub_personalities import HANG_S, Said
from pagehop.settings import Price

KEY = "sk-test-0123456789abcdef"
ASK = [HumanMessage("Where is the seat?")]
PICTURE = "data:image/png;base64,iVBORw0KGgo="


@tool
def keyword_search(query: str) -> str:
    """Find words."""
    return query


class Naps:
    """Records waits instead of waiting."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def naps() -> Naps:
    return Naps()


Call = Callable[..., Any]


@pytest.fixture(params=["whole", "streamed"])
def call(request: pytest.FixtureRequest, naps: Naps) -> Iterator[Call]:
    """Call a model that answers as told, both ways."""
    stubs: list[AbstractContextManager[Any]] = []

    async def run(replies: list[Said], **options: Any) -> ChatReply:
        stub = StubEndpoint(scripted(replies))
        stubs.append(stub)
        stub.__enter__()
        run.stub = stub  # type: ignore[attr-defined]
        model = load_chat_model("stub", base_url=stub.base_url, api_key=KEY)
        if request.param == "streamed":
            options.setdefault("on_delta", lambda text: None)
        return await call_chat(model, options.pop("messages", ASK), sleep=naps, **options)

    yield run
    for stub in stubs:
        stub.__exit__(None, None, None)


async def test_a_reply_comes_with_its_usage_and_price(call: Call) -> None:
    prices = Prices({"stub*": Price(input=1.0, cached=0.5, output=2.0)})
    reply = await call([StubReply("In Bergen, Norway.", cached_tokens=2)], prices=prices)
    assert reply.message.text == "In Bergen, Norway."
    usage = reply.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens) == (5, 5, 2)
    assert usage.money == pytest.approx((3 * 1.0 + 2 * 0.5 + 5 * 2.0) / 1e6)
    assert (usage.model_calls, reply.attempts, reply.retried) == (1, 1, ())
    assert not reply.estimated


async def test_tool_calls_pass_through(call: Call) -> None:
    said = {"tool_calls": [{"name": "keyword_search", "args": {"query": "seat"}}]}
    reply = await call([said], tools=[keyword_search], tool_choice="any")
    assert reply.message.tool_calls[0]["args"] == {"query": "seat"}
    body = call.stub.requests[0]  # type: ignore[attr-defined]
    assert body["tools"][0]["function"]["name"] == "keyword_search"
    assert body["tool_choice"] == "required"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (StubReply(status=429, error="slow down"), "rate_limit"),
        (StubReply(status=500, error="oops"), "server"),
        (StubReply(status=503, error="busy"), "server"),
        (StubReply(status=529, error="overloaded"), "server"),
        (StubReply(content=""), "empty"),
        (StubReply(raw=b'{"id": "chatcmpl-1", "choices": [{"mess'), "malformed"),
        (StubReply(raw=b"<html>bad gateway</html>"), "malformed"),
        (StubReply(raw=b'{"object": "chat.completion", "choices": null}'), "malformed"),
    ],
)
async def test_what_may_pass_is_tried_again(
    call: Call, naps: Naps, fault: StubReply, kind: FaultKind
) -> None:
    told: list[str] = []
    reply = await call([fault, "In Bergen."], on_retry=told.append)
    assert reply.message.text == "In Bergen."
    assert (reply.attempts, len(naps.seconds), len(told)) == (2, 1, 1)
    assert reply.usage.model_calls == 2
    assert reply.retried[0] in (kind, "cut")  # a stream without one event is cut, not malformed


async def test_what_a_call_that_fails_spent_is_told(call: Call) -> None:
    told: list[Usage] = []
    replies: list[Said] = [
        "",
        StubReply(status=500, error="oops"),
        StubReply(status=401, error="no"),
    ]
    with pytest.raises(CallFailed):
        await call(replies, on_spend=told.append)
    assert sum(usage.model_calls for usage in told) == 3
    assert sum(usage.input_tokens for usage in told) == 5  # of the empty reply, which reported them


@pytest.mark.parametrize("cut", ["drop", "end"])
async def test_a_cut_stream_is_never_taken_for_a_whole_reply(naps: Naps, cut: Any) -> None:
    words = "The seat of the company is in Bergen on the west coast of Norway."
    heard: list[str] = []
    with StubEndpoint(scripted([StubReply(words, cut=cut), words])) as stub:
        model = load_chat_model("stub", base_url=stub.base_url)
        reply = await call_chat(
            model, ASK, on_delta=heard.append, on_retry=lambda _: heard.clear(), sleep=naps
        )
    assert reply.message.text == "".join(heard) == words
    assert reply.retried[0] in ("cut", "connection")
    assert reply.ttft_s is not None


async def test_a_dropped_connection_is_tried_again(naps: Naps) -> None:
    with StubEndpoint(scripted([StubReply("In Bergen.", cut="drop"), "In Bergen."])) as stub:
        reply = await call_chat(load_chat_model("stub", base_url=stub.base_url), ASK, sleep=naps)
    assert reply.retried == ("connection",)


async def test_a_hanging_endpoint_times_out_and_is_tried_again(call: Call) -> None:
    reply = await call([StubReply("late", delay_s=HANG_S), "In Bergen."], timeout_s=0.3)
    assert reply.retried == ("timeout",)


async def test_waits_grow_and_end(call: Call, naps: Naps) -> None:
    with pytest.raises(CallFailed, match="given up after 5 attempts") as failed:
        await call([StubReply(status=500, error="oops")] * 9)
    assert failed.value.kind == "server"
    assert failed.value.attempts == 5
    assert failed.value.retried == ("server",) * 4
    assert all(
        0.5 * base <= nap <= base for nap, base in zip(naps.seconds, [0.5, 1, 2, 4], strict=True)
    )


@pytest.mark.parametrize(
    ("headers", "error", "expected"),
    [
        ({"Retry-After": "7"}, "slow down", 7),
        ({"retry-after-ms": "1500"}, "slow down", 1.5),
        ({}, "Rate limit reached. Please try again in 1.2s.", 1.2),
        ({}, 'You exceeded your current quota: "retryDelay": "13s"', 13),
    ],
)
async def test_retry_after_is_honoured(
    call: Call, naps: Naps, headers: dict[str, str], error: str, expected: float
) -> None:
    await call([StubReply(status=429, error=error, headers=headers), "In Bergen."])
    assert naps.seconds == [pytest.approx(expected)]


async def test_retry_after_may_be_a_date(call: Call, naps: Naps) -> None:
    headers = {"Retry-After": formatdate(time.time() + 60, usegmt=True)}
    await call([StubReply(status=429, error="slow down", headers=headers), "In Bergen."])
    assert 30 < naps.seconds[0] <= 60


async def test_no_wait_goes_beyond_the_time_left(call: Call, naps: Naps) -> None:
    late = StubReply(status=429, error="slow down", headers={"Retry-After": "120"})
    with pytest.raises(CallFailed, match=r"due in 120.0 s, [\d.]+ s are left") as failed:
        await call([late, "In Bergen."], seconds_left=30)
    assert failed.value.kind == "rate_limit"
    assert naps.seconds == []


async def test_without_time_left_nothing_is_sent_for_long(call: Call) -> None:
    with pytest.raises(CallFailed) as failed:
        await call([StubReply("late", delay_s=HANG_S)], seconds_left=0.2)
    assert failed.value.kind == "timeout"


async def test_a_model_that_stays_silent_is_asked_three_times(call: Call) -> None:
    reply = await call([""] * 5)
    assert (reply.message.text, reply.attempts, reply.retried) == ("", 3, ("empty", "empty"))
    assert reply.usage.input_tokens == 15


@pytest.mark.parametrize(
    ("status", "error", "kind", "words"),
    [
        (401, f"Incorrect API key provided: {KEY}", "key", "set OPENAI_API_KEY"),
        (403, "no access", "key", "set OPENAI_API_KEY"),
        (400, "API key not valid. Please pass a valid API key.", "key", "set OPENAI_API_KEY"),
        (404, "The model `stub` does not exist", "not_found", "check its name and base_url"),
        (400, "temperature must be below 2", "request", "temperature must be below 2"),
        (422, "bad field", "request", "bad field"),
        (429, "You exceeded your current quota (insufficient_quota)", "quota", "billing"),
    ],
)
async def test_what_no_repetition_cures_is_raised_at_once(
    call: Call, naps: Naps, status: int, error: str, kind: FaultKind, words: str
) -> None:
    with pytest.raises(CallFailed, match=words) as failed:
        await call([StubReply(status=status, error=error), "never"])
    assert (failed.value.kind, failed.value.attempts, naps.seconds) == (kind, 1, [])
    assert KEY not in str(failed.value)
    assert failed.value.__cause__ is None and failed.value.__context__ is None


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "context_length_exceeded", "This model's maximum context length is 10 tokens."),
        (400, "", "the request exceeds the available context size, try increasing it"),
        (400, "", "prompt is too long: 205000 tokens > 200000 maximum"),
        (400, "", "The input token count (9) exceeds the maximum number of tokens allowed (5)."),
        (400, "", "input length and max_tokens exceed context limit: 9 + 2 > 10"),
        (413, "", "Request Entity Too Large"),
        (500, "", "the request exceeds the available context size"),
        (400, "", "Please reduce the length of the messages or completion."),
    ],
)
async def test_overflow_is_recognised(call: Call, status: int, code: str, error: str) -> None:
    with pytest.raises(ContextOverflow, match="too long for stub"):
        await call([StubReply(status=status, code=code, error=error)])


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "registry.ollama.ai/library/x does not support tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice to be set'),
        (500, "tools param requires --jinja flag"),
        (404, "No endpoints found that support tool use."),
    ],
)
async def test_missing_tool_calls_are_recognised(call: Call, status: int, error: str) -> None:
    with pytest.raises(ToolsUnsupported, match="JSON actions"):
        await call([StubReply(status=status, error=error)], tools=[keyword_search])


@pytest.mark.parametrize(
    ("status", "error", "in_tool_message"),
    [
        (500, "image input is not supported - hint: provide the mmproj", False),
        (400, "Invalid content type. image_url is only supported by certain models.", False),
        (404, "No endpoints found that support image input", False),
        (400, "Image URLs are only allowed for messages with role 'user'", True),
    ],
)
async def test_missing_eyes_are_recognised(
    call: Call, status: int, error: str, in_tool_message: bool
) -> None:
    picture = HumanMessage([{"type": "image_url", "image_url": {"url": PICTURE}}])
    with pytest.raises(PicturesUnsupported, match="vision_model") as failed:
        await call([StubReply(status=status, error=error)], messages=[picture])
    assert failed.value.in_tool_message is in_tool_message


async def test_the_endpoints_own_sentence_is_given_once(call: Call) -> None:
    with pytest.raises(CallFailed) as failed:
        await call([StubReply(status=400, error="temperature must be below 2")])
    assert str(failed.value) == (
        "stub refused the request (400); the endpoint said: temperature must be below 2"
    )


async def test_an_endpoint_that_is_not_there(naps: Naps) -> None:
    with StubEndpoint(scripted([])) as stub:
        url = stub.base_url
    with pytest.raises(CallFailed, match="check base_url and that the server runs") as failed:
        await call_chat(load_chat_model("x", base_url=url), ASK, retries=1, sleep=naps)
    assert failed.value.kind == "connection"


class SyncModel(BaseChatModel):
    """A model that only knows the blocking way, and reports no tokens."""

    entered: Any
    leave: Any

    @property
    def _llm_type(self) -> str:
        return "sync"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self.entered.set()
        assert self.leave.wait(30)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("In Bergen."))])


@pytest.mark.parametrize("on_delta", [None, lambda text: None])
async def test_a_blocking_model_does_not_block_the_loop(on_delta: Any) -> None:
    model = SyncModel(entered=threading.Event(), leave=threading.Event())
    task = asyncio.create_task(call_chat(model, ASK, on_delta=on_delta))
    while not model.entered.is_set():
        await asyncio.sleep(0.001)  # would never return to here if the loop were blocked
    model.leave.set()
    reply = await task
    assert reply.message.text == "In Bergen."
    assert reply.estimated
    assert reply.usage.input_tokens == 5
    with pytest.raises(ToolsUnsupported):
        await call_chat(model, ASK, tools=[keyword_search])


async def test_a_cancelled_call_is_not_tried_again(naps: Naps) -> None:
    with StubEndpoint(scripted([StubReply("late", delay_s=HANG_S)])) as stub:
        model = load_chat_model("stub", base_url=stub.base_url)
        task = asyncio.create_task(call_chat(model, ASK, sleep=naps))
        while not stub.requests:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert naps.seconds == []


async def test_an_error_of_the_listener_is_not_the_models(naps: Naps) -> None:
    def listener(text: str) -> None:
        raise ValueError("the screen is gone")

    with pytest.raises(ValueError, match="the screen is gone"):
        await call_chat(ScriptedModel(replies=["a b"]), ASK, on_delta=listener, sleep=naps)


def test_one_model_serves_one_event_loop_after_another() -> None:
    """The client of langchain-openai kept connections of a closed loop: Event loop is closed."""
    with StubEndpoint(scripted(["a"], repeat_last=True)) as stub:
        model = load_chat_model("stub", base_url=stub.base_url)
        for other in (model, load_chat_model("stub", base_url=stub.base_url), model):
            reply = asyncio.run(call_chat(other, ASK))
            assert (reply.message.text, reply.attempts) == ("a", 1)


async def test_our_own_errors_pass_unchanged(naps: Naps) -> None:
    with pytest.raises(ModelError, match="the script is over"):
        await call_chat(ScriptedModel(replies=[]), ASK, sleep=naps)


async def test_scripted_errors_are_read_like_real_ones(naps: Naps) -> None:
    model = ScriptedModel(replies=[TimeoutError(), ConnectionResetError("gone"), "In Bergen."])
    reply = await call_chat(model, ASK, sleep=naps)
    assert reply.retried == ("timeout", "connection")


async def test_a_client_that_has_no_key_is_not_asked_again(naps: Naps) -> None:
    no_key = TypeError("Anthropic authentication failed: no API key was provided")
    with pytest.raises(CallFailed, match="needs a key: set") as failed:
        await call_chat(ScriptedModel(replies=[no_key, "never"]), ASK, sleep=naps)
    assert (failed.value.kind, failed.value.attempts) == ("key", 1)


async def test_a_conversation_with_tool_results_is_sent_as_it_is(call: Call) -> None:
    asked = {"name": "keyword_search", "args": {"query": "seat"}, "id": "call_9"}
    messages = [
        *ASK,
        AIMessage("", tool_calls=[asked]),
        ToolMessage("Bergen", tool_call_id="call_9"),
    ]
    await call(["In Bergen."], messages=messages)
    body = call.stub.requests[0]  # type: ignore[attr-defined]
    assert [m["role"] for m in body["messages"]] == ["user", "assistant", "tool"]
