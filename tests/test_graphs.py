"""The published systems, by rules and with a scripted model: who is asked what, in which order."""

import json
from typing import Any

import pytest

import pagehop
from pagehop.answers import Answer
from pagehop.errors import ConfigError
from pagehop.events import Event
from pagehop.graphs.budget import Budget
from pagehop.graphs.graph import Graph
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel

QUESTION = "What was the revenue of Halden Marine in 2022?"
REPORT = "Halden_2022_annual_report"
QUOTE = "Revenue rose to 455.9 million crowns"


def claims(quote: str = QUOTE, text: str = "It was 455.9 million crowns.", page: int = 1) -> str:
    """Write a reader's reply with one claim."""
    quotes = [{"ref": f"{REPORT}:{page}", "quote": quote}]
    return json.dumps({"claims": [{"text": text, "quotes": quotes}]})


def run(
    view: View, graph: str | Graph, replies: list[Any] | None = None, **options: Any
) -> tuple[Answer, list[Event], ScriptedModel]:
    """Ask; return the answer, the events, and the model with its calls."""
    model = ScriptedModel(replies=replies or [])
    given = {"model": model if replies is not None else "builtin", "record": False, **options}
    events = list(pagehop.stream(QUESTION, view, graph=graph, **given))
    answer = Answer.from_json(events[-1].body["answer"], pictures=view)
    return answer, events, model


def nodes(events: list[Event]) -> list[str]:
    return [str(event.body["node"]) for event in events if event.type == "node"]


def made(events: list[Event]) -> list[str]:
    """Name the tools called, in order."""
    return [str(event.body["tool"]) for event in events if event.type == "tool.start"]


def asked(events: list[Event]) -> list[str]:
    """Name the roles that the model was asked in, in order."""
    return [str(event.body["role"]) for event in events if event.type == "llm.start"]


def is_cited(answer: Answer) -> bool:
    (citation,) = answer.citations
    return (citation.name, citation.page, citation.verified) == (REPORT, 1, True)


RUNS_BY_RULES = ("one_shot", "molorag")


@pytest.mark.parametrize("name", RUNS_BY_RULES)
def test_rules_fill_the_roles_where_they_can(view: View, name: str) -> None:
    answer, events, _ = run(view, name)
    assert answer.status == "answered" and "455.9" in answer.text
    assert all(citation.verified for citation in answer.citations)
    assert nodes(events)[0] == "begin" and nodes(events)[-2:] == ["answer", "verify"]
    assert answer.usage.model_calls == 0
    ids = [event.id for event in events]
    assert len(set(ids)) == len(ids)
    assert events[0].body["graph"] == name


def test_one_shot_searches_once_reads_and_answers_in_one_call(view: View) -> None:
    answer, events, model = run(view, "one_shot", [claims()])
    assert nodes(events) == ["begin", "retrieve", "read", "answer", "verify"]
    assert made(events) == ["semantic_search", *["read_page"] * 4]
    assert asked(events) == ["reader"]
    assert answer.status == "answered" and is_cited(answer)
    assert answer.text == "It was 455.9 million crowns. [1]"
    shown = [str(message.content) for message in model.calls[0].messages]
    assert sum("<observation" in text for text in shown) == 4
    assert shown[-1].startswith(f"The question again: {QUESTION}")


def test_a_wrong_quote_is_told_once_and_then_left_out(view: View) -> None:
    wrong = claims("Revenue rose to 999 billion crowns")
    answer, _, model = run(view, "one_shot", [wrong, claims()])
    assert "These words are not on" in str(model.calls[1].messages[-1].content)
    assert answer.status == "answered" and is_cited(answer)
    answer, _, _ = run(view, "one_shot", [wrong, wrong])
    assert answer.status == "unanswerable" and not answer.citations


def test_a_number_that_no_quote_holds_is_told_and_a_calculation_gives_it(view: View) -> None:
    grown = json.loads(claims(text="It grew by about 10.5 %."))
    with_sum = json.loads(json.dumps(grown))
    with_sum["claims"][0]["calculation"] = "(455.9 - 412.6) / 412.6 * 100"
    with_sum["claims"][0]["quotes"][0]["quote"] = f"{QUOTE}, from 412.6 million crowns in 2021"
    answer, events, model = run(view, "one_shot", [json.dumps(grown), json.dumps(with_sum)])
    assert "10.5 % is in none of its quotes" in str(model.calls[1].messages[-1].content)
    assert answer.status == "answered" and answer.text.startswith("It grew by about 10.5 %.")
    assert made(events)[-1] == "calculate"


def test_pages_that_do_not_answer_are_unanswerable_with_the_reason(view: View) -> None:
    said = json.dumps({"unanswerable": True, "reason": "No page names it."})
    answer, _, _ = run(view, "one_shot", [said])
    assert answer.status == "unanswerable"
    assert answer.text.startswith("No page names it.")


def test_molorag_judges_walks_and_reads_the_best_pages(view: View) -> None:
    judged = "1: 5\n2: 3\n3: 1\n4: 1\n5: 1\n6: 1\n7: 1\n8: 1"
    replies = [lambda messages, tools: claims() if "quotes" in str(messages[0].content) else judged]
    answer, events, _ = run(view, "molorag", replies * 20)
    visited = nodes(events)
    assert visited[:3] == ["begin", "search", "hop"]
    assert visited[-3:] == ["read", "answer", "verify"]
    assert 1 <= visited.count("hop") <= 4
    assert set(asked(events)) == {"judge", "reader"}
    assert made(events)[:2] == ["semantic_search", "walk"]
    assert made(events).count("read_page") <= 3
    assert answer.status == "answered" and is_cited(answer)


def test_what_a_graph_has_to_do_without_is_said_once_before_it_begins(view: View) -> None:
    answer, events, _ = run(view, "molorag")
    said = [event.body["text"] for event in events if event.type == "note"]
    assert sum("text mode" in text for text in said) == 1
    assert sum("vectors of page pictures" in text for text in said) == 1
    assert events[1].type == "note" and "vision_model" in events[1].body["text"]
    assert sum("text mode" in text for text in answer.warnings) == 1
    answer, _, _ = run(view, "one_shot")
    assert not answer.warnings


def test_a_spent_budget_goes_to_answer(view: View) -> None:
    answer, events, _ = run(view, "molorag", budget=Budget(steps=2))
    assert answer.status in ("exhausted", "unanswerable")
    assert nodes(events)[-2:] == ["answer", "verify"]
    assert answer.usage.steps <= 2
    answer, events, _ = run(view, "one_shot", [claims()], budget=Budget(model_calls=3))
    assert answer.status == "answered"


def test_the_graphs_are_listed_with_what_they_need() -> None:
    listed = {graph.name: graph for graph in pagehop.list_graphs()}
    assert next(iter(listed)) == "explore"
    assert all(graph.shape and graph.source for graph in listed.values())
    assert listed["molorag"].needs == ("pictures", "page encoder")
    assert listed["molorag"].constants["hops"] == 4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("one_shoot", "did you mean one_shot"),
        ("nothing_like_it", "there are explore, one_shot"),
        ("nowhere.py:Mine", "nowhere.py cannot be loaded"),
        ("json:dumps", "has no Graph named 'dumps'"),
    ],
)
def test_a_graph_that_is_not_there_is_refused(view: View, given: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        pagehop.ask(QUESTION, view, graph=given, record=False)
