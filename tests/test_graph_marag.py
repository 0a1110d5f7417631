"""marag: a policy with four retrieval tools, by a model and by rules."""

import json
from typing import Any

import pytest

import pagehop
from conftest import LEASES
from pagehop.graphs.budget import Budget
from pagehop.graphs.published.marag import MARAG
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from pagehop.settings import load_settings
from test_graphs import asked, bodies, claims, is_cited, made, nodes, run

FOUR = ["semantic_search", "keyword_search", "filter_documents", "aggregate"]
TOTAL = "What is the total annual fee of all agreements?"


def calls(*given: tuple[str, dict[str, Any]], said: str = "Look.") -> dict[str, Any]:
    """Write a reply that calls tools."""
    return {"content": said, "tool_calls": [{"name": name, "args": args} for name, args in given]}


SEARCH = calls(("semantic_search", {"query": "revenue of Halden Marine 2022", "k": 2}))


def last(model: ScriptedModel, call: int) -> str:
    """Return what a prompt ended with."""
    return str(model.calls[call].messages[-1].content)


def test_four_tools_are_offered_and_the_documents_found_are_collected(view: View) -> None:
    both = calls(
        ("keyword_search", {"query": "Orrin", "k": 3}),
        ("filter_documents", {"predicate": "year = 2021"}),
    )
    counted = calls(("aggregate", {"field": "pages", "op": "sum"}))
    replies = [SEARCH, both, counted, "It was 455.9 million crowns.", claims()]
    answer, events, model = run(view, "marag", replies)
    offered = [schema["function"]["name"] for schema in model.calls[0].tools]
    assert offered == FOUR
    assert nodes(events)[1:] == [*["think", "act"] * 3, "think", "answer", "verify"]
    assert asked(events) == ["policy"] * 4 + ["reader"]
    assert sorted(made(events)) == sorted(FOUR)
    ends = [last(model, i) for i in range(4)]
    assert ends[0] == "Turn 1 of 10.\nDocuments found so far (0): none"
    assert "Halden_2022_annual_report" in ends[1] and "Orrin_2021" not in ends[1]
    assert "found so far (4)" in ends[2] and "Orrin_2021_annual_report" in ends[2]
    assert ends[3].partition("\n")[2] == ends[2].partition("\n")[2], "aggregate finds none"
    assert answer.status == "answered" and is_cited(answer)


def test_the_answer_is_written_from_all_that_the_tools_gave(leases: View) -> None:
    listed = calls(("aggregate", {"field": "annual fee", "op": "list"}))
    quotes = [
        {"ref": f"{name}:1", "quote": f"The annual fee is EUR {fee:,}"}
        for name, _, fee, _ in LEASES
    ]
    claim = {"text": "It is EUR 2,800.", "quotes": quotes, "calculation": "1200 + 900 + 700"}
    replies = [listed, "EUR 2,800.", json.dumps({"claims": [claim]})]
    answer, events, model = run(leases, "marag", replies, question=TOTAL)
    told = [str(message.content) for message in model.calls[2].messages]
    assert any('<observation tool="aggregate"' in text for text in told)
    assert "A first answer was given" in told[1] and told[1].endswith("EUR 2,800.")
    assert answer.status == "answered" and len(answer.citations) == 3
    assert all(citation.verified for citation in answer.citations)
    assert made(events) == ["aggregate", "calculate"]


def test_the_words_that_a_value_was_read_from_are_shown_to_be_quoted(leases: View) -> None:
    listed = calls(("aggregate", {"field": "date", "op": "list"}))
    quotes = [{"ref": "Alder:1", "quote": "3 May 2021"}]
    replies = [listed, "2021", json.dumps({"claims": [{"text": "In 2021.", "quotes": quotes}]})]
    answer, _, model = run(leases, "marag", replies, question="When was Alder Hall let?")
    (told,) = [str(m.content) for m in model.calls[2].messages if "<observation" in str(m.content)]
    shown = told.partition("In the words of the pages:")[2]
    assert "2021-05-03" not in shown and "[Alder:1] " in shown and "3 May 2021" in shown
    assert answer.status == "answered"


def test_a_tool_that_is_not_offered_is_refused_and_not_run(view: View) -> None:
    reads = calls(("read_page", {"ref": "Halden_2022_annual_report:1"}))
    replies = [reads, SEARCH, "It was 455.9 million crowns.", claims()]
    answer, events, model = run(view, "marag", replies)
    assert f"read_page cannot be called here: {', '.join(FOUR)} can." in last(model, 1)
    assert made(events) == ["semantic_search"] and answer.status == "answered"
    answer, events, _ = run(view, "marag", [reads] * 4)
    assert answer.status == "failed" and "read_page cannot be called" in answer.error
    assert made(events) == []


def test_a_users_own_tool_may_be_called_beside_the_four(view: View) -> None:
    from langchain_core.tools import tool  # noqa: PLC0415 - only here

    @tool
    def weather(place: str) -> str:
        """Tell the weather."""
        return f"Rain in {place}."

    replies = [calls(("weather", {"place": "Varn"})), SEARCH, "455.9", claims()]
    answer, events, _ = run(view, "marag", replies, tools=[weather])
    assert made(events) == ["weather", "semantic_search"] and answer.status == "answered"


def test_its_turns_end_and_the_answer_is_written_from_what_was_found(view: View) -> None:
    answer, events, model = run(view, MARAG(turns=2), [SEARCH, SEARCH, claims()])
    assert asked(events) == ["policy", "policy", "reader"]
    assert {"text": "All 2 turns are taken."} in bodies(events, "note")
    assert "A first answer was given" not in str(model.calls[2].messages[1].content)
    assert answer.status == "answered" and is_cited(answer)
    assert MARAG().constants == {"turns": 10}


