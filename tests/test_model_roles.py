"""A scripted chat model in the loop: what it is asked, what becomes of its replies."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

import pagehop
from pagehop.answers import Answer
from pagehop.errors import ModelError
from pagehop.graphs.budget import Budget
from pagehop.interfaces.conversation import Conversation
from pagehop.interfaces.replays import replay
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from pagehop.settings import load_settings
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.segments import undeclared
from scripted_runs import (
    DONE,
    FIRST,
    PLAN,
    QUESTION,
    QUOTE,
    READ,
    REPORT,
    SEARCH,
    claim,
    keep,
    roles_of,
    run,
)


def test_a_model_searches_reads_keeps_and_answers_with_a_verified_citation(view: View) -> None:
    answer, model = run(view, [PLAN, SEARCH, READ, DONE, keep(), claim()])
    assert answer.status == "answered"
    assert answer.text == "It was 455.9 million crowns. [1]"
    (citation,) = answer.citations
    assert (citation.name, citation.page, citation.verified) == (REPORT, 1, True)
    assert QUOTE in citation.quote
    assert roles_of(model) == ["planner", *["explorer"] * 3, "condenser", "answerer"]
    assert answer.usage.model_calls == 6
    assert answer.usage.input_tokens > 1000


@pytest.mark.parametrize("effort", ["medium", "high"])
def test_a_plan_that_searches_and_a_reader_that_ends_the_round_save_two_calls(
    view: View, effort: str
) -> None:
    plan = json.dumps({**json.loads(PLAN), "calls": [FIRST, {"tool": "rm"}, "nonsense"]})
    judged = ['{"parts": [{"id": "Q1", "state": "answered"}], "sufficient": true}']
    replies = [plan, keep(), *(judged if effort == "high" else []), claim()]
    answer, model = run(view, replies, effort=effort)
    assert (answer.status, answer.citations[0].verified) == ("answered", True)
    assert roles_of(model)[:2] == ["planner", "explorer"] and roles_of(model)[-1] == "answerer"
    assert "condenser" not in roles_of(model)
    assert (answer.usage.steps, answer.usage.tool_calls) == (2, 1)


def test_the_reply_that_ends_a_round_may_hold_its_calculations(view: View, tmp_path: Path) -> None:
    """A step was spent on a difference of two numbers that were both in sight."""
    plan = json.dumps({**json.loads(PLAN), "calls": [FIRST]})
    quote = f"{QUOTE}, from 412.6 million crowns in 2021"
    kept = {**json.loads(keep(quote)), "calculations": ["455.9 - 412.6", "C1", ""]}
    draft = {"text": "It grew by 43.3 million.", "evidence": ["E1"], "calculations": ["C1"]}
    wrong = json.dumps({**kept, "calculations": ["455.9 minus 412.6"]})
    replies = [plan, wrong, json.dumps(kept), json.dumps({"claims": [draft]})]
    answer, model = run(view, replies, record=tmp_path)
    assert roles_of(model) == ["planner", "explorer", "condenser", "answerer"]
    assert "The calculation cannot be made" in str(model.calls[2].messages[-1].content)
    assert "C1: 455.9 - 412.6 = 43.3" in str(model.calls[3].messages[-1].content)
    assert "43.3 million" in answer.text and answer.citations[0].verified
    assert (answer.usage.steps, answer.usage.tool_calls) == (2, 2)
    (episode,) = read_run(answer.trajectory).episodes
    assert [call.tool for call in episode.tool_calls] == ["semantic_search", "calculate"]
    assert not undeclared(episode)
    played = replay(answer.trajectory, episode.episode_id)
    assert played.differences == () and played.answers_alike and not played.warnings


def test_effort_low_computes_what_its_one_round_kept(view: View) -> None:
    """With one step there was none in which `calculate` could be called."""
    quote = f"{QUOTE}, from 412.6 million crowns in 2021"
    kept = json.dumps(
        {**json.loads(keep(quote)), "calculations": ["(455.9 - 412.6) / 412.6 * 100"]}
    )
    draft = {"text": "It grew by about 10.5 %.", "evidence": ["E1"], "calculations": ["C1"]}
    answer, model = run(view, [kept, json.dumps({"claims": [draft]})], effort="low")
    assert roles_of(model) == ["condenser", "answerer"]
    assert answer.text.startswith("It grew by about 10.5 %.") and answer.usage.steps == 1


def test_a_plan_may_list_documents_before_anything_is_searched(view: View) -> None:
    calls = [{"tool": "list_documents", "arguments": {}}, FIRST]
    plan = json.dumps({**json.loads(PLAN), "calls": calls})
    _, model = run(view, [plan, keep(), claim()])
    made = next(m for m in model.calls[1].messages if isinstance(m, AIMessage)).tool_calls
    assert [call["name"] for call in made] == ["list_documents", "semantic_search"]


def test_what_was_wrong_in_a_round_that_the_reader_ended_is_asked_again(view: View) -> None:
    plan = json.dumps({**json.loads(PLAN), "calls": [FIRST]})
    answer, model = run(view, [plan, keep("Revenue fell to 3.1 crowns"), keep(), claim()])
    assert roles_of(model) == ["planner", "explorer", "condenser", "answerer"]
    assert "These words are not on" in str(model.calls[2].messages[-1].content)
    assert answer.citations[0].verified


def test_within_a_round_every_prompt_extends_the_one_before(view: View) -> None:
    _, model = run(view, [PLAN, SEARCH, READ, DONE, keep(), claim()])
    explored = [call.messages for call in model.calls[1:5]]
    for before, after in itertools.pairwise(explored):
        assert list(after[: len(before)]) == list(before)
    kinds = [HumanMessage, AIMessage, ToolMessage, HumanMessage]
    assert [type(message) for message in explored[1][3:]] == kinds


def test_observations_leave_when_a_round_ends_and_evidence_and_notes_stay(view: View) -> None:
    other = {"name": "keyword_search", "args": {"query": "Skarvoy"}}
    again = {"content": "Again.", "tool_calls": [other]}
    replies = [PLAN, SEARCH, READ, DONE, keep(sufficient=False), again]
    done = json.dumps({"parts": [{"id": "Q1", "state": "answered"}], "sufficient": True})
    _, model = run(view, [*replies, DONE, done, claim()])
    second = model.calls[5].messages
    assert not any(isinstance(m, ToolMessage) for m in second)
    assert QUOTE in str(second[2].content)
    assert "the amounts are in crowns" in str(second[2].content)


def test_a_quote_that_is_not_on_its_page_is_told_once_and_then_left_out(view: View) -> None:
    wrong = keep("Revenue rose to 999 billion crowns")
    answer, model = run(view, [PLAN, READ, DONE, wrong, keep(), claim()])
    assert "not on Halden_2022_annual_report:1" in str(model.calls[4].messages[-1].content)
    assert answer.status == "answered"
    answer, _ = run(view, [PLAN, READ, DONE, wrong, wrong, SEARCH, DONE, wrong, wrong])
    assert answer.status == "unanswerable"
    assert not answer.citations


def test_a_claim_without_evidence_is_refused_and_an_invented_id_too(view: View) -> None:
    replies = [PLAN, READ, DONE, keep(), claim(evidence="E7")]
    bare = json.dumps({"claims": [{"text": "It was 455.9."}]})
    answer, model = run(view, [*replies, bare, claim()])
    assert "There is no E7" in str(model.calls[5].messages[-1].content)
    assert "names no evidence" in str(model.calls[6].messages[-1].content)
    assert answer.status == "answered"


def test_a_number_that_its_evidence_does_not_hold_is_removed(view: View) -> None:
    nothing = json.dumps({"evidence": [], "sufficient": True})
    wrong = claim("It was 512.3 million crowns.")
    again = [SEARCH, DONE, nothing, wrong, wrong]
    answer, _ = run(view, [PLAN, READ, DONE, keep(), wrong, wrong, *again])
    assert "512.3" not in answer.text
    assert any("512.3" in warning for warning in answer.warnings)


def test_unusable_replies_are_repaired_three_times_and_then_the_run_fails(view: View) -> None:
    dots = '{"parts": [{"id": "Q1", "text": "..."}]}'  # of the example, as weak models repeat it
    replies = ["{", dots, '{"parts": []}', PLAN, READ, DONE, keep(), claim()]
    answer, model = run(view, replies)
    assert answer.status == "answered"
    assert "A right reply looks so" in str(model.calls[1].messages[-1].content)
    answer, model = run(view, ["nonsense"] * 4)
    assert answer.status == "failed"
    assert "no usable reply as planner" in answer.error
    assert len(model.calls) == 4


def test_claims_that_begin_as_items_of_a_list_are_lines(view: View) -> None:
    items = [{"text": f"- {text}", "evidence": ["E1"]} for text in ("455.9 million.", "It rose.")]
    plan = json.dumps({**json.loads(PLAN), "calls": [FIRST]})
    answer, _ = run(view, [plan, keep(), json.dumps({"claims": items})])
    assert answer.text == "- 455.9 million. [1]\n- It rose. [1]"


def test_an_answer_before_any_search_is_sent_back(view: View) -> None:
    answer, model = run(view, [PLAN, "It was 455.9 million.", READ, DONE, keep(), claim()])
    assert "Nothing was looked up yet" in str(model.calls[2].messages[-1].content)
    assert answer.status == "answered"


def test_effort_low_takes_two_model_calls(view: View) -> None:
    answer, model = run(view, [keep(), claim()], effort="low")
    assert roles_of(model) == ["condenser", "answerer"]
    assert answer.status == "answered"
    shown = [str(m.content) for m in model.calls[0].messages if isinstance(m, ToolMessage)]
    assert len(shown) == 5  # both searches and the three best pages
    assert any(QUOTE in " ".join(text.split()) for text in shown[2:])


def test_evidence_survives_a_repair_that_the_endpoint_breaks(view: View) -> None:
    half = json.loads(keep())
    half["evidence"].append({"ref": f"{REPORT}:1", "quote": "words of no page", "part": "Q1"})
    replies = [PLAN, READ, DONE, json.dumps(half), ModelError("gone"), claim()]
    answer, _ = run(view, replies)
    assert answer.status == "answered"
    assert answer.citations


def test_effort_high_judges_in_a_call_of_its_own(view: View) -> None:
    judged = json.dumps({"parts": [{"id": "Q1", "state": "answered"}], "sufficient": True})
    _, model = run(view, [PLAN, READ, DONE, keep(), judged, claim()], effort="high")
    reflected = model.calls[4].messages
    assert str(reflected[0].content).startswith("You judge how far")
    assert QUOTE in str(reflected[2].content)
    assert not any(isinstance(message, ToolMessage) for message in reflected)
    assert len(model.calls) == 6


def test_json_and_tags_drive_the_same_run(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    call = json.dumps({"calls": [{"tool": "read_page", "arguments": {"ref": f"{REPORT}:1"}}]})
    tags = f"<think>read</think><fetch>text, {REPORT}:1</fetch>"
    for grammar, first, last in (
        ("json", call, '{"done": true}'),
        ("tags", tags, "<answer>found</answer>"),
    ):
        monkeypatch.setenv("PAGEHOP_RUN__GRAMMAR", grammar)
        load_settings.cache_clear()
        answer, model = run(view, [PLAN, first, last, keep(), claim()])
        assert answer.status == "answered"
        assert all(not called.tools for called in model.calls)
        prompt = model.calls[2].messages
        assert "semantic_search: Find pages by meaning" in str(prompt[0].content)
        assert str(prompt[4].content) == first
        assert '<observation tool="read_page" call="s1c1">' in str(prompt[5].content)
    load_settings.cache_clear()


def test_a_follow_up_is_understood_from_the_conversation(view: View) -> None:
    first = [PLAN, READ, DONE, keep(), claim()]
    run(view, first, thread="talk")
    model = ScriptedModel(replies=["What were the debts of Halden Marine in 2022?", *first])
    options: Any = {"model": model, "record": False, "thread": "talk"}
    events = list(pagehop.stream("And its debts?", view, **options))
    prompt = str(model.calls[0].messages[-1].content)
    assert QUESTION in prompt and "455.9" in prompt and "And its debts?" in prompt
    notes = [str(event.body["text"]) for event in events if event.type == "note"]
    assert "Understood as: What were the debts of Halden Marine in 2022?" in notes
    assert "debts of Halden" in str(model.calls[1].messages[-1].content)
    assert Answer.from_json(events[-1].body["answer"]).question == "And its debts?"


def test_a_conversation_is_not_known_to_a_view_that_sees_less(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    answer = Answer("?", "The secret is 7.", "answered")
    Conversation(path, frozenset({"board"})).add("What is the secret?", answer)
    Conversation(path, None).add("What else?", answer)
    assert len(Conversation(path, None).history()) == 2
    assert [e.question for e in Conversation(path, frozenset({"board", "x"})).history()] == [
        "What is the secret?"
    ]
    assert Conversation(path, frozenset({"x"})).history() == []
    path.write_bytes(path.read_bytes()[:-20])
    assert len(Conversation(path, None).history()) == 1


def test_own_tools_and_prompts_reach_the_model(view: View) -> None:
    @tool
    def exchange_rate(currency: str) -> str:
        """Say what a crown costs."""
        return f"1 crown = 0.1 {currency}"

    rate = {"content": "", "tool_calls": [{"name": "exchange_rate", "args": {"currency": "EUR"}}]}
    prompts = {"explorer": "You are a careful auditor."}
    answer, model = run(
        view, [PLAN, rate, READ, DONE, keep(), claim()], tools=[exchange_rate], prompts=prompts
    )
    assert answer.status == "answered"
    assert "careful auditor" in str(model.calls[1].messages[0].content)
    assert "1 crown = 0.1 EUR" in str(model.calls[2].messages[5].content)
    assert "exchange_rate" in [known["function"]["name"] for known in model.calls[1].tools]


def test_a_budget_of_model_calls_still_gives_an_answer(view: View) -> None:
    answer, _ = run(view, [PLAN, READ, keep(), claim()], budget=Budget(model_calls=5, steps=1))
    assert answer.usage.model_calls <= 5
    assert answer.status in ("answered", "exhausted")


def test_a_claim_that_would_be_removed_is_told_why_and_mended(view: View) -> None:
    wrong = claim("It was 512.3 million crowns.")
    answer, model = run(view, [PLAN, READ, DONE, keep(), wrong, claim()])
    said = str(model.calls[5].messages[-1].content)
    assert "512.3" in said and "would be removed" in said
    assert answer.text == "It was 455.9 million crowns. [1]"
    assert not answer.warnings


def test_a_stream_tells_text_as_it_arrives_and_the_record_keeps_it_whole(
    view: View, tmp_path: Path
) -> None:
    model = ScriptedModel(replies=[PLAN, READ, DONE, keep(), claim()])
    events = list(pagehop.stream(QUESTION, view, model=model, record=tmp_path))
    pieces = [event for event in events if event.type == "llm.delta"]
    (end,) = (e for e in events if e.type == "llm.end" and e.body["role"] == "answerer")
    said = [e.body["text"] for e in pieces if e.body["call"] == end.body["call"]]
    assert len(said) > 1 and "".join(said) == end.body["text"] == claim()
    assert len({event.id for event in events}) == len(events)
    (record,) = tmp_path.glob("*/events/*.jsonl")
    kept = record.read_text(encoding="utf-8")
    assert '"llm.end"' in kept and '"llm.delta"' not in kept


def test_an_exchange_with_any_character_is_remembered_and_damage_passed_over(
    tmp_path: Path,
) -> None:
    path = tmp_path / "thread.jsonl"
    path.write_bytes(b"\xff\xfe\n")
    answer = Answer("Why?", "One.\u2028Two.\x85", "answered")
    Conversation(path, None).add("Why?", answer)
    assert [one.answer for one in Conversation(path, None).history()] == ["One.\u2028Two.\x85"]
