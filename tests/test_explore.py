"""The main machine, driven by small roles that are written here."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from pagehop.agents.moves import (
    Call,
    Claim,
    Context,
    Draft,
    Explore,
    Finding,
    Reflection,
    Roles,
    SubQuestion,
    Summary,
    Verdict,
)
from pagehop.events import Event
from pagehop.graphs.calls import ToolRunner
from pagehop.graphs.explore import build
from pagehop.graphs.state import Question
from pagehop.library.view import View
from pagehop.tools.toolset import toolset
from pagehop.types import PageRef
from small_roles import (
    ASKED,
    LOOP,
    REPORT,
    REVENUE,
    bodies,
    calls,
    keeps,
    nodes,
    read,
    roles,
    run,
    seen_by,
    states,
)

SNAPSHOT = Path(__file__).parent / "snapshots" / "explore.mmd"


async def test_a_question_is_answered_with_a_located_citation(view: View) -> None:
    answer, events = await run(view, roles())
    assert (answer.status, answer.text) == ("answered", f"{REVENUE}, [1]")
    (citation,) = answer.citations
    assert citation.ref == PageRef(REPORT, 1)
    assert citation.document == "Halden 2022 annual report.pdf"
    assert citation.verified and citation.evidence == "E1"
    assert 0 < citation.box[0] < citation.box[2] < 1
    assert nodes(events) == ["plan", *LOOP, "answer", "verify"]
    assert (events[0].type, events[-1].type) == ("episode.start", "episode.end")
    body = events[-1].body
    assert body == {
        "status": "answered", "answer": answer.to_json(), "question": ASKED["question"]
    }  # fmt: skip
    assert answer.usage.steps == answer.usage.rounds == answer.usage.tool_calls == 1
    assert answer.usage.seconds > 0


async def test_event_ids_come_from_episode_step_and_call_and_are_unique(view: View) -> None:
    _, events = await run(view, roles())
    episode = events[0].episode_id
    ids = [event.id for event in events]
    assert len(set(ids)) == len(ids)
    assert all(name.startswith(f"{episode}/") for name in ids)
    assert {f"{episode}/1/s1c1.start", f"{episode}/1/s1c1.end", f"{episode}/1/E1"} <= set(ids)


async def test_events_come_through_the_custom_stream(view: View) -> None:
    machine = build(view, roles(), tools=toolset(view, images="text"))
    events: list[Event] = []
    async for event in machine.astream(ASKED, stream_mode="custom"):
        assert isinstance(event, Event)
        events.append(event)
    assert nodes(events)[-1] == "verify"


async def test_observations_leave_when_the_round_closes(view: View) -> None:
    given = roles(
        explorer=lambda context: Explore((read(context.step),), done=True),
        summarizer=lambda context: keeps("crowns", page=context.step)(context),
        reflector=lambda context: Reflection(sufficient=context.step == 2),
    )
    await run(view, given)
    shown = [[o.call.id for o in context.observations] for context in seen_by(given.summarizer)]
    assert shown == [["s1c1"], ["s2c1"]]
    assert seen_by(given.explorer)[1].observations == ()
    assert [call.id for call in seen_by(given.explorer)[1].tried] == ["s1c1"]


async def test_a_round_closes_after_its_steps(view: View) -> None:
    given = roles(explorer=lambda context: Explore((read(context.step),)))
    _, events = await run(view, given, effort="high")
    assert nodes(events)[:6] == ["plan", "explore", "act", "explore", "act", "summarize"]


async def test_low_effort_is_one_step_without_reflection(view: View) -> None:
    answer, events = await run(view, roles(explorer=calls(read(), done=False)), effort="low")
    assert nodes(events) == ["plan", "explore", "act", "summarize", "answer", "verify"]
    assert answer.status == "answered"


async def test_several_calls_of_one_step_run_at_once(view: View) -> None:
    together = asyncio.Barrier(3)

    @tool
    async def meet(name: str) -> str:
        """Wait until three calls are under way."""
        await together.wait()
        return f"{name} was there"

    asked = [Call("meet", {"name": name}) for name in "abc"]
    answer, events = await run(view, roles(explorer=calls(*asked, read())), tools=[meet])
    assert [body["ok"] for body in bodies(events, "tool.end")] == [True] * 4
    assert answer.status == "answered"


async def test_an_identical_call_is_answered_from_the_cache_and_counted(view: View) -> None:
    ran: list[str] = []

    @tool
    def lookup(word: str, k: int = 5) -> str:
        """Look a word up."""
        ran.append(word)
        return f"{word} {k}"

    same = (
        Call("lookup", {"word": "sea"}),
        Call("lookup", {"k": 5, "word": " sea "}),
        Call("lookup", {"word": "sea", "k": "5"}),
    )
    given = roles(
        explorer=lambda context: Explore((*same, read()), done=context.step == 2),
        reflector=lambda context: Reflection(sufficient=True),
    )
    answer, events = await run(view, given, tools=[lookup])
    assert ran == ["sea"]
    assert (answer.usage.tool_calls, answer.usage.repeated_calls) == (2, 6)
    ends = {body["call"]: body for body in bodies(events, "tool.end")}
    assert [ends[call]["cached"] for call in ("s1c1", "s1c2", "s2c1")] == [False, True, True]
    assert ends["s2c1"]["text"] == "sea 5"


async def test_the_encoder_is_loaded_before_the_time_of_a_search_runs(
    view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine the first search was given up at 30 s, while the encoder was loading."""
    order: list[str] = []
    load, run_calls = view._encoder, ToolRunner.run

    def loaded() -> Any:
        order.append("load")
        return load()

    monkeypatch.setattr(view, "_encoder", loaded)

    async def ran(self: ToolRunner, *given: Any, **more: Any) -> Any:
        order.append("run")
        return await run_calls(self, *given, **more)

    monkeypatch.setattr(ToolRunner, "run", ran)
    search = Call("semantic_search", {"query": "revenue", "k": 1}, sub_question="Q1")
    answer, _ = await run(view, roles(explorer=calls(search, read())))
    assert answer.status == "answered"
    assert order[:2] == ["load", "run"]
    order.clear()
    await run(view, roles(explorer=calls(read())))
    assert order == ["run"], "nothing is loaded for a tool that compares nothing"


