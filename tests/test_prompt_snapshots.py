"""Every prompt as a model gets it, one file each in `snapshots/`: made to be read."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage

from pagehop.agents.model_roles import (
    ModelAnswerer,
    ModelCondenser,
    ModelExplorer,
    ModelPlanner,
    ModelReflector,
)
from pagehop.agents.moves import (
    Call,
    Context,
    Exchange,
    Observation,
    Reflection,
    Role,
    SubQuestion,
    Turn,
)
from pagehop.agents.prompting import Grammar
from pagehop.agents.reasoner import Reasoner
from pagehop.answers import Evidence
from pagehop.errors import ContextOverflow
from pagehop.library.view import View
from pagehop.models.scripted import ScriptedModel
from pagehop.tools.toolset import toolset
from pagehop.types import PageRef

SNAPSHOTS = Path(__file__).parent / "snapshots"
QUESTION = "How did the revenue of Halden Marine in 2022 compare with that of Orrin Textiles?"
REPORT = "Halden_2022_annual_report"
QUOTE = "Revenue rose to 455.9 million crowns, from 412.6 million crowns in 2021"
PARTS = (
    SubQuestion("Q1", "Revenue of Halden Marine in 2022", "answered", "an amount", (REPORT,)),
    SubQuestion("Q2", "Revenue of Orrin Textiles in 2022", needs="an amount", after=("Q1",)),
)
SEARCH = Call("keyword_search", {"query": "Orrin revenue", "k": 2}, "s5c1", "Q2")
READ = Call("read_page", {"ref": "Orrin_2022_annual_report:9"}, "s6c1", "Q2")
FOUND = Call(
    "semantic_search", {"query": "revenue of Orrin 2022", "documents": "Orrin"}, "s4c1", "Q2"
)
SUM = Call("calculate", {"expression": "455.9 - 231.8"}, "s3c1", "Q1")
ROUND = (
    Observation(SEARCH, True, "1. Orrin_2022_annual_report:1 | Revenue rose to 231.8 million"),
    Observation(READ, False, "page 9 does not exist; the document has 4 pages"),
)
SAID = {
    "native": ("Search for the revenue.", "Read the page."),
    "json": (
        '{"calls": [{"tool": "keyword_search", "arguments": {"query": "Orrin revenue", "k": 2}}]}',
        '{"calls": [{"tool": "read_page", "arguments": {"ref": "Orrin_2022_annual_report:9"}}]}',
    ),
    "tags": (
        "<think>Search.</think><search>Orrin revenue</search>",
        "<fetch>text, Orrin_2022_annual_report:9</fetch>",
    ),
}
GRAMMARS: tuple[Grammar, ...] = ("native", "json", "tags")
DONE = {"native": "Nothing more.", "json": '{"done": true}', "tags": "<answer>found</answer>"}


@pytest.fixture
def first(view: View) -> Context:
    """The first step of a run, with a conversation before it."""
    return Context(
        question=QUESTION,
        view=view,
        history=(Exchange("What does Halden Marine do?", "It builds ships. [1]"),),
        sub_questions=PARTS,
        budget_left={"steps": 24, "tool_calls": 120, "seconds": 300.0},
        step=1,
        tried=(SEARCH,),
    )


@pytest.fixture
def middle(view: View) -> Context:
    """The middle of a later round."""
    return Context(
        question=QUESTION,
        view=view,
        sub_questions=PARTS,
        evidence=(
            Evidence(
                "E1", PageRef(REPORT, 1), "Halden 2022 annual report.pdf", "0", QUOTE,
                (0.1, 0.2, 0.9, 0.25), "s1c1", 1.0, "Q1",
            ),
            Evidence(
                "E2", PageRef(REPORT, 2), "Halden 2022 annual report.pdf", "0",
                "The bar of 2022 stands at about 456.", (0.1, 0.5, 0.9, 0.8), "s2c1", 0.9, "Q1",
                kind="reading",
            ),
        ),
        notes=("Amounts are in crowns.", "Orrin has reports for 2021 and 2022."),
        calculations=(Observation(SUM, True, "455.9 - 231.8 = 224.1"),),
        observations=ROUND,
        reflection=Reflection(
            False, "revenue of Orrin Textiles in 2022", contradictions=("412.6 and 411 in 2021",)
        ),
        tried=(FOUND, SUM, SEARCH, READ),
        budget_left={"steps": 4, "tool_calls": 90, "seconds": 60.0},
        step=7,
        round=1,
        strategy=1,
        nudges=("Budget nearly spent: 4 of 24 steps left.",),
    )  # fmt: skip


def with_turns(context: Context, grammar: Grammar) -> Context:
    """Put in what the model said in the round, in its grammar."""
    texts = SAID[grammar]
    turns = tuple(Turn(step, text) for step, text in zip((5, 6), texts, strict=True))
    return replace(context, turns=turns)


async def asked(
    make: Callable[[Reasoner], Role[Any]],
    context: Context,
    *replies: Any,
    grammar: Grammar = "native",
) -> str:
    """Let a role take its step with a scripted model; return its last prompt as text."""
    model = ScriptedModel(replies=list(replies))
    tools = toolset(context.view, images="text", inside=True)
    await make(Reasoner(model=model, tools=tools, grammar=grammar)).step(context)
    call = model.calls[-1]
    names = [tool["function"]["name"] for tool in call.tools]
    offered = f"##### tools offered natively: {', '.join(names)}\n\n" if names else ""
    return offered + "\n".join(rendered(message) for message in call.messages)


def rendered(message: BaseMessage) -> str:
    """Return a message as text; a line with its role stands above it."""
    head = f"##### {message.type}"
    if call := getattr(message, "tool_call_id", ""):
        head += f" (answers {call})"
    lines = [head, str(message.content)]
    if isinstance(message, AIMessage):
        lines += [f"-> {c['id']} {c['name']}({json.dumps(c['args'])})" for c in message.tool_calls]
    return "\n".join(lines) + "\n"


def compare(name: str, text: str) -> None:
    """Compare a prompt with its file."""
    path = SNAPSHOTS / f"prompt_{name}.txt"
    if os.environ.get("PAGEHOP_UPDATE_SNAPSHOTS") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), "run with PAGEHOP_UPDATE_SNAPSHOTS=1"


async def test_the_prompt_that_makes_a_follow_up_stand_alone(first: Context) -> None:
    low = replace(first, effort="low")  # makes no other call
    compare("standalone", await asked(ModelPlanner, low, QUESTION))


async def test_the_prompt_of_the_planner(first: Context) -> None:
    plan = json.dumps({"parts": [{"text": QUESTION}]})
    compare("planner", await asked(ModelPlanner, replace(first, history=()), plan))


@pytest.mark.parametrize("grammar", GRAMMARS)
async def test_the_prompt_of_the_explorer(
    first: Context, middle: Context, grammar: Grammar
) -> None:
    done = DONE[grammar]
    at_first = await asked(ModelExplorer, first, done, grammar=grammar)
    compare(f"explorer_{grammar}_first", at_first)
    later = await asked(ModelExplorer, with_turns(middle, grammar), done, grammar=grammar)
    compare(f"explorer_{grammar}_middle", later)


@pytest.mark.parametrize("grammar", GRAMMARS)
async def test_the_prompt_of_the_condenser(middle: Context, grammar: Grammar) -> None:
    context = with_turns(middle, grammar)
    text = await asked(ModelCondenser, context, '{"sufficient": true}', grammar=grammar)
    compare(f"condenser_{grammar}", text)


@pytest.mark.parametrize("grammar", ("json", "tags"))
async def test_the_brief_prompt_after_one_that_was_too_long(
    middle: Context, grammar: Grammar
) -> None:
    context, replies = with_turns(middle, grammar), (ContextOverflow("too long"), DONE[grammar])
    text = await asked(ModelExplorer, context, *replies, grammar=grammar)
    compare(f"explorer_{grammar}_brief", text)


@pytest.mark.parametrize("grammar", ("json", "tags"))
async def test_the_briefest_prompt_after_two_that_were_too_long(
    middle: Context, grammar: Grammar
) -> None:
    context, too_long = with_turns(middle, grammar), ContextOverflow("too long")
    text = await asked(ModelExplorer, context, too_long, too_long, DONE[grammar], grammar=grammar)
    compare(f"explorer_{grammar}_briefest", text)


async def test_the_prompt_of_the_answerer(middle: Context) -> None:
    claims = json.dumps({"claims": [{"text": "It was 455.9 million.", "evidence": ["E1"]}]})
    compare("answerer", await asked(ModelAnswerer, middle, claims))


async def test_the_prompt_after_a_reply_that_could_not_be_used(middle: Context) -> None:
    claims = json.dumps({"claims": [{"text": "It was 455.9 million.", "evidence": ["E1"]}]})
    wrong = claims.replace("E1", "E9")
    compare("answerer_repair", await asked(ModelAnswerer, middle, wrong, claims))


async def test_the_prompt_of_the_reflector(middle: Context) -> None:
    between = replace(middle, observations=(), effort="high")
    compare("reflector", await asked(ModelReflector, between, '{"sufficient": true}'))
