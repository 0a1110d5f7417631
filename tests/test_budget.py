"""Budgets: limits that are kept, told in time, and leave room for the answer."""

import asyncio
import math
from typing import Any

import pytest
from langchain_core.tools import BaseTool, tool

from pagehop import Budget, ConfigError
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
from pagehop.answers import Answer, Usage
from pagehop.errors import CallFailed, ModelError
from pagehop.events import Event
from pagehop.graphs.budget import Spent
from pagehop.graphs.explore import build
from pagehop.library.view import View
from pagehop.tools.toolset import toolset
from pagehop.types import PageRef

COST = Usage(model_calls=1, input_tokens=80, output_tokens=20, money=0.5)
REPORT = "Halden_2022_annual_report"


class Restless:
    """Fills every role; never satisfied, never repeats a call, and says what each move cost."""

    def __init__(self, cost: Usage | None = None, calls: int = 1, tool_name: str = "") -> None:
        self.cost = cost
        self.calls = calls
        self.tool = tool_name
        self.nudges: list[tuple[str, ...]] = []
        self.moves: list[str] = []

    def roles(self) -> Roles:
        names = ("plan", "explore", "summarize", "reflect", "answer")
        plan, explore, summarize, reflect, answer = (_Bound(self, name) for name in names)
        return Roles(plan, explore, summarize, reflect, answer, RuleVerifier())

    async def move(self, name: str, context: Context) -> Any:
        self.moves.append(name)
        if self.cost is not None:
            context.meter.add(self.cost)
        return getattr(self, name)(context)

    def plan(self, context: Context) -> Plan:
        return Plan((SubQuestion("Q1", context.question),))

    def explore(self, context: Context) -> Explore:
        self.nudges.append(context.nudges)
        made = [
            Call(self.tool, {"ref": f"{REPORT}:1", "x1": 0.9 - context.step / 100})
            if self.tool
            else Call("calculate", {"expression": f"{context.step} + {i}"})
            for i in range(self.calls - 1)
        ]
        page = context.step % 4 + 1
        return Explore((*made, Call("read_page", {"ref": f"{REPORT}:{page}"})), done=True)

    def summarize(self, context: Context) -> Summary:
        read = [o for o in context.observations if o.ok and o.call.tool == "read_page"]
        return Summary(
            tuple(
                Finding(
                    PageRef.parse(o.call.arguments["ref"]), "the", o.call.id, 1.0, f"Q{o.call.id}"
                )
                for o in read
            )
        )

    def reflect(self, context: Context) -> Reflection:
        return Reflection(sufficient=False, missing="more")

    def answer(self, context: Context) -> Draft:
        return Draft(tuple(Claim("It is there.", (item.id,)) for item in context.evidence[:1]))


class _Bound:
    def __init__(self, owner: Restless, name: str) -> None:
        self.owner, self.name = owner, name

    async def step(self, context: Context) -> Any:
        return await self.owner.move(self.name, context)


async def run(
    view: View, role: Restless, budget: Budget, *more: BaseTool, **options: Any
) -> tuple[Answer, list[Event]]:
    events: list[Event] = []
    tools = [*toolset(view, images="text"), *more]
    machine = build(view, role.roles(), budget, tools=tools, sinks=(events.append,), **options)
    return (await machine.ainvoke({"question": "What?"}))["answer"], events


async def test_spent_steps_end_in_the_best_answer_so_far_and_that_is_said(view: View) -> None:
    answer, _ = await run(view, Restless(), Budget(steps=3))
    assert (answer.status, answer.text) == ("exhausted", "It is there. [1]")
    assert answer.usage.steps == 3
    assert answer.warnings == (
        "This is the best answer so far; it may be incomplete: the budget was spent: "
        "steps (3 of 3).",
    )


async def test_a_spent_budget_without_evidence_says_so_and_claims_nothing(view: View) -> None:
    class Blind(Restless):
        def summarize(self, context: Context) -> Summary:
            return Summary()

    answer, _ = await run(view, Blind(), Budget(steps=1))
    assert answer.status == "exhausted" and not answer.citations
    assert answer.text.startswith("No answer was found before the budget was spent: steps (1 of 1)")


async def test_a_last_step_that_suffices_is_an_answer(view: View) -> None:
    class Content(Restless):
        def reflect(self, context: Context) -> Reflection:
            return Reflection(sufficient=True)

    answer, _ = await run(view, Content(), Budget(steps=1))
    assert answer.status == "answered" and not answer.warnings


async def test_tool_calls_beyond_the_budget_are_not_run(view: View) -> None:
    answer, events = await run(view, Restless(calls=3), Budget(tool_calls=4))
    assert answer.usage.tool_calls == 4
    assert answer.status == "exhausted" and "tool_calls (4 of 4)" in answer.warnings[-1]
    acts = [event.body for event in events if event.body.get("node") == "act"]
    assert [body["not_run"] for body in acts] == [0, 2]


@pytest.mark.parametrize(
    "budget", [Budget(model_calls=6), Budget(tokens=550), Budget(tokens=600), Budget(money=2.5)]
)
async def test_what_models_spend_ends_exploring_and_leaves_the_answer_its_share(
    view: View, budget: Budget
) -> None:
    role = Restless(COST)
    answer, _ = await run(view, role, budget)
    assert role.moves[-1] == "answer" and answer.status == "exhausted"
    assert answer.text == "It is there. [1]"
    usage = answer.usage
    assert usage.model_calls <= (budget.model_calls or math.inf)
    assert usage.input_tokens + usage.output_tokens <= (budget.tokens or math.inf)
    assert usage.money <= (budget.money or math.inf)


