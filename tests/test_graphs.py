"""The published systems, by rules and with a scripted model: who is asked what, in which order."""

import json
from pathlib import Path
from typing import Any

import pytest

import pagehop
from pagehop.answers import Answer
from pagehop.errors import ConfigError
from pagehop.events import Event
from pagehop.graphs.blocks.judging import nearest_lines
from pagehop.graphs.budget import Budget
from pagehop.graphs.graph import Graph
from pagehop.graphs.published.m3docrag import M3DocRAG
from pagehop.graphs.published.vidorag import ViDoRAG
from pagehop.graphs.published.vrag import VRAG
from pagehop.interfaces.replays import replay
from pagehop.interfaces.showing import show_run
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.segments import undeclared

QUESTION = "What was the revenue of Halden Marine in 2022?"
REPORT = "Halden_2022_annual_report"
QUOTE = "Revenue rose to 455.9 million crowns"


def claims(quote: str = QUOTE, text: str = "It was 455.9 million crowns.", page: int = 1) -> str:
    """Write a reader's reply with one claim."""
    quotes = [{"ref": f"{REPORT}:{page}", "quote": quote}]
    return json.dumps({"claims": [{"text": text, "quotes": quotes}]})


def run(
    view: View,
    graph: str | Graph,
    replies: list[Any] | None = None,
    *,
    question: str = QUESTION,
    **options: Any,
) -> tuple[Answer, list[Event], ScriptedModel]:
    """Ask; return the answer, the events, and the model with its calls."""
    model = ScriptedModel(replies=replies or [])
    given: Any = {"model": model if replies is not None else "builtin", "record": False, **options}
    events = list(pagehop.stream(question, view, graph=graph, **given))
    answer = Answer.from_json(events[-1].body["answer"], pictures=view)
    return answer, events, model


def bodies(events: list[Event], kind: str) -> list[dict[str, Any]]:
    return [dict(event.body) for event in events if event.type == kind]


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


def choice(*pages: str | int) -> str:
    """Write a seeker's reply."""
    return json.dumps({"reason": "r", "summary": "s", "choice": list(pages)})


def inspected(**said: Any) -> str:
    """Write an inspector's reply."""
    return json.dumps({"reason": "r", **said})


SEARCH = "<think>t</think><search>revenue of Halden Marine 2022</search>"
SCRIPTS: dict[str, list[Any]] = {
    "vidorag": [
        choice(f"{REPORT}:1"), inspected(answer="455.9", reference=[f"{REPORT}:1"]), claims()
    ],
    "vrag": [SEARCH, "<answer>455.9</answer>", claims()],
    "mdocagent": ["G", "no clue in JSON", "T", "I", claims()],
}  # fmt: skip
RUNS_BY_RULES = ("one_shot", "molorag", "m3docrag", "m3docrag_closed", "marag")
NEEDS_A_MODEL = ("mdocagent", "vidorag", "vrag", "text_only")


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
    assert visited[-3:] == ["hop", "answer", "verify"]
    assert 1 <= visited.count("hop") <= 4
    assert set(asked(events)) == {"judge", "reader"}
    assert made(events)[:2] == ["semantic_search", "walk"]
    assert made(events).count("read_page") <= 3
    assert answer.status == "answered" and is_cited(answer)


def test_a_judge_sees_the_lines_of_a_long_page_that_are_nearest_the_question() -> None:
    """Pages were judged by their beginnings: one that answers further down was thrown away."""
    lines = [f"Line {i} tells of nothing in particular." for i in range(60)]
    lines[40] = "Congress sets the number of justices by law."
    shown = nearest_lines("\n".join(lines), {"number": 1.0, "justic": 2.0}, most=300)
    assert len(shown) <= 330 and lines[40] in shown and shown.startswith(lines[0])
    assert [line for line in shown.split("\n") if line == "..."] == ["..."]
    assert nearest_lines("short\npage", {}, most=300) == "short\npage"


def test_m3docrag_reads_as_many_pages_as_the_paper_and_answers_in_one_call(view: View) -> None:
    answer, events, _ = run(view, "m3docrag", [claims()])
    assert nodes(events) == ["begin", "retrieve", "read", "answer", "verify"]
    assert made(events) == ["semantic_search", *["read_page"] * 4]
    assert asked(events) == ["reader"] and is_cited(answer)
    _, events, _ = run(view, M3DocRAG(pages=8, one_per_document=True), [claims()])
    read = [
        body["arguments"]["ref"]
        for body in bodies(events, "tool.start")
        if "ref" in body["arguments"]
    ]
    assert len(read) == len({page.rpartition(":")[0] for page in read}) == 4


