"""How many tokens a long run reads, beside an agent that appends everything.

    python benchmarks/context.py [--library FOLDER] [--questions FILE] [--steps 15,50] [--save]

A scripted model makes the same real tool calls in the same order through the explore machine
(effort medium) and through LangChain's `create_agent` with the same tools: a search with the words
of a question from the file, then the best page found that was not read yet, and so on. Each round
it keeps two quotes of about 35 words and a note. Counted is all that an endpoint reads, of every
role: tool schemas, messages, calls.

- uncached: what is not in the longest common prefix with the previous prompt of the same role;
  and, as endpoints do it, with any earlier prompt of the run.
- growth: mean explorer prompt of the four steps up to the last one over that of steps 5 to 8; and
  of the single steps.

Without --library the documents of examples/ are indexed into a temporary one.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage

import pagehop
from pagehop.answers import Answer
from pagehop.evaluation.questions import load_questions
from pagehop.graphs.budget import Budget
from pagehop.models.scripted import ScriptedModel
from pagehop.types import PageRef

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "benchmarks" / "context.md"
TARGETS = {15: 0.6, 50: 0.25}
"""Of the tokens of the appending agent, by steps."""
ASKED = "What do these documents say on the following, and how do they differ?"
AGENT = (
    "You answer questions from a library of documents by looking things up with tools. Name the "
    "page, name:page, of everything you say."
)
QUOTE_WORDS = 35
_STEP = re.compile(r"^Step (\d+)\.")


@lru_cache(maxsize=1)
def tokenizer() -> Callable[[str], int] | None:
    """Return tiktoken's counter, where its vocabulary is on this machine."""
    try:
        import tiktoken  # noqa: PLC0415 - optional

        encoding = tiktoken.get_encoding("o200k_base")
    except Exception:  # not installed, or no vocabulary and no network: whatever it raises then
        return None
    return lambda text: len(encoding.encode(text, disallowed_special=()))


def count(text: str) -> int:
    """Return the tokens of a text; four characters each without a tokenizer."""
    counter = tokenizer()
    return len(text) // 4 if counter is None else counter(text)


