"""The machine's own time per step, beside LangChain's `create_agent` in the same run.

Trivial roles and a tool that does nothing, so what is left is the machine: its nodes, its state,
its events, its record and its checkpoints, and one quote located on its page each round. A step is
one model turn and one tool call.

    python benchmarks/machine.py [--steps 50] [--runs 5] [--save]
"""

import argparse
import asyncio
import platform
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pymupdf
from langchain.agents import create_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from pagehop.agents.moves import (
    Call,
    Context,
    Draft,
    Explore,
    Finding,
    Plan,
    Reflection,
    Roles,
    SubQuestion,
    Summary,
    Verdict,
)
from pagehop.events import EventSink
from pagehop.graphs.budget import Budget
from pagehop.graphs.explore import build
from pagehop.library.library import Library
from pagehop.library.view import View
from pagehop.trajectories.recorder import record_run
from pagehop.types import PageRef

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "machine.md"
TARGET_MS = 10.0
QUOTE = "The mill stands at the river."


@tool
def nothing(query: str) -> str:
    """Do nothing."""
    return f"nothing about {query}"


def one_page(folder: Path) -> Path:
    """Write a PDF of one page."""
    path = folder / "mill.pdf"
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), QUOTE)
        document.save(path)
    return path


@dataclass(frozen=True)
class Idle:
    """A role that makes the same kind of move each time."""

    move: Callable[[Context], Any]

    async def step(self, context: Context) -> Any:
        """Answer at once."""
        return self.move(context)


class Scripted(GenericFakeChatModel):
    """A model that calls the tool a given number of times."""

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        """Take the tools as they are."""
        return self


def idle_roles(steps: int, page: PageRef) -> Roles:
    """Return roles that take this many steps and find the same quote each round."""
    return Roles(
        planner=Idle(lambda context: Plan((SubQuestion("Q1", context.question),))),
        explorer=Idle(
            lambda context: Explore(
                (Call("nothing", {"query": f"step {context.step}"}),), done=context.step == steps
            )
        ),
        # For a sub-question of its own each round: barren rounds would end the run.
        summarizer=Idle(
            lambda context: Summary(
                (Finding(page, QUOTE, context.tried[-1].id, 1.0, f"Q{context.round}"),)
            )
        ),
        reflector=Idle(lambda context: Reflection(sufficient=context.step == steps)),
        answerer=Idle(lambda context: Draft(unanswerable=True, reason="nothing was found")),
        verifier=Idle(lambda context: Verdict(kept=())),
    )


async def machine_run(view: View, steps: int, records: Path | None, saver: Any) -> None:
    """Take the steps with the main machine; recorded where there is a folder for it."""
    budget = Budget(steps=steps, tool_calls=None, seconds=None)
    roles = idle_roles(steps, PageRef(view.documents()[0].name, 1))
    config: Any = {"configurable": {"thread_id": uuid.uuid4().hex}}
    with ExitStack() as stack:
        sinks: list[EventSink] = []
        if records is not None:
            sinks = [stack.enter_context(record_run(records, fallback=records, manifest={}))]
        machine = build(view, roles, budget, tools=[nothing], checkpointer=saver, sinks=sinks)
        state = await machine.ainvoke({"question": "What?"}, config)
    assert state["spent"].steps == steps, state["answer"]


async def agent_run(steps: int, saver: Any) -> None:
    """Take the steps with LangChain's agent."""
    turns = [
        AIMessage(
            "", tool_calls=[{"name": "nothing", "args": {"query": f"step {i}"}, "id": f"{i}"}]
        )
        for i in range(steps)
    ]
    model = Scripted(messages=iter([*turns, AIMessage("nothing was found")]))
    agent = create_agent(model, [nothing], checkpointer=saver)
    thread = {"thread_id": uuid.uuid4().hex}
    config: Any = {"configurable": thread, "recursion_limit": 3 * steps + 10}
    asked: Any = {"messages": [("user", "What?")]}
    state = await agent.ainvoke(asked, config)
    assert len(state["messages"]) == 2 * steps + 2


async def measure(steps: int, runs: int) -> list[tuple[str, list[float]]]:
    """Return (name, milliseconds per step of each run); the kinds of run take turns."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        library = stack.enter_context(Library(folder / "library"))
        library.add(one_page(folder))
        view = library.view()
        opened = AsyncSqliteSaver.from_conn_string(str(folder / "runs.db"))
        saver = await stack.enter_async_context(opened)
        records = folder / "records"
        kinds: dict[str, Callable[[], Awaitable[None]]] = {}
        for kept, name in ((None, ""), (saver, ", SQLite checkpoints")):
            kinds[f"machine{name}"] = partial(machine_run, view, steps, None, kept)
            kinds[f"machine, recorded{name}"] = partial(machine_run, view, steps, records, kept)
            kinds[f"create_agent{name}"] = partial(agent_run, steps, kept)
        times: dict[str, list[float]] = {name: [] for name in kinds}
        for turn in range(runs + 1):
            for name, run in kinds.items():
                started = time.perf_counter()
                await run()
                if turn:  # the first warms up
                    times[name].append((time.perf_counter() - started) * 1000 / steps)
    return list(times.items())


def table(rows: list[tuple[str, list[float]]], steps: int, runs: int) -> str:
    """Write the results as Markdown."""
    lines = [
        "# The machine's own time per step",
        "",
        f"`python benchmarks/machine.py --steps {steps} --runs {runs} --save`; roles and tool do "
        f"next to nothing; Python {platform.python_version()}. A step of the machine is explore, "
        "act and every fourth time summarize and reflect; one of `create_agent` is a model turn "
        f"and a tool call. Target: below {TARGET_MS:.0f} ms with events, and not above "
        "`create_agent` with the same saver.",
        "",
        "| | median ms / step | fastest | slowest |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {statistics.median(times):.2f} | {min(times):.2f} | {max(times):.2f} |"
        for name, times in rows
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, print, and perhaps save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--save", action="store_true", help=f"write {TABLE}")
    given = parser.parse_args()
    text = table(asyncio.run(measure(given.steps, given.runs)), given.steps, given.runs)
    print(text)
    if given.save:
        TABLE.parent.mkdir(parents=True, exist_ok=True)
        TABLE.write_text(text)


if __name__ == "__main__":
    main()