def test_m3docrag_in_its_closed_domain_stays_within_one_document(view: View) -> None:
    answer, events, _ = run(view, "m3docrag_closed", [claims()])
    searches = [
        b["arguments"] for b in bodies(events, "tool.start") if b["tool"] == "semantic_search"
    ]
    assert [one.get("documents", "") for one in searches] == ["", REPORT]
    assert is_cited(answer)
    _, events, _ = run(view.within([REPORT]), "m3docrag_closed", [claims()])
    assert made(events).count("semantic_search") == 1


def test_mdocagent_asks_its_five_readers_in_order(view: View) -> None:
    clues = '{"text": "the sentence on revenue", "image": "Table 1"}'
    said = ["General says 455.9.", clues, "Text says 455.9.", "Image says 455.9.", claims()]
    answer, events, model = run(view, "mdocagent", said)
    assert asked(events) == ["general", "critic", "text", "image", "summariser"]
    assert nodes(events)[1:6] == ["retrieve", "general", "critic", "text", "image"]
    ends = [str(call.messages[-1].content) for call in model.calls]
    again = f"The question again: {QUESTION}\n"
    assert ends[1] == f"{again}The first answer: General says 455.9."
    assert ends[2] == f"{again}You may use the given clue: the sentence on revenue"
    assert ends[3] == f"{again}You may use the given clue: Table 1"
    told = str(model.calls[4].messages[1].content)
    assert "Text reader: Text says 455.9." in told and QUESTION in told
    assert answer.status == "answered" and is_cited(answer)


def test_mdocagent_goes_on_without_clues_that_cannot_be_read(view: View) -> None:
    _, events, model = run(view, "mdocagent", ["G", "no clue in JSON", "T", "I", claims()])
    assert asked(events) == ["general", "critic", "text", "image", "summariser"]
    last = str(model.calls[2].messages[-1].content)
    assert last == f"The question again: {QUESTION}\nNo clue was given."


def test_vidorag_chooses_from_a_pool_that_shrinks_until_its_inspector_answers(view: View) -> None:
    other = "Halden_2021_annual_report:1"
    replies = [
        choice(other),
        inspected(information="the year 2022", choice=[other]),
        choice(f"{REPORT}:1"),
        inspected(answer="455.9 million", reference=[f"{REPORT}:1"]),
        claims(),
    ]
    answer, events, model = run(view, "vidorag", replies)
    assert nodes(events)[1:7] == ["retrieve", "seek", "inspect", "seek", "inspect", "answer"]
    assert asked(events) == ["seeker", "inspector", "seeker", "inspector", "reader"]
    first, second = (str(model.calls[i].messages[-1].content) for i in (0, 2))
    assert other in first and other not in second, "what was chosen has left the pool"
    assert "still misses: the year 2022" in str(model.calls[2].messages[1].content)
    assert all(f"The question again: {QUESTION}" in text for text in (first, second))
    assert str(model.calls[4].messages[1].content).endswith("455.9 million")
    assert answer.status == "answered" and is_cited(answer)


def test_vidorag_ends_when_nothing_is_chosen_or_its_rounds_are_over(view: View) -> None:
    none = json.dumps({"reason": "The pages are of other years.", "choice": []})
    answer, events, _ = run(view, "vidorag", [none])
    assert answer.status == "unanswerable" and asked(events) == ["seeker"]
    assert answer.text.startswith("The pages are of other years.")
    missing = inspected(information="more", choice=[])
    replies = [choice(1), missing, choice(1), missing, claims()]
    _, events, model = run(view, ViDoRAG(rounds=2), replies)
    assert nodes(events).count("inspect") == 2
    told = str(model.calls[-1].messages[1].content)
    assert told.endswith("What was still missing: more"), "the reader may say so"


def test_a_choice_of_a_page_that_was_not_shown_is_asked_again(view: View) -> None:
    done = inspected(answer="455.9", reference=[f"{REPORT}:1"])
    replies = [choice("nowhere:3"), choice(99), choice(f"{REPORT}:1"), done, claims()]
    answer, _, model = run(view, "vidorag", replies)
    assert "'nowhere:3', which was not shown" in str(model.calls[1].messages[-1].content)
    assert answer.status == "answered"
    answer, _, _ = run(view, "vidorag", [choice("nowhere:3")] * 4)
    assert answer.status == "failed" and "no usable reply as seeker" in answer.error


