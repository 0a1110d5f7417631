"""A person steers a run: it pauses, is shown, and goes on as told."""

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.types import Command

import pagehop
from pagehop import Budget, ConfigError, LibraryError
from pagehop.graphs import Steer
from pagehop.graphs.steering import Pause
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel

REPORT = "Halden_2022_annual_report"
ASKED: Any = {"question": "What was the revenue of Halden Marine in 2022?"}
CONFIG: Any = {"configurable": {"thread_id": "t"}}


def says(messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
    """Search, keep what stands on the first page of the report if it was shown, answer."""
    first, last = str(messages[0].content), str(messages[-1].content)
    if first.startswith("You plan"):
        return json.dumps({"parts": [{"id": "Q1", "text": ASKED["question"]}]})
    if first.startswith("You write the answer"):
        amount = "455.9 million" if f"[{REPORT}:1]" in last else "455.9"
        return json.dumps({"claims": [{"text": f"It was {amount}.", "evidence": ["E1"]}]})
    if "The round ends here" in last:
        shown = " ".join(str(message.content) for message in messages)
        page = 1 if f"[{REPORT}:1]" in shown else 2
        quote = "Revenue rose to 455.9 million" if page == 1 else "455.9"
        kept = {"ref": f"{REPORT}:{page}", "quote": quote, "part": "Q1"}
        return json.dumps({"evidence": [kept], "sufficient": True})
    if any(message.type == "tool" for message in messages):
        return "Seen."
    args = {"query": "revenue Halden 2022", "documents": REPORT}
    return {"content": "Search.", "tool_calls": [{"name": "semantic_search", "args": args}]}


async def steered(
    view: View, folder: Path, pauses: tuple[Pause, ...], *steers: Any, **options: Any
) -> tuple[dict[str, Any], list[Any], ScriptedModel]:
    """Run to the end, each time resumed in a fresh machine; return what each pause showed."""
    model = ScriptedModel(replies=says)
    shown = []
    for given in (ASKED, *(Command(resume=steer) for steer in steers)):
        async with AsyncSqliteSaver.from_conn_string(str(folder / "runs.db")) as saver:
            machine = pagehop.graph(
                "explore", view, model=model, record=False, checkpointer=saver,
                pause_after=pauses, **options,
            )  # fmt: skip
            state = await machine.ainvoke(given, CONFIG)
            shown += [one.value for one in state.get("__interrupt__", ())]
    return state, shown, model


async def test_a_run_pauses_and_goes_on_as_it_is(view: View, tmp_path: Path) -> None:
    state, shown, model = await steered(view, tmp_path, ("plan", "reflect"), Steer(), Steer())
    assert [one["after"] for one in shown] == ["plan", "reflect"]
    assert shown[0]["sub_questions"][0]["text"] == ASKED["question"]
    assert shown[1]["evidence"][0]["ref"] == f"{REPORT}:1" and shown[1]["stop"] == "sufficient"
    assert json.dumps(shown)
    assert state["answer"].status == "answered" and len(model.calls) == 5


async def test_a_pinned_page_is_read_next(view: View, tmp_path: Path) -> None:
    state, _, model = await steered(view, tmp_path, ("plan",), Steer(pin=(f"{REPORT}:3", REPORT)))
    tried = [(call.tool, call.arguments, call.id) for call in state["tried"]]
    question = {"query": ASKED["question"], "documents": REPORT}
    assert tried == [
        ("read_page", {"ref": f"{REPORT}:3"}, "s1c1"), ("semantic_search", question, "s1c2"),
    ]  # fmt: skip
    assert "Capital expenditure was 61.4" in str(model.calls[1].messages)
    assert state["spent"].steps == 2 and state["answer"].status == "answered"


async def test_a_banned_page_is_neither_shown_nor_cited_any_more(
    view: View, tmp_path: Path
) -> None:
    ban = Steer(ban=(f"{REPORT}:1",))
    state, shown, model = await steered(view, tmp_path, ("reflect",), ban, Steer())
    assert [one["ref"] for one in shown[1]["evidence"]] == [f"{REPORT}:2"]
    assert [item.id for item in state["evidence"]] == ["E1"]
    assert {citation.page for citation in state["answer"].citations} == {2}
    later = str([call.messages for call in model.calls[4:]])
    assert f"{REPORT}:2" in later and f"{REPORT}:1]" not in later


async def test_a_banned_document_leaves_the_view(view: View, tmp_path: Path) -> None:
    state, _, model = await steered(
        view, tmp_path, ("plan",), Steer(ban=("Orrin_2021_annual_report",))
    )
    assert "Orrin_2021" in str(model.calls[0].messages)
    assert not any("Orrin_2021" in str(call.messages) for call in model.calls[1:])
    assert state["answer"].status == "answered"


async def test_the_plan_and_the_budget_can_be_replaced(view: View, tmp_path: Path) -> None:
    steer = Steer(sub_questions=("Revenue 2022?", "And in 2021?"), budget=Budget(steps=40))
    state, _, model = await steered(view, tmp_path, ("plan",), steer, budget=Budget(steps=1))
    assert [(sub.id, sub.text) for sub in state["sub_questions"]] == [
        ("Q1", "Revenue 2022?"), ("Q2", "And in 2021?"),
    ]  # fmt: skip
    assert "Left: 39 steps" in str(model.calls[1].messages[-1].content)
    assert state["answer"].status == "answered"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("go", "not a str"),
        (Steer(pin=("nothing:3",)), "nothing"),
        (Steer(ban=(f"{REPORT}:41",)), "page 41 does not exist"),
        (Steer(pin=(REPORT,), ban=(REPORT,)), "both pinned and banned"),
    ],
)
async def test_a_wrong_steer_pauses_again_and_says_why(
    view: View, tmp_path: Path, wrong: Any, words: str
) -> None:
    state, shown, _ = await steered(view, tmp_path, ("plan",), wrong, Steer())
    assert words in shown[1]["problem"]
    assert state["answer"].status == "answered"


def test_what_cannot_pause_or_be_told_is_refused(view: View) -> None:
    with pytest.raises(ConfigError, match="needs a checkpointer"):
        pagehop.graph("explore", view, pause_after=("plan",))
    with pytest.raises(ConfigError, match="pin='x'"):
        Steer(pin="x")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="Budget"):
        Steer(budget=3)  # type: ignore[arg-type]


def test_a_view_without_a_page_gives_it_nowhere(view: View) -> None:
    less = view.without((f"{REPORT}:1", "Orrin_2022_annual_report"))
    assert len(less.documents()) == 3 and len(less.pages(REPORT)) == 3
    hits = less.search("revenue of Halden Marine 2022", k=8)
    assert hits and not {str(hit.ref) for hit in hits} & {f"{REPORT}:1"}
    assert not {hit.name for hit in hits} & {"Orrin_2022_annual_report"}
    with pytest.raises(LibraryError, match="not to be used"):
        less.page(pagehop.PageRef(REPORT, 1))
    paths = less.walk(pagehop.PageRef(REPORT, 2))
    assert paths and not any(str(edge.target) == f"{REPORT}:1" for p in paths for edge in p.edges)