async def test_findings_that_are_not_on_their_page_are_dropped_and_that_is_said(
    view: View,
) -> None:
    def made_up(context: Context) -> Summary:
        page, call = PageRef(REPORT, 1), context.observations[0].call.id
        return Summary(
            (
                Finding(page, "Revenue rose to 999.9 million crowns", call, 1.0, "Q1"),
                Finding(PageRef(REPORT, 9), "Revenue", call, 1.0, "Q1"),
                Finding(page, REVENUE, "s9c9", 1.0, "Q1"),
                Finding(page, REVENUE, call, 1.0, "Q1"),
                Finding(page, f"{REVENUE} ", call, 1.0, "Q1"),
            )
        )

    answer, events = await run(view, roles(summarizer=made_up))
    notes = [body["text"] for body in bodies(events, "note")]
    assert len(notes) == 3
    assert "999.9" in notes[0] and f"not on {REPORT}:1" in notes[0]
    assert "page 9 does not exist" in notes[1]
    assert "s9c9" in notes[2]
    assert [body["id"] for body in bodies(events, "evidence")] == ["E1"]
    assert len(answer.citations) == 1


async def test_barren_rounds_change_the_strategy_once_and_then_end_the_run(view: View) -> None:
    given = roles(
        explorer=lambda context: Explore((read(context.step),), done=True),
        summarizer=lambda context: Summary(),
        reflector=lambda context: Reflection(sufficient=False, missing="everything"),
    )
    answer, events = await run(view, given)
    assert nodes(events) == ["plan", *LOOP * 3, "answer", "verify"]
    assert [context.strategy for context in seen_by(given.explorer)] == [0, 0, 1]
    assert "changing strategy" in bodies(events, "note")[0]["text"]
    assert answer.status == "unanswerable"
    assert answer.text == "The documents do not answer this. Looked into 4 documents; read 3 pages."