def test_an_answer_before_anything_was_looked_up_is_asked_again(view: View) -> None:
    replies = ["It was 455.9 million crowns.", SEARCH, "455.9", claims()]
    _, _, model = run(view, "marag", replies)
    assert "Nothing was looked up yet" in last(model, 1)


@pytest.mark.parametrize("grammar", ["json", "tags"])
def test_calls_may_be_written_as_json_or_tags(
    view: View, grammar: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGEHOP_RUN__GRAMMAR", grammar)
    load_settings.cache_clear()
    call = {"tool": "keyword_search", "arguments": {"query": "revenue 2022 Halden"}}
    first, second = (
        (json.dumps({"thought": "t", "calls": [call]}), json.dumps({"thought": "t", "answer": "x"}))
        if grammar == "json"
        else (f"<think>t</think><call>{json.dumps(call)}</call>", "<answer>x</answer>")
    )
    answer, events, model = run(view, "marag", [first, second, claims()])
    monkeypatch.delenv("PAGEHOP_RUN__GRAMMAR")
    load_settings.cache_clear()
    assert made(events) == ["keyword_search"] and answer.status == "answered"
    system = str(model.calls[0].messages[0].content)
    assert "\naggregate: " in system and "\nread_page: " not in system and not model.calls[0].tools


def test_a_long_library_is_introduced_without_a_tool_that_is_not_there(
    view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagehop.agents.prompting.LISTED", 2)
    _, _, model = run(view, "marag", [SEARCH, "455.9", claims()])
    told = str(model.calls[0].messages[1].content)
    assert told.startswith("The library has 4 documents. A first search finds these likely")


ALL = "Alder, Birch, Cedar"
BY_RULES = [
    (
        "How many agreements are governed by the law of Norway?",
        ["filter_documents", "semantic_search", "keyword_search", "calculate"],
        "2 agreements: Alder, Birch.",
    ),
    (
        "Which agreement has the highest annual fee?",
        ["semantic_search", "keyword_search", "aggregate"],
        "The highest annual fee is 1,200 EUR: Alder. [1]",
    ),
    (
        "What is the lowest annual fee?",
        ["semantic_search", "keyword_search", "aggregate"],
        "The lowest annual fee is 700 EUR: Cedar. [1]",
    ),
    (
        TOTAL,
        ["semantic_search", "keyword_search", "aggregate", "calculate"],
        f"The total annual fee is 2,800 EUR: {ALL}. [1][2][3]",
    ),
    (
        "What is the average annual fee?",
        ["semantic_search", "keyword_search", "aggregate", "calculate"],
        f"The average annual fee is about 933.33 EUR: {ALL}. [1][2][3]",
    ),
    (
        "What is the annual fee of Birch Hall?",
        ["filter_documents", "semantic_search", "keyword_search", "aggregate"],
        "900",
    ),
]


@pytest.mark.parametrize(("question", "tools", "words"), BY_RULES)
def test_rules_call_the_tools_in_turn(
    leases: View, question: str, tools: list[str], words: str
) -> None:
    answer, events, _ = run(leases, "marag", question=question)
    assert made(events) == tools
    assert answer.status == "answered" and words in answer.text
    assert all(citation.verified for citation in answer.citations)
    assert answer.usage.model_calls == 0


@pytest.mark.parametrize(
    "question",
    [
        "What is the total annual fee in 2022?",
        "Which agreement has the second highest annual fee?",
        "What is the highest date of the agreements?",
        "What is the highest annual fee of agreements that are not governed by Norway?",
    ],
)
def test_rules_do_not_answer_with_a_total_that_more_was_asked_of(
    leases: View, question: str
) -> None:
    answer, _, _ = run(leases, "marag", question=question)
    assert "The total annual fee is" not in answer.text
    assert "The highest" not in answer.text and answer.status != "failed"


def test_a_filter_limits_the_searches_behind_it(leases: View) -> None:
    question = "How many agreements are governed by the law of Norway?"
    _, events, _ = run(leases, "marag", question=question)
    given = [body["arguments"] for body in bodies(events, "tool.start")]
    assert given[0] == {"predicate": 'kind = "agreement" and "governing law" = "Norway"'}
    assert [one["documents"] for one in given[1:3]] == ["Alder,Birch"] * 2


def test_rules_keep_to_the_turns_and_the_budget(leases: View) -> None:
    answer, events, _ = run(leases, MARAG(turns=1), question=TOTAL)
    assert made(events) == ["semantic_search", "keyword_search"]
    assert answer.status in ("answered", "unanswerable")
    answer, events, _ = run(leases, "marag", question=TOTAL, budget=Budget(steps=1))
    assert answer.usage.steps == 1 and "aggregate" not in made(events)
    assert answer.status in ("answered", "exhausted", "unanswerable")
    answer, _, _ = run(leases, "marag", question=TOTAL, budget=Budget(tool_calls=2))
    assert answer.usage.tool_calls <= 2 and answer.status != "failed"


def test_what_no_document_says_is_unanswerable(leases: View) -> None:
    answer, _, _ = run(leases, "marag", question="Who is the king of Spain?")
    assert answer.status == "unanswerable" and not answer.citations


def test_it_is_listed_as_one_that_needs_nothing() -> None:
    (listed,) = [graph for graph in pagehop.list_graphs() if graph.name == "marag"]
    assert (listed.shape, listed.needs) == ("one policy", ())
    assert "2510.27569" in listed.source