@dataclass
class Script:
    """What the model says, and every prompt that it was given."""

    view: pagehop.View
    calls: Sequence[tuple[str, dict[str, Any]]]
    prompts: list[tuple[str, str]] = field(default_factory=list)
    """(role, prompt) in order."""
    steps: list[tuple[int, int]] = field(default_factory=list)
    """(step, tokens) of the explorer's prompts."""

    def machine(self, messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        """Answer a role of the explore machine."""
        first, last = str(messages[0].content), str(messages[-1].content)
        if first.startswith("You plan"):
            self._keep("planner", messages, tools)
            return json.dumps({"parts": [{"text": ASKED, "needs": "a statement"}]})
        if first.startswith("You write the answer"):
            self._keep("answerer", messages, tools)
            quote = re.search(r"^E1 \[.*?\] for \w+: (.*)$", str(messages[1].content), re.MULTILINE)
            said = quote[1] if quote else "nothing"
            return json.dumps({"claims": [{"text": said, "evidence": ["E1"]}]})
        if "The round ends here" in last:
            self._keep("condenser", messages, tools)
            return self._kept(messages)
        self._keep("explorer", messages, tools)
        found = _STEP.match(last)
        step = int(found[1]) if found else 1
        self.steps.append((step, count(self.prompts[-1][1])))
        return self._call(step)

    def agent(self, messages: list[BaseMessage], tools: list[dict[str, Any]]) -> Any:
        """Answer the appending agent."""
        self._keep("agent", messages, tools)
        return self._call(len(self.prompts))

    def _call(self, step: int) -> Any:
        if step > len(self.calls):
            return "Nothing more is to be looked up."
        name, arguments = self.calls[step - 1]
        said = "Look for it." if "query" in arguments else "Read the best page."
        return {"content": said, "tool_calls": [{"name": name, "args": arguments}]}

    def _kept(self, messages: Iterable[BaseMessage]) -> str:
        made = [c for m in messages if isinstance(m, AIMessage) for c in m.tool_calls]
        refs = [c["args"]["ref"] for c in made if c["name"] == "read_page"]
        quotes = [{"ref": ref, "quote": self._quote(ref), "part": "Q1"} for ref in refs]
        note = f"{', '.join(refs)} read; the figures are those of the group."
        return json.dumps({"evidence": quotes, "notes": [note] if refs else []})

    def _quote(self, ref: str) -> str:
        words = self.view.page(PageRef.parse(ref)).text.split()
        start = max(0, len(words) // 2 - QUOTE_WORDS)
        return " ".join(words[start : start + QUOTE_WORDS])

    def _keep(
        self, role: str, messages: Iterable[BaseMessage], tools: list[dict[str, Any]]
    ) -> None:
        schemas = json.dumps(tools) if tools else ""
        self.prompts.append((role, schemas + "".join(map(rendered, messages))))


def rendered(message: BaseMessage) -> str:
    """Return a message as the text that a chat template would make of it."""
    text = f"<|{message.type}|>{message.content}"
    if isinstance(message, AIMessage) and message.tool_calls:
        text += json.dumps([{"name": c["name"], "args": c["args"]} for c in message.tool_calls])
    return text


def schedule(
    view: pagehop.View, questions: Sequence[str], steps: int
) -> list[tuple[str, dict[str, Any]]]:
    """Return the tool calls of a run: search, read the best new page, search, ..."""
    calls: list[tuple[str, dict[str, Any]]] = []
    read: set[str] = set()
    for question in questions:
        refs = [str(hit.ref) for hit in view.search(question, k=20)]
        new = [ref for ref in refs if ref not in read and len(_words(view, ref)) > 2 * QUOTE_WORDS]
        if not new:
            continue
        read.add(new[0])
        calls += [("semantic_search", {"query": question}), ("read_page", {"ref": new[0]})]
        if len(calls) >= steps:
            return calls[:steps]
    raise SystemExit(f"{len(questions)} questions make only {len(calls)} steps")


def _words(view: pagehop.View, ref: str) -> list[str]:
    return view.page(PageRef.parse(ref)).text.split()


@dataclass(frozen=True)
class Read:
    """What one run read."""

    tokens: int
    uncached: int
    """Beyond the longest common prefix with the previous prompt of the same role."""
    uncached_any: int
    """Beyond that with any earlier prompt."""
    shares: dict[str, list[float]]
    """Share of each prompt that the previous one of its role begins with, by role."""


def common(a: str, b: str) -> str:
    """Return what two prompts begin with."""
    return os.path.commonprefix([a, b])  # noqa: RUF071 - characters are what is meant


def measure(prompts: Sequence[tuple[str, str]]) -> Read:
    """Count what was read."""
    total = uncached = uncached_any = 0
    shares: dict[str, list[float]] = {}
    for i, (role, prompt) in enumerate(prompts):
        tokens = count(prompt)
        before = [text for other, text in prompts[:i] if other == role]
        same = count(common(prompt, before[-1])) if before else 0
        best = max((common(prompt, text) for _, text in prompts[:i]), key=len, default="")
        total, uncached = total + tokens, uncached + tokens - same
        uncached_any += tokens - count(best)
        if before:
            shares.setdefault(role, []).append(same / tokens)
    return Read(total, uncached, uncached_any, shares)


async def explore(view: pagehop.View, script: Script, steps: int) -> Answer:
    """Run the explore machine."""
    budget = Budget(steps=steps, tool_calls=None, seconds=None)
    model = ScriptedModel(replies=script.machine)
    return await pagehop.aask(
        ASKED, view, model=model, budget=budget, effort="medium", record=False
    )


async def append(view: pagehop.View, script: Script, steps: int) -> None:
    """Run the agent that appends everything."""
    agent = create_agent(
        ScriptedModel(replies=script.agent),
        pagehop.toolset(view, images="text"),
        system_prompt=AGENT,
    )
    asked: Any = {"messages": [("user", ASKED)]}
    await agent.ainvoke(asked, {"recursion_limit": 4 * steps + 10})


async def report(view: pagehop.View, questions: Sequence[str], lengths: Sequence[int]) -> str:
    """Run both at each length and return the tables as Markdown."""
    lines = [
        f"{len(view.documents())} documents. Tokens: "
        + ("tiktoken o200k_base." if tokenizer() else "four characters each."),
        "",
        "| steps | explore, tokens | uncached, same role | uncached, any prompt | appending agent, "
        "tokens | uncached | explore / agent | target |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for steps in lengths:
        calls = schedule(view, questions, steps)
        ours, theirs = Script(view, calls), Script(view, calls)
        answer = await explore(view, ours, steps)
        await append(view, theirs, steps)
        assert answer.usage.steps == steps, answer
        assert [c.verified for c in answer.citations] == [True], answer
        a, b = measure(ours.prompts), measure(theirs.prompts)
        lines.append(
            f"| {steps} | {a.tokens:,} | {a.uncached:,} | {a.uncached_any:,} | {b.tokens:,} "
            f"| {b.uncached:,} | {a.tokens / b.tokens:.3f} | {TARGETS.get(steps, 1.0)} |"
        )
    return "\n".join([*lines, "", *_longest(ours, a, answer)])


def _longest(script: Script, read: Read, answer: Answer) -> list[str]:
    """Return what is told of the longest run."""
    sizes = dict(script.steps)
    last = max(sizes)
    late = statistics.mean(sizes[step] for step in range(last - 3, last + 1))
    early = statistics.mean(sizes[step] for step in range(5, 9))
    pooled = [share for shares in read.shares.values() for share in shares]
    calls = len(script.prompts) - 2  # plan and answer belong to no round
    shares = ", ".join(
        f"{role} {statistics.median(shares):.2f} (n = {len(shares)})"
        for role, shares in sorted(read.shares.items())
    )
    (citation,) = answer.citations
    return [
        f"Of the run of {last} steps:",
        "",
        f"- explorer's prompt: {early:,.0f} tokens in steps 5 to 8, {late:,.0f} in the last four, "
        f"ratio {late / early:.2f} (target 1.2); step 5 alone {sizes[5]:,}, step {last} alone "
        f"{sizes[last]:,}, ratio {sizes[last] / sizes[5]:.2f}",
        f"- share of a prompt that repeats the previous one of its role, median: pooled "
        f"{statistics.median(pooled):.2f} (target .80); {shares}",
        f"- model calls a round: {calls / answer.usage.rounds:.1f}",
        f"- the answer cites what was kept in the first round: {citation.name}:{citation.page}, "
        "found on its page",
    ]


def main() -> None:
    """Measure, print, and perhaps save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--library", type=Path, help="library to use; made of examples/ otherwise")
    parser.add_argument("--questions", type=Path, default=ROOT / "examples" / "questions.jsonl")
    parser.add_argument("--steps", default="15,50", help="lengths of run, comma-separated")
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    given = parser.parse_args()
    questions = [question.question for question in load_questions(given.questions)]
    with ExitStack() as stack:
        folder = given.library or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        library = stack.enter_context(pagehop.Library(folder))
        if given.library is None:
            library.add(ROOT / "examples" / "documents")
        lengths = [int(steps) for steps in given.steps.split(",")]
        text = asyncio.run(report(library.view(), questions, lengths))
    print(text)
    if given.save:
        command = "python benchmarks/context.py " + " ".join(sys.argv[1:])
        head = f"# Tokens of a long run\n\n{date.today()}: `{command.strip()}`."
        about = (__doc__ or "").split("\n\n", 3)[2]
        TABLE.write_text(f"{head} {' '.join(about.split())}\n\n{text}\n")


if __name__ == "__main__":
    main()
