"""The main machine, driven by small roles that are written here."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_core.tools import BaseTool, tool
from pagehop.agents.moves import (
    Call,
    Claim,
    Context,
    Draft,
    Explore,
    Finding,
    Plan,
    Reflection,
    Roles,
    SubQuestion,
    Summary,
)
from pagehop.agents.verifier import RuleVerifier
from pagehop.graphs.budget import Budget
from pagehop.graphs.explore import build
from pagehop.library.view import View
from pagehop.tools.toolset import toolset
from pagehop.types import Answer, Event, PageRef, Usage

QUESTION = "What was the revenue of Halden Marine in 2022?"
REVENUE = "Revenue rose to 455.9 million crowns"
PAGE = "Halden_2022_annual_report:1"


@dataclass
class Acts:
    """A role made of one function of the context; keeps the contexts it was shown."""

    move: Callable[[Context], Any]
    seen: list[Context] = field(default_factory=list)

    async def step(self, context: Context) -> Any:
        self.seen.append(context)
        made = self.move(context)
        return await made if asyncio.iscoroutine(made) else made


def read_page(ref: str = PAGE) -> Call:
    return Call("read_page", {"ref": ref}, sub_question="Q1")


def find(quote: str, ref: str = PAGE) -> Callable[[Context], Summary]:
    """A summarizer that keeps one quote, from the last call of the round."""

    def move(context: Context) -> Summary:
        call = context.observations[-1].call.id
        return Summary((Finding(PageRef.parse(ref), quote, call, 1.0, "Q1"),))

    return move


def roles(**given: Callable[[Context], Any]) -> Roles:
    """Roles that read one page, keep its sentence on revenue and answer with it."""
    moves: dict[str, Callable[[Context], Any]] = {
        "planner": lambda context: Plan((SubQuestion("Q1", context.question),)),
        "explorer": lambda context: Explore((read_page(),), done=True),
        "summarizer": find(REVENUE),
        "reflector": lambda context: Reflection(sufficient=bool(context.evidence)),
        "answerer": lambda context: Draft(
            tuple(Claim(item.quote, (item.id,)) for item in context.evidence)
        ),
        **given,
    }
    verifier = moves.pop("verifier", None)
    filled = {name: Acts(move) for name, move in moves.items()}
    return Roles(**filled, verifier=Acts(verifier) if verifier else RuleVerifier())


async def run(
    view: View, given: Roles, budget: Budget | None = None, **options: Any
) -> tuple[Answer, list[Event]]:
    options.setdefault("tools", toolset(view, images="text", inside=True))
    events: list[Event] = []
    machine = build(view, given, budget, sinks=(events.append,), **options)
    state = await machine.ainvoke({"question": QUESTION})
    return state["answer"], events


def of(events: Sequence[Event], kind: str, node: str = "") -> list[dict[str, Any]]:
    """Bodies of the events of one type."""
    return [dict(e.body) for e in events if e.type == kind and node in ("", e.body.get("node"))]


async def test_a_question_is_answered_with_a_located_citation(view: View) -> None:
    answer, events = await run(view, roles())
    assert answer.status == "answered", answer
    assert answer.text == f"{REVENUE}, [1]"
    (citation,) = answer.citations
    assert (citation.name, citation.page, citation.verified) == (*PAGE.split(":"), True) or (
        citation.ref == PageRef.parse(PAGE) and citation.verified
    )
    assert citation.document == "Halden 2022 annual report.pdf"
    assert 0 < citation.box[0] < citation.box[2] < 1
    nodes = [event.body["node"] for event in events if event.type == "node"]
    assert nodes == ["plan", "explore", "act", "summarize", "reflect", "answer", "verify"]
    assert [e.type for e in events][0] == "episode.start"
    assert [e.type for e in events][-1] == "episode.end"
    assert of(events, "episode.end")[0]["answer"] == answer.to_json()
