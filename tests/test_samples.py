"""Several samples of one question: which answer is chosen, what they spend, what is told."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

import pagehop
from pagehop import Budget, ConfigError
from pagehop.answers import Answer, Citation, Status, Usage
from pagehop.graphs.adjudicate import adjudicate
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from pagehop.trajectories.reading import read_run

QUESTION = "What was the revenue of Halden Marine in 2022?"
REPORT = "Halden_2022_annual_report"


def answer(text: str, status: Status = "answered", verified: int = 1) -> Answer:
    cited = [Citation("d.pdf", "d", i, (0, 0, 1, 1), "q", i <= verified) for i in (1, 2)]
    found = tuple(cited) if status in ("answered", "exhausted") else ()
    return Answer(QUESTION, text, status, found, Usage(steps=2, model_calls=5, seconds=1.5))


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ([answer("455.9", "failed"), answer("None.", "unanswerable")], 1),
        ([answer("None.", "unanswerable"), answer("455.9", "exhausted")], 1),
        ([answer("455.9", "exhausted"), answer("412.6", "answered")], 1),
        ([answer("412.6"), answer("It was 455.9 million."), answer("455,900,000 crowns.")], 1),
        ([answer("412.6 [1]"), answer("In Bergen, 455.9."), answer("455.9 [1]", verified=2)], 2),
        ([answer("The plant is at Braga."), answer("At Skarvoy."), answer("Skarvoy is it.")], 1),
        ([answer("No, it fell."), answer("Yes. It rose."), answer("Yes, by much.")], 1),
        ([answer("412.6", verified=2), answer("455.9")], 0),
        ([answer("it rose a lot"), answer("it fell a bit"), answer("it rose a whole lot")], 0),
    ],
)
def test_the_answer_of_most_samples_then_with_most_verified_citations(
    given: list[Answer], chosen: int
) -> None:
    assert adjudicate(given).chosen == chosen


def test_usage_is_that_of_all_samples_and_a_warning_says_how_they_differ() -> None:
    one = adjudicate([answer("455.9"), answer("412.6 [1]"), answer("It was 455.9.")]).answer
    assert (one.usage.steps, one.usage.model_calls, one.usage.seconds) == (6, 15, 1.5)
    assert one.warnings == ("2 of 3 samples gave this answer; 1 said: 412.6.",)
    assert adjudicate([answer("455.9"), answer("It was 455.9.")]).answer.warnings == ()
    broken = [answer("", "failed"), answer("None.", "unanswerable"), answer("455.9")]
    assert "1 failed; 1 found no answer" in adjudicate(broken).answer.warnings[-1]


def says(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
    """Answer by what the prompt shows."""
    first, last = str(messages[0].content), str(messages[-1].content)
    if first.startswith("You plan"):
        return json.dumps({"parts": [{"id": "Q1", "text": QUESTION}]})
    if first.startswith("You write the answer"):
        return json.dumps({"claims": [{"text": "It was 455.9 million.", "evidence": ["E1"]}]})
    if "The round ends here" in last:
        kept = {"ref": f"{REPORT}:1", "quote": "Revenue rose to 455.9 million crowns"}
        return json.dumps({"evidence": [kept], "sufficient": True})
    if any(message.type == "tool" for message in messages):
        return "Read it."
    return {
        "content": "Read.",
        "tool_calls": [{"name": "read_page", "args": {"ref": f"{REPORT}:1"}}],
    }


def test_samples_run_at_once_and_share_the_budget(view: View, tmp_path: Path) -> None:
    together = asyncio.Barrier(3)

    async def meets(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        if str(messages[0].content).startswith("You plan"):
            await together.wait()
        return says(messages, tools)

    budget = Budget(steps=6, tool_calls=6, model_calls=21, tokens=120_000)
    model = ScriptedModel(replies=meets)
    options: Any = {"model": model, "samples": 3, "budget": budget, "record": tmp_path}
    got = pagehop.ask(QUESTION, view, **options)
    assert (got.status, got.text) == ("answered", "It was 455.9 million. [1]")
    assert got.usage.model_calls == len(model.calls) == 15
    assert got.usage.steps == 6 and got.usage.tool_calls == 3
    run = read_run(Path(got.trajectory))
    assert [episode.status for episode in run.episodes] == ["answered"] * 4
    assert run.episodes[0].events[0].body["samples"] == [e.episode_id for e in run.episodes[1:]]


def test_a_stream_of_samples_ends_with_the_answer_that_was_chosen(view: View) -> None:
    model = ScriptedModel(replies=says)
    events = list(pagehop.stream(QUESTION, view, model=model, samples=2, record=False))
    ends = [event for event in events if event.type == "episode.end"]
    assert len({event.episode_id for event in events}) == 3
    assert len(ends) == 3 and ends[-1] is events[-1]
    assert ends[-1].episode_id == events[0].episode_id
    assert ends[-1].body["sample"] in {end.episode_id for end in ends[:2]}
    assert Answer.from_json(events[-1].body["answer"]).usage.model_calls == 10


def test_one_sample_that_fails_does_not_end_the_others(view: View) -> None:
    plans = iter([ValueError("no"), None])

    def fails_once(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        if str(messages[0].content).startswith("You plan") and (error := next(plans)):
            raise error
        return says(messages, tools)

    model = ScriptedModel(replies=fails_once)
    got = pagehop.ask(QUESTION, view, model=model, samples=2, record=False)
    assert got.status == "answered"
    assert "1 of 2 samples gave this answer; 1 failed" in got.warnings[-1]


def test_closing_a_stream_of_samples_ends_all_of_them(view: View) -> None:
    hanging = []

    async def hangs(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        hanging.append(1)
        try:
            await asyncio.sleep(60)
        finally:
            hanging.pop()

    model = ScriptedModel(replies=hangs)
    events = pagehop.stream(QUESTION, view, model=model, samples=2, record=False)
    next(iter(events))
    events.close()  # type: ignore[attr-defined]  # a generator
    assert not hanging


def test_samples_the_budget_is_too_small_for_are_refused(view: View) -> None:
    with pytest.raises(ConfigError, match=r"steps=2.* too small for samples=3"):
        pagehop.ask(QUESTION, view, samples=3, budget=Budget(steps=2))
    for wrong in (0, 65, True, "2"):
        with pytest.raises(ConfigError, match="samples="):
            pagehop.ask(QUESTION, view, samples=wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="ask and stream"):
        pagehop.graph("explore", view, samples=2)