async def test_a_plan_that_spends_everything_goes_to_answer(view: View) -> None:
    role = Restless(Usage(model_calls=9))
    answer, _ = await run(view, role, Budget(model_calls=3))
    assert role.moves == ["plan", "answer"] and answer.status == "exhausted"


async def test_seconds_end_a_role_that_is_still_thinking(view: View) -> None:
    class Slow(Restless):
        async def move(self, name: str, context: Context) -> Any:
            if name == "explore" and context.step > 1:
                await asyncio.sleep(60)
            return await super().move(name, context)

    answer, _ = await run(view, Slow(), Budget(seconds=1.5), effort="high")
    assert answer.status == "exhausted" and answer.text == "It is there. [1]"
    assert "seconds" in answer.warnings[-1]


async def test_a_call_that_ends_with_the_seconds_ends_exploring_and_does_not_fail_the_run(
    view: View,
) -> None:
    class Waiting(Restless):
        left = 0.0

        async def move(self, name: str, context: Context) -> Any:
            if name == "summarize" and context.step > 1:
                await asyncio.sleep(context.budget_left["seconds"] - 0.05)
                raise CallFailed("no reply in time (0.0 s are left)", kind="timeout")
            if name == "answer":
                self.left = context.budget_left["seconds"]
            return await super().move(name, context)

    role = Waiting()
    answer, _ = await run(view, role, Budget(seconds=3), effort="high")
    assert answer.status == "exhausted" and answer.text == "It is there. [1]"
    assert 0 < role.left <= 0.31  # the answerer has what is kept for it


@pytest.mark.parametrize("fails", ["late", "error"])
async def test_what_a_role_spent_before_it_failed_is_counted(view: View, fails: str) -> None:
    class Wasteful(Restless):
        async def move(self, name: str, context: Context) -> Any:
            if name == "explore" and context.step > 1:
                context.meter.add(Usage(model_calls=3, input_tokens=700, money=0.25))
                if fails == "error":
                    raise ModelError("no usable reply")
                await asyncio.sleep(60)
            return await super().move(name, context)

    role = Wasteful(COST)
    answer, _ = await run(view, role, Budget(seconds=1.5), effort="high")
    assert answer.status == ("failed" if fails == "error" else "exhausted")
    paid = len(role.moves)
    assert answer.usage.model_calls == paid + 3
    assert answer.usage.input_tokens == 80 * paid + 700
    assert answer.usage.money == 0.5 * paid + 0.25


async def test_seconds_end_a_tool_that_hangs(view: View) -> None:
    stay = asyncio.Event()

    @tool
    async def hang(ref: str, x1: float) -> str:
        """Wait for ever."""
        await stay.wait()
        return ref

    role = Restless(calls=2, tool_name="hang")
    answer, _ = await run(view, role, Budget(seconds=1.5), hang)
    assert answer.status == "exhausted" and answer.text == "It is there. [1]"


async def test_an_answerer_that_never_comes_back_fails_by_name(view: View) -> None:
    class Mute(Restless):
        async def move(self, name: str, context: Context) -> Any:
            if name == "answer":
                await asyncio.sleep(60)
            return await super().move(name, context)

    answer, _ = await run(view, Mute(), Budget(seconds=0.5))
    assert answer.status == "failed"
    assert answer.error.startswith("answer: TimeoutError: no draft within")


async def test_pictures_beyond_the_budget_are_not_rendered(view: View) -> None:
    @tool(response_format="content_and_artifact")
    def look(ref: str, x1: float) -> tuple[str, dict[str, Any]]:
        """Say how large the picture is."""
        return "a picture", {"ref": ref, "width_px": 100, "height_px": 50}

    role = Restless(calls=2, tool_name="look")
    made = [one for one in toolset(view, images="text") if one.name != "look"]
    for budget, shown in ((Budget(images=2, steps=4), 2), (Budget(pixels=5000, steps=4), 1)):
        events: list[Event] = []
        machine = build(view, role.roles(), budget, tools=[*made, look], sinks=(events.append,))
        await machine.ainvoke({"question": "What?"})
        ran = [e.body["call"] for e in events if e.type == "tool.end" and e.body["tool"] == "look"]
        assert len(ran) == shown


async def test_the_reasoner_is_told_at_four_fifths_and_once_in_the_record(view: View) -> None:
    role = Restless()
    _, events = await run(view, role, Budget(steps=5, tool_calls=None, seconds=None))
    assert role.nudges == [
        (), (), (), ("Budget nearly spent: 1 of 5 steps left.",),
        ("Budget nearly spent: 0 of 5 steps left.",),
    ]  # fmt: skip
    told = [event.body["text"] for event in events if event.type == "note"]
    assert told == ["Budget nearly spent: 1 of 5 steps left."]


def test_what_is_left_leaves_out_the_reserve() -> None:
    budget = Budget(steps=4, tool_calls=None, model_calls=10, tokens=1000, seconds=100.0)
    left = budget.left(Spent(steps=1, model_calls=3, input_tokens=90, seconds=95.0))
    assert left == {"steps": 3, "model_calls": 5, "tokens": 810, "seconds": 0}


@pytest.mark.parametrize(
    "limits",
    [
        {"steps": 0}, {"steps": -1}, {"steps": 1.5}, {"steps": "many"}, {"tool_calls": 0},
        {"model_calls": 2}, {"tokens": 0}, {"money": 0}, {"money": -1.0}, {"seconds": 0},
        {"seconds": math.nan}, {"images": -1}, {"steps": True},
    ],
)  # fmt: skip
def test_limits_that_no_run_could_keep_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(limits))):
        Budget(**limits)
