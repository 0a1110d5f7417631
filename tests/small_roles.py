"""Roles of one function each, and runs of the main machine with them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

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
from pagehop.answers import Answer
from pagehop.events import Event
from pagehop.graphs.budget import Budget
from pagehop.graphs.explore import build
from pagehop.graphs.state import Question
from pagehop.library.view import View
from pagehop.tools.toolset import toolset
from pagehop.types import PageRef

ASKED: Question = {"question": "What was the revenue of Halden Marine in 2022?"}
REVENUE = "Revenue rose to 455.9 million crowns"
REPORT = "Halden_2022_annual_report"
LOOP = ["explore", "act", "summarize", "reflect"]


@dataclass
class Acts:
    """A role made of one function of the context; keeps the contexts it was shown."""

    move: Callable[[Context], Any]
    seen: list[Context] = field(default_factory=list)

    async def step(self, context: Context) -> Any:
        self.seen.append(context)
        made = self.move(context)
        return await made if asyncio.iscoroutine(made) else made


def read(page: int = 1) -> Call:
    return Call("read_page", {"ref": f"{REPORT}:{page}"}, sub_question="Q1")


def calls(*made: Call, done: bool = True) -> Callable[[Context], Explore]:
    return lambda context: Explore(made, done=done)


def keeps(*quotes: str, page: int = 1) -> Callable[[Context], Summary]:
    """A summarizer that keeps these quotes of a page, as found by the round's last call."""

    def move(context: Context) -> Summary:
        call = context.observations[-1].call.id
        ref = PageRef(REPORT, page)
        return Summary(tuple(Finding(ref, quote, call, 1.0, "Q1") for quote in quotes))

    return move


def states(*claims: Claim) -> Callable[[Context], Draft]:
    return lambda context: Draft(claims)


def roles(**given: Callable[[Context], Any]) -> Roles:
    """Roles that read one page, keep its sentence on revenue and answer with it."""
    moves: dict[str, Callable[[Context], Any]] = {
        "planner": lambda context: Plan((SubQuestion("Q1", context.question),)),
        "explorer": calls(read()),
        "summarizer": keeps(REVENUE),
        "reflector": lambda context: Reflection(sufficient=bool(context.evidence)),
        "answerer": lambda context: Draft(
            tuple(Claim(item.quote, (item.id,)) for item in context.evidence)
        ),
        **given,
    }
    verifier = moves.pop("verifier", None)
    filled: dict[str, Any] = {name: Acts(move) for name, move in moves.items()}
    return Roles(**filled, verifier=Acts(verifier) if verifier else RuleVerifier())


async def run(
    view: View, given: Roles, budget: Budget | None = None, **options: Any
) -> tuple[Answer, list[Event]]:
    events: list[Event] = []
    options["tools"] = [*toolset(view, images="text", inside=True), *options.get("tools", ())]
    machine = build(view, given, budget, sinks=(events.append,), **options)
    state = await machine.ainvoke(ASKED)
    return state["answer"], events


def bodies(events: Sequence[Event], kind: str) -> list[dict[str, Any]]:
    return [dict(event.body) for event in events if event.type == kind]


def nodes(events: Sequence[Event]) -> list[str]:
    return [body["node"] for body in bodies(events, "node")]


def seen_by(role: Any) -> list[Context]:
    assert isinstance(role, Acts)
    return role.seen
