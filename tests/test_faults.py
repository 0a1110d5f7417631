"""Faults at every node, through the whole machine and a real client: how each run ends.

`Bad` makes one kind of bad reply; `Sick` gives it to one role, once or always, and lets the
stand-in answer everything else.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.tools import tool

import pagehop
from pagehop.answers import Answer
from pagehop.evaluation.stand_in import Role, role_of, stand_in, written_call
from pagehop.events import Event
from pagehop.graphs.budget import Budget
from pagehop.library.view import View
from pagehop.models.chat_models import load_chat_model
from pagehop.models.stub_endpoint import StubEndpoint, StubReply, StubRequest, faulty
from pagehop.models.stub_personalities import HANG_S, Personality, ask
from pagehop.settings import load_settings

QUESTION = "What was the capital expenditure of Halden Marine in 2022?"
QUESTIONS = (
    QUESTION,
    "What was the capital expenditure of Orrin Textiles in 2021?",
    "How many people did Halden Marine employ at the end of 2021?",
    "What was the long-term debt of Orrin Textiles at the end of 2022?",
    "Where has Orrin Textiles its seat?",
    "When does the debt of Halden Marine fall due?",
)
KEY = "sk-very-secret-4f9a8b7c6d5e"
NODES: tuple[Role, ...] = ("planner", "explorer", "condenser", "answerer")
Bad = Callable[[StubRequest], StubReply]


def status(number: int, error: str, **more: Any) -> Bad:
    """Make a reply that is an HTTP error."""
    return lambda request: StubReply(status=number, error=error, **more)


def says(text: str) -> Bad:
    """Make a reply of some words."""
    return lambda request: StubReply(text)


def calls(name: str, **args: Any) -> Bad:
    """Make a reply that is a tool call, whatever was asked."""
    return lambda request: written_call(request, name, args)


PASSING: dict[str, tuple[Bad, str]] = {
    "timeout": (lambda request: StubReply("late", delay_s=HANG_S), "no reply in time"),
    "429": (status(429, "Rate limit reached", headers={"Retry-After": "0"}), "rate-limited"),
    "500": (status(500, "The server had an error"), "failed with 500"),
    "dropped": (lambda request: StubReply("The beginning of", cut="drop"), "connection"),
    "broken": (lambda request: StubReply(raw=b'{"id": "1", "choices": [{"mess'), "cannot read"),
}
"""Faults of the endpoint, which another attempt may get over; and the words of their error."""
UNUSABLE: dict[str, Bad] = {
    "empty": says(""),
    "garbage": says("\ufffd\x00 }{][ null NaN <bbox"),
    "odd types": says('{"parts": 3, "evidence": 7, "notes": 1.5, "claims": true, "calls": "x"}'),
    "odd items": says('{"parts": [3, null], "evidence": [null], "claims": [[]], "calls": [[]]}'),
    "refusal": says("I'm sorry, but I cannot help with that."),
    "endless words": says("I should look at the page again. " * 2000),
}
"""Replies of a bad model that no role can follow."""


class Sick:
    """The stand-in, but for one role that replies badly."""

    def __init__(self, role: Role, bad: Bad, times: int | None = None) -> None:
        """Give the bad reply so many times; None is always."""
        self._role, self._bad, self._left = role, bad, times
        self._honest = stand_in()

    async def __call__(self, request: StubRequest) -> StubReply:
        """Answer one request."""
        if role_of(request) != self._role or self._left == 0:
            return await ask(self._honest, request)
        self._left = None if self._left is None else self._left - 1
        return self._bad(request)


class Ended:
    """A run's answer and what its events say; made only of a run that ended validly."""

    def __init__(self, events: list[Event], view: View) -> None:
        """Check what holds of every run."""
        self.events = events
        self.answer = Answer.from_json(events[-1].body["answer"])
        self.told = json.dumps([dict(event.body) for event in events], ensure_ascii=False)
        answer = self.answer
        assert events[-1].type == "episode.end"
        assert answer.status in ("answered", "unanswerable", "exhausted", "failed")
        for citation in answer.citations:
            assert view.locate(citation.ref, citation.quote) is not None, citation
        if answer.status == "failed":
            assert len(answer.error) > 20
            assert not answer.text and not answer.citations
        assert KEY not in self.told

    def attempts(self, role: str) -> int:
        """Return the most attempts that one call of a role took."""
        ends = [e.body for e in self.events if e.type == "llm.end" and e.body["role"] == role]
        return max((int(body["attempts"]) for body in ends), default=0)

    def says(self, kind: str, words: str, **body: Any) -> bool:
        """Tell whether an event of a type has these words and values in it."""
        return any(
            event.type == kind
            and words in json.dumps(dict(event.body), ensure_ascii=False)
            and all(event.body.get(name) == value for name, value in body.items())
            for event in self.events
        )


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Waits that a test can wait for."""
    monkeypatch.setenv("PAGEHOP_RUN__RETRY_WAIT_S", "0.001")
    monkeypatch.setenv("PAGEHOP_RUN__MODEL_TIMEOUT_S", "1")
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


async def ended(personality: Personality, view: View, **options: Any) -> Ended:
    """Ask through a real client and a real endpoint."""
    client = {key: options.pop(key) for key in ("streaming",) if key in options}
    with StubEndpoint(personality) as stub:
        model = load_chat_model("stub", base_url=stub.base_url, api_key=KEY, **client)
        stream = pagehop.astream(QUESTION, view, model=model, record=False, **options)
        events = [event async for event in stream]
        assert not stub.errors
        asked = len(stub.requests)
    run = Ended(events, view)
    # Also the calls of a role that failed; one that timed out may not have reached the endpoint.
    assert run.answer.usage.model_calls >= asked
    return run


async def at_each_node(
    bad: Bad, view: View, times: int | None = None, **options: Any
) -> dict[Role, Ended]:
    """Run once for each node, with the bad reply there."""
    runs = [ended(Sick(role, bad, times), view, **options) for role in NODES]
    return dict(zip(NODES, await asyncio.gather(*runs), strict=True))


async def test_without_faults_every_question_is_answered(view: View) -> None:
    run = await ended(stand_in(), view)
    assert run.answer.status == "answered"
    assert "61.4 million crowns" in run.answer.text
    assert not run.says("error", "")


@pytest.mark.parametrize("kind", PASSING)
async def test_a_fault_that_passes_changes_nothing_but_the_record(view: View, kind: str) -> None:
    bad, _ = PASSING[kind]
    honest = await ended(stand_in(), view)
    for role, run in (await at_each_node(bad, view, times=1)).items():
        assert run.answer.text == honest.answer.text, role
        assert run.attempts(role) >= 2, role  # more where a slow machine meets the limit too


@pytest.mark.parametrize("kind", PASSING)
async def test_a_fault_that_stays_ends_the_run_as_failed(
    view: View, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, words = PASSING[kind]
    if kind == "timeout":
        monkeypatch.setenv("PAGEHOP_RUN__MODEL_TIMEOUT_S", "0.4")
        load_settings.cache_clear()
    for role, run in (await at_each_node(bad, view)).items():
        assert run.answer.status == "failed", role
        assert words in run.answer.error
        assert "given up after 5 attempts" in run.answer.error
        assert run.says("error", words, where=role), role


async def test_an_endpoint_that_asks_to_wait_too_long_is_not_waited_for(view: View) -> None:
    bad = status(429, "Rate limit reached", headers={"Retry-After": "7200"})
    for role, run in (await at_each_node(bad, view)).items():
        assert run.answer.status == "failed", role
        assert "the next attempt is due in 7200.0 s" in run.answer.error


@pytest.mark.parametrize("cut", ["drop", "end"])
async def test_a_stream_that_is_cut_is_asked_for_again(view: View, cut: Any) -> None:
    honest = await ended(stand_in(), view, streaming=True)
    assert honest.answer.status == "answered"

    def half(request: StubRequest) -> StubReply:
        return StubReply("This sentence has a beginning and then it is cut off here", cut=cut)

    for role, run in (await at_each_node(half, view, times=1, streaming=True)).items():
        assert run.answer.text == honest.answer.text, role
        assert run.attempts(role) >= 2, role  # more where a slow machine meets the limit too


@pytest.mark.parametrize("kind", UNUSABLE)
async def test_an_unusable_reply_is_told_and_repaired(view: View, kind: str) -> None:
    honest = await ended(stand_in(), view)
    times = 3 if kind == "empty" else 1  # an empty reply is first asked for again, twice
    for role, run in (await at_each_node(UNUSABLE[kind], view, times=times)).items():
        assert run.answer.text == honest.answer.text, role
        assert run.says("note", f"The reply of {role} could not be used"), role


@pytest.mark.parametrize("kind", UNUSABLE)
async def test_unusable_replies_without_end_fail_the_run(view: View, kind: str) -> None:
    for role, run in (await at_each_node(UNUSABLE[kind], view)).items():
        if (role, kind) == ("condenser", "odd items"):  # told once, then nothing is kept
            assert run.answer.status == "unanswerable"
            continue
        assert run.answer.status == "failed", role
        assert f"no usable reply as {role}" in run.answer.error
        assert run.says("error", "no usable reply"), role


async def test_a_tool_that_does_not_exist_is_answered_with_those_that_do(view: View) -> None:
    bad = calls("open_website", url="http://example.com")
    once = await at_each_node(bad, view, times=1)
    assert {run.answer.status for run in once.values()} == {"answered"}
    always = await at_each_node(bad, view)
    for runs in (once, always):
        assert runs["explorer"].says("tool.end", "There is no tool 'open_website'", ok=False)
        assert runs["condenser"].says("note", "No tool can be called now")
        assert runs["planner"].says("note", "could not be used")
        assert runs["answerer"].says("note", "could not be used")
    assert {run.answer.status for run in always.values()} == {"failed"}
    assert "no tool call gave a result: open_website" in always["explorer"].answer.error


@pytest.mark.parametrize("args", [{"nonsense": 1}, {}, {"query": "x", "k": "many"}])
async def test_wrong_arguments_are_answered_with_the_right_ones(view: View, args: Any) -> None:
    once = await ended(Sick("explorer", calls("semantic_search", **args), 1), view)
    assert once.answer.status == "answered"
    assert once.says("tool.end", "argument", tool="semantic_search", ok=False)
    assert once.says("tool.end", "kinds", tool="semantic_search", ok=False)  # shows its arguments
    always = await ended(Sick("explorer", calls("semantic_search", **args)), view)
    assert always.answer.status == "failed"
    assert "no tool call gave a result: semantic_search" in always.answer.error


async def test_arguments_that_are_no_json_are_told(view: View) -> None:
    def bad(request: StubRequest) -> StubReply:
        return StubReply(tool_calls=[{"name": "semantic_search", "args": "no JSON"}])

    once = await ended(Sick("explorer", bad, 1), view)
    assert once.answer.status == "answered"
    assert once.says("note", "are not a JSON object")
    assert (await ended(Sick("explorer", bad), view)).answer.status == "failed"


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_call_whose_arguments_are_cut_off_is_not_made(view: View, streaming: bool) -> None:
    """Clients mend arguments of a stream: `{"query": "where Or` became a search for these words."""

    def bad(request: StubRequest) -> StubReply:
        cut_off = {"name": "semantic_search", "args": '{"query": "where Orri'}
        whole = {"name": "keyword_search", "args": '{"query": "Halden"}'}
        return StubReply(tool_calls=[whole, cut_off], finish_reason="length")

    run = await ended(Sick("explorer", bad, 1), view, streaming=streaming)
    assert run.answer.status == "answered"
    assert not run.says("tool.start", "where Orri")
    assert not run.says("tool.start", "", tool="keyword_search")  # nothing of a refused reply runs
    assert run.says("note", "The arguments of semantic_search are not a JSON object")


async def test_one_call_repeated_without_end_ends_the_run(view: View) -> None:
    bad = calls("keyword_search", query="orders")
    runs = await at_each_node(bad, view)
    stuck = runs["explorer"]
    assert stuck.answer.status in ("unanswerable", "exhausted")
    assert 'for "orders"' in stuck.answer.text
    assert stuck.says("tool.end", "", cached=True)
    assert stuck.answer.usage.tool_calls == 1
    assert {runs[role].answer.status for role in NODES if role != "explorer"} == {"failed"}


async def test_a_model_that_never_stops_is_stopped_by_the_budget(view: View) -> None:
    numbers = iter(range(1000))

    def bad(request: StubRequest) -> StubReply:
        return written_call(request, "keyword_search", {"query": f"plant {next(numbers)}"})

    run = await ended(Sick("explorer", bad), view, budget=Budget(steps=3))
    assert run.answer.status in ("unanswerable", "exhausted")
    assert run.answer.usage.steps == 3
    assert run.says("note", "Budget nearly spent")


async def test_a_tool_that_hangs_is_given_up(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGEHOP_RUN__TOOL_TIMEOUT_S", "0.5")
    load_settings.cache_clear()
    free = threading.Event()

    @tool
    def exchange_rate(currency: str) -> str:
        """Say what a crown costs."""
        free.wait(60)
        return "nothing"

    bad = calls("exchange_rate", currency="EUR")
    try:
        once = await ended(Sick("explorer", bad, 1), view, tools=[exchange_rate])
        always = await ended(Sick("explorer", bad), view, tools=[exchange_rate])
    finally:
        free.set()
    for run in (once, always):
        assert run.says("error", "timeout after", where="exchange_rate")
        assert run.says("tool.end", "was given up", ok=False)
    assert once.answer.status == "answered"
    assert any("exchange_rate: timeout" in warning for warning in once.answer.warnings)
    assert always.answer.status == "failed"
    assert "exchange_rate" in always.answer.error


async def test_a_prompt_that_is_too_long_is_shortened_or_said_to_be(view: View) -> None:
    words = "This model's maximum context length is 512 tokens."
    bad = status(400, words, code="context_length_exceeded")
    for role, run in (await at_each_node(bad, view, times=1)).items():
        assert run.answer.status == "answered", role
        assert run.says("note", f"The prompt of {role} was too long"), role
    for role, run in (await at_each_node(bad, view)).items():
        assert run.answer.status == "failed", role
        assert "too long" in run.answer.error
        assert run.says("error", "ContextOverflow", where=role), role


async def test_a_refused_key_ends_the_run_at_once_and_is_not_shown(view: View) -> None:
    bad = status(401, f"Incorrect API key provided: {KEY}")
    for role, run in (await at_each_node(bad, view)).items():
        assert run.answer.status == "failed", role
        assert "set OPENAI_API_KEY" in run.answer.error
        assert run.says("error", "was refused (401)", where=role), role


async def test_an_endpoint_that_refuses_tools_and_schemas_is_asked_for_plain_json(
    view: View,
) -> None:
    honest = stand_in()

    async def picky(request: StubRequest) -> StubReply:
        if request.tools:
            return StubReply(status=400, error="this model does not support tools")
        if request.schema is not None:
            return StubReply(status=400, error="response_format is not allowed here")
        return await ask(honest, request)

    run = await ended(picky, view)
    assert run.answer.status == "answered"
    assert run.says("note", "takes no tool calls")
    assert sum("takes no JSON schema" in str(event.body) for event in run.events) == 1


async def test_with_the_json_grammar_each_role_is_held_to_its_schema(
    view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEHOP_RUN__GRAMMAR", "json")
    load_settings.cache_clear()
    asked: dict[str, Any] = {}
    honest = stand_in()

    async def watched(request: StubRequest) -> StubReply:
        asked[role_of(request)] = request.schema
        return await ask(honest, request)

    run = await ended(watched, view)
    assert run.answer.status == "answered"
    looks, keeps, done = asked["explorer"]["anyOf"]
    needed = {role: schema.get("required") for role, schema in asked.items()}
    assert needed == {
        "planner": ["parts"],
        "explorer": None,
        "condenser": ["evidence", "parts", "sufficient"],
        "answerer": ["claims", "unanswerable"],
    }
    assert looks["required"] == ["thought", "calls"] and done["required"] == ["thought", "done"]
    assert keeps["required"] == ["thought", "evidence", "parts", "sufficient"]
    named = asked["answerer"]["properties"]["claims"]["items"]["properties"]["evidence"]["items"]
    assert named["enum"] == ["E1"]
    tools = looks["properties"]["calls"]["items"]["anyOf"]
    search = next(t for t in tools if t["properties"]["tool"]["enum"] == ["semantic_search"])
    assert search["properties"]["arguments"]["required"] == ["query"]


async def ends(view: View, faults: float, runs: int) -> list[tuple[str, str, str]]:
    """Ask several questions at once, some more than once; return how each run ended."""
    with StubEndpoint(stand_in(), faults=faults, seed=1) as stub:
        model = load_chat_model("stub", base_url=stub.base_url)
        at_once = asyncio.Semaphore(4)

        async def one(question: str) -> tuple[str, str, str]:
            async with at_once:
                answer = await pagehop.aask(question, view, model=model, record=False)
            return question, answer.status, answer.text

        return await asyncio.gather(*(one(QUESTIONS[i % len(QUESTIONS)]) for i in range(runs)))


async def test_of_runs_with_random_faults_as_good_as_all_end_as_without(view: View) -> None:
    honest = {question: end for question, *end in await ends(view, 0.0, len(QUESTIONS))}
    assert Counter(status for status, _ in honest.values())["answered"] >= 5
    for question, *end in await ends(view, 0.05, 30):
        assert end == honest[question]


async def test_random_bad_replies_of_every_kind_end_validly(view: View) -> None:
    kinds: Any = ("garbage", "wrong_tool", "wrong_arguments", "repeat", "refusal", "empty")
    for seed in range(6):
        await ended(faulty(0.4, stand_in(), kinds=kinds, seed=seed), view)