async def test_leads_that_run_out_after_something_was_found_give_the_best_answer_so_far(
    view: View,
) -> None:
    given = roles(reflector=lambda context: Reflection(sufficient=False))
    answer, _ = await run(view, given)
    assert answer.status == "exhausted"
    assert answer.text == f"{REVENUE}, [1]"
    assert "best answer so far" in answer.warnings[0]
    assert "no further lead" in answer.warnings[0]


async def test_a_reflector_that_gives_up_ends_the_run_and_says_what_was_searched(
    view: View,
) -> None:
    search = Call("keyword_search", {"query": "dividend"})
    given = roles(
        explorer=calls(search),
        summarizer=lambda context: Summary(),
        reflector=lambda context: Reflection(sufficient=False, give_up=True),
        answerer=lambda context: Draft(unanswerable=True, reason="No dividend is mentioned."),
    )
    answer, _ = await run(view, given)
    assert answer.status == "unanswerable" and not answer.citations
    assert answer.text == 'No dividend is mentioned. Searched 4 documents for "dividend".'


async def test_verify_sends_the_run_back_once(view: View) -> None:
    given = roles(
        explorer=lambda context: Explore((read(context.step),), done=True),
        summarizer=lambda context: keeps("crowns", page=context.step)(context),
        reflector=lambda context: Reflection(sufficient=True),
        answerer=states(Claim("Revenue was 12.5 crowns.", ("E1",)), Claim("It rose.", ("E1",))),
    )
    answer, events = await run(view, given)
    assert nodes(events) == ["plan", *[*LOOP, "answer", "verify"] * 2]
    reflection = seen_by(given.explorer)[1].reflection
    assert reflection is not None and reflection.missing == "Revenue was 12.5 crowns."
    assert answer.status == "answered" and answer.text == "It rose. [1]"
    assert answer.warnings == (
        "Removed from the answer, because 12.5 is in none of its quotes or calculations: "
        "Revenue was 12.5 crowns.",
    )


async def test_an_answer_without_a_supported_claim_is_unanswerable(view: View) -> None:
    answer, _ = await run(view, roles(answerer=states(Claim("It was 12.5.", ("E1",)))))
    assert answer.status == "unanswerable" and not answer.citations
    assert answer.text.startswith("No claim of the answer could be verified")


async def test_citations_are_numbered_as_the_text_meets_them_and_each_place_once(
    view: View,
) -> None:
    given = roles(
        summarizer=keeps("employed 1925 people", REVENUE),
        answerer=states(
            Claim("Revenue rose.", ("E2",)),
            Claim("There were 1,925 people.", ("E1",)),
            Claim("Both are told.", ("E1", "E2")),
        ),
    )
    answer, _ = await run(view, given)
    assert answer.text == "Revenue rose. [1] There were 1,925 people. [2] Both are told. [2][1]"
    assert [citation.quote for citation in answer.citations] == [
        f"{REVENUE},",
        "employed 1925 people",
    ]


async def test_notes_that_the_reasoner_takes_stay_after_the_round(view: View) -> None:
    given = roles(
        explorer=lambda context: Explore((Call("note", {"text": "see page 2"}), read()), done=True),
        reflector=lambda context: Reflection(sufficient=context.step == 2),
        summarizer=keeps(REVENUE),
    )
    await run(view, given)
    assert seen_by(given.explorer)[1].notes == ("see page 2",)


async def test_a_degraded_search_is_told_to_the_user_once(view: View) -> None:
    @tool(response_format="content_and_artifact")
    def search(word: str) -> tuple[str, dict[str, Any]]:
        """Search without vectors."""
        share = {"a": 8, "b": 7}[word]
        return "nothing", {"hits": [], "note": f"{share}% of the vectors are missing."}

    asked = [Call("search", {"word": word}) for word in "ab"]
    answer, _ = await run(view, roles(explorer=calls(*asked, read())), tools=[search])
    assert answer.warnings == ("7% of the vectors are missing.",)