def test_a_policy_that_has_taken_its_turns_answers_from_what_it_saw(view: View) -> None:
    search = "<think>t</think><search>revenue of Halden Marine 2022</search>"
    answer, events, _ = run(view, VRAG(turns=2), [search, search, claims()])
    assert asked(events) == ["policy", "policy", "reader"]
    assert answer.status == "answered" and is_cited(answer)


def test_an_answer_before_anything_was_looked_up_is_asked_again(view: View) -> None:
    search = "<think>t</think><search>revenue of Halden Marine 2022</search>"
    replies = ["<answer>455.9</answer>", search, "<answer>455.9</answer>", claims()]
    _, _, model = run(view, "vrag", replies)
    assert "Nothing was looked up yet" in str(model.calls[1].messages[-1].content)


def tool(name: str, **arguments: Any) -> dict[str, Any]:
    return {"content": "Look.", "tool_calls": [{"name": name, "args": arguments}]}


def test_text_only_never_sees_a_picture_and_asks_a_reader(view: View) -> None:
    reader = ScriptedModel(replies=["Revenue rose to 455.9 million crowns."], repeat_last=True)
    look = tool("look", ref=f"{REPORT}:1", question="Revenue of Halden Marine in 2022?")
    replies = [look, "It was 455.9 million crowns.", claims()]
    model = ScriptedModel(replies=replies, profile={"image_inputs": True})
    answer, events, _ = run(view, "text_only", model=model, vision_model=reader)
    assert answer.status == "answered" and is_cited(answer)
    assert [str(c.messages[-1].content[0]["text"]) for c in reader.calls] == [  # type: ignore[index]
        "Revenue of Halden Marine in 2022?"
    ]
    shown = [message.content for call in model.calls for message in call.messages]
    assert all(isinstance(content, str) for content in shown)
    assert "A reader of the picture says" in "".join(map(str, shown))
    assert nodes(events)[1:5] == ["think", "act", "think", "answer"]


def test_a_text_only_reasoner_that_takes_pictures_reads_them_on_its_own(view: View) -> None:
    look = tool("look", ref=f"{REPORT}:1", question="Revenue of Halden Marine in 2022?")
    replies = [look, "It shows 455.9.", "It was 455.9 million crowns.", claims()]
    model = ScriptedModel(replies=replies, profile={"image_inputs": True})
    answer, _, _ = run(view, "text_only", model=model)
    assert answer.status == "answered" and not answer.warnings


@pytest.mark.parametrize("name", NEEDS_A_MODEL)
def test_a_graph_that_rules_cannot_fill_is_refused_before_it_runs(view: View, name: str) -> None:
    with pytest.raises(ConfigError, match=f"'{name}' needs a model: .*PAGEHOP_RUN__MODEL"):
        pagehop.ask(QUESTION, view, graph=name, record=False)


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


@pytest.mark.parametrize("name", ["molorag", "vidorag", "vrag", "mdocagent"])
def test_a_recorded_run_is_replayed_and_its_segments_have_their_reasons(
    view: View, tmp_path: Path, name: str
) -> None:
    graph: Graph | str = {"vidorag": ViDoRAG(rounds=1)}.get(name, name)
    model = None if name == "molorag" else ScriptedModel(replies=SCRIPTS[name])
    given: Any = {"model": model or "builtin"}
    answer = pagehop.ask(QUESTION, view, graph=graph, record=tmp_path, **given)
    assert answer.status == "answered"
    run_of = read_run(answer.trajectory)
    (episode,) = run_of.episodes
    assert (run_of.manifest.graph, episode.graph) == (name, name)
    assert not undeclared(episode)
    assert {str(citation.ref) for citation in answer.citations} <= {s.page for s in episode.shown}
    if model is not None:
        (policy, *_) = [c for c in episode.tool_calls if c.tool != "calculate"]
        assert bool(policy.llm_call) == (name == "vrag")
    played = replay(answer.trajectory, episode.episode_id)
    assert played.differences == () and played.answers_alike and not played.warnings
    page = show_run(Path(answer.trajectory), episode.episode_id).file.read_text()
    assert "Draft" in page and ("455.9" in page)


def test_a_graph_that_draws_nothing_is_refused_with_what_to_do(view: View) -> None:
    class Bare(Graph):
        name = "bare"

    with pytest.raises(ConfigError, match=r"graph 'bare' adds no node in draw\(flow\)"):
        pagehop.ask(QUESTION, view, graph=Bare())
