"""Runs of published systems and own graphs through everything that runs a machine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel
from typer.testing import CliRunner

import pagehop
from page_models import write_page_model
from pagehop.graphs.published.vrag import VRAG
from pagehop.interfaces.cli import app
from pagehop.interfaces.evaluating import Plan, evaluate
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from pagehop.trajectories.reading import read_run
from test_graph_docs import OWN
from test_graphs import QUESTION, REPORT, SCRIPTS, SEARCH, claims, is_cited


async def test_a_run_is_taken_up_again_where_it_was_stopped(view: View) -> None:
    """Another process has the state alone: the memo of the graph comes back with it."""
    saver = InMemorySaver()
    config: Any = {"configurable": {"thread_id": "one"}}
    seek, inspect, answer = SCRIPTS["vidorag"]
    first = ScriptedModel(replies=[seek])
    machine = pagehop.graph("vidorag", view, model=first, record=False, checkpointer=saver)
    await machine.ainvoke({"question": QUESTION}, config, interrupt_after=["seek"])
    second = ScriptedModel(replies=[inspect, answer])
    machine = pagehop.graph("vidorag", view, model=second, record=False, checkpointer=saver)
    state = await machine.ainvoke(None, config)
    assert (state["answer"].error, state["answer"].status) == ("", "answered")
    assert is_cited(state["answer"])
    assert state["answer"].usage.model_calls == 3
    state = await machine.ainvoke({"question": "Nothing?"}, config)
    assert state["memo"].get("kept", []) == [], "a new question starts with an empty memo"


def test_the_samples_of_a_question_share_its_budget(view: View) -> None:
    model = ScriptedModel(replies=[claims()] * 2)
    answer = pagehop.ask(QUESTION, view, graph="one_shot", model=model, samples=2, record=False)
    assert answer.status == "answered" and answer.usage.model_calls == 2


def test_an_answer_is_put_into_a_form(view: View) -> None:
    class Revenue(BaseModel):
        amount: float

    model = ScriptedModel(replies=[claims(), json.dumps({"amount": 455.9})])
    answer = pagehop.ask(
        QUESTION, view, graph="one_shot", model=model, schema=Revenue, record=False
    )
    assert answer.data == {"amount": 455.9} and is_cited(answer)


def test_a_follow_up_is_understood(library: Library) -> None:
    with_thread: Any = {"graph": "one_shot", "thread": "graphs", "record": False}
    pagehop.ask(QUESTION, library, **with_thread)
    second = pagehop.ask("And in 2021?", library, **with_thread)
    assert "412.6" in second.text
    model = ScriptedModel(replies=["What was Halden Marine's revenue in 2022?", claims()])
    third = pagehop.ask("Once more?", library, model=model, **with_thread)
    assert is_cited(third) and "Once more" not in str(model.calls[1].messages[1].content)


def test_rollouts_take_a_graph_with_its_own_constants(view: View, tmp_path: Path) -> None:
    def says(messages: list[Any], tools: list[Any]) -> str:
        return claims() if "quotes" in str(messages[0].content) else SEARCH

    report = pagehop.rollout(
        [QUESTION], view, graph=VRAG(turns=2), samples=2, out=tmp_path / "out",
        model=ScriptedModel(replies=says),
    )  # fmt: skip
    assert report.statuses == {"answered": 2}
    run = read_run(tmp_path / "out")
    assert run.manifest.graph == "vrag" and run.manifest.more["constants"]["turns"] == 2
    assert [len(episode.calls) for episode in run.episodes] == [3, 3]


def test_pages_are_found_by_their_pictures_where_the_library_has_vectors(
    tmp_path: Path, write_page: Callable[..., None]
) -> None:
    encoder = write_page_model(tmp_path / "Tiny ColPali")
    for name, words in (("alpha", "The alpha engine burns hydrogen."), ("beta", "Ammonia.")):
        write_page(tmp_path / "in" / f"{name}.pdf", words)
    with Library(tmp_path / "library", page_encoder=str(encoder)) as library:
        library.add(tmp_path / "in")
        model = ScriptedModel(replies=['{"unanswerable": true}'], profile={"image_inputs": True})
        question = "What does the alpha engine burn?"
        answer = pagehop.ask(question, library, graph="m3docrag", model=model, record=tmp_path)
    assert answer.status == "unanswerable" and not answer.warnings
    (episode,) = read_run(answer.trajectory).episodes
    search, *reads = episode.tool_calls
    assert search.arguments["by"] == "image" and [one.tool for one in reads] == ["read_page"] * 2
    pictures = [m.content for m in model.calls[0].messages if isinstance(m.content, list)]
    assert len(pictures) == 2, "the model sees the pages themselves"


async def test_evaluate_compares_graphs_by_name_and_own_ones(view: View, tmp_path: Path) -> None:
    gold = {"document": "Halden 2022 annual report.pdf", "page": 1}
    row = {"id": "q", "question": QUESTION, "answers": ["455.9"], "evidence": [gold]}
    (tmp_path / "q.jsonl").write_text(json.dumps(row) + "\n")
    plan = Plan(graphs=["explore:low", "one_shot", OWN])
    done = await evaluate(view, tmp_path / "q.jsonl", tmp_path / "out", plan)
    assert [row["graph"] for row in done.rows()] == ["explore:low", "one_shot", "follow"]
    assert all(row["metrics"]["page_hit@5"]["value"] == 1 for row in done.rows())
    assert "follow" in (tmp_path / "out" / "report.md").read_text()


def test_the_command_line_takes_a_file_of_ones_own(library: Library) -> None:
    asked = ["ask", str(library.path), QUESTION, "--graph", OWN, "--json"]
    told = CliRunner().invoke(app, asked)
    assert told.exit_code == 0
    answer = json.loads(told.stdout)
    assert answer["status"] == "answered" and answer["citations"][0]["name"] == REPORT
    told = CliRunner().invoke(app, [*asked[:-2], "onne_shot"])
    assert told.exit_code == 2 and "did you mean one_shot" in told.stderr