async def test_a_new_question_on_the_same_thread_sees_nothing_of_the_old_one(view: View) -> None:
    given = roles()
    machine = build(view, given, tools=toolset(view, images="text"), checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    first = await machine.ainvoke(ASKED, config)
    second = await machine.ainvoke(Question(question="And again?"), config)
    assert first["episode_id"] != second["episode_id"]
    assert second["answer"].question == "And again?"
    assert [len(context.evidence) for context in seen_by(given.explorer)] == [0, 0]
    assert second["answer"].usage.steps == 1


async def test_runs_of_one_machine_do_not_share_what_their_roles_remember(view: View) -> None:
    made: list[Roles] = []

    def make() -> Roles:
        made.append(roles())
        return made[-1]

    machine = build(view, make, tools=toolset(view, images="text"))
    answers = await asyncio.gather(*(machine.ainvoke(ASKED) for _ in range(3)))
    assert len(made) == 3
    assert {state["answer"].text for state in answers} == {f"{REVENUE}, [1]"}
    assert {state["answer"].usage.tool_calls for state in answers} == {1}


@pytest.mark.parametrize("after", ["plan", "explore", "act", "summarize", "reflect", "answer"])
async def test_a_killed_run_is_resumed_to_the_same_end(
    view: View, after: str, tmp_path: Path
) -> None:
    def two_rounds() -> Roles:
        return roles(
            explorer=lambda context: Explore(
                (read(context.step), Call("calculate", {"expression": "455.9 - 412.6"})),
                done=True,
            ),
            summarizer=lambda context: keeps(
                f"{REVENUE}, from 412.6 million crowns" if context.step == 1 else "crowns",
                page=context.step,
            )(context),
            reflector=lambda context: Reflection(
                sufficient=context.step == 2, sub_questions=context.sub_questions
            ),
            answerer=lambda context: Draft(
                (
                    *(Claim("It rose.", (item.id,)) for item in context.evidence),
                    Claim("By 43.3.", ("E1",), ("s1c2",)),
                )
            ),
        )

    config: Any = {"configurable": {"thread_id": "t"}}
    asked = Question(**ASKED, episode_id="one")
    tools = toolset(view, images="text")
    whole = await build(view, two_rounds(), tools=tools).ainvoke(asked)

    events: list[Event] = []
    database = str(tmp_path / "runs.db")
    async with AsyncSqliteSaver.from_conn_string(database) as saver:
        machine = build(view, two_rounds(), tools=tools, checkpointer=saver, sinks=(events.append,))
        async for update in machine.astream(asked, config, durability="sync"):
            if after in update:
                break
    async with AsyncSqliteSaver.from_conn_string(database) as saver:
        machine = build(view, two_rounds(), tools=tools, checkpointer=saver, sinks=(events.append,))
        resumed = await machine.ainvoke(None, config)

    assert resumed["answer"].text == whole["answer"].text
    assert resumed["answer"].citations == whole["answer"].citations
    counted = ("steps", "rounds", "tool_calls", "repeated_calls")
    assert [getattr(resumed["answer"].usage, name) for name in counted] == [
        getattr(whole["answer"].usage, name) for name in counted
    ]
    assert resumed["evidence"] == whole["evidence"]
    assert {event.episode_id for event in events} == {"one"}
    assert nodes(list({event.id: event for event in events}.values())) == [
        "plan", *LOOP, *LOOP, "answer", "verify"
    ]  # fmt: skip


@dataclass(frozen=True)
class Stranger:
    """No type of the state."""

    word: str


async def test_a_checkpoint_brings_back_the_state_types_and_no_other_class(view: View) -> None:
    saver = InMemorySaver()
    machine = build(view, roles(), tools=toolset(view, images="text"), checkpointer=saver)
    assert isinstance(machine.checkpointer, InMemorySaver)
    serde = machine.checkpointer.serde
    verdict = Verdict((Claim("a", ("E1",)),), ((Claim("b", ()), "why"),))
    for value in (read(), verdict, SubQuestion("Q1", "x", documents=("d",))):
        assert serde.loads_typed(saver.serde.dumps_typed(value)) == value
    stored = saver.serde.dumps_typed(Stranger("x"))
    assert not isinstance(serde.loads_typed(stored), Stranger)


def test_the_graph_is_the_one_that_is_documented(view: View) -> None:
    drawn = build(view, roles(), tools=()).get_graph().draw_mermaid()
    if "PAGEHOP_UPDATE_SNAPSHOTS" in os.environ:
        SNAPSHOT.write_text(drawn)
    assert drawn == SNAPSHOT.read_text()
