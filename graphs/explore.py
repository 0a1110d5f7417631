"""The main machine: plan, then explore and act in rounds, then answer and verify.

    plan -> explore -> act -> (more steps, or) summarize -> reflect -> explore ...
         -> answer -> verify

A plan may bring the calls of the first step; then act comes next.

1. A round ends after some steps or characters. Summarize makes evidence of its observations, each
   quote located on its page, and the observations leave the state: what the next step sees stays
   bounded however long the run.
2. Reflect ends the run when the evidence suffices. Two rounds without new evidence change the
   strategy once; the next barren one ends the run.
3. A spent budget goes to answer. Verify may send the run back to explore once.
4. Every node emits events through LangGraph's custom stream and to the sinks. Their ids derive
   from (episode, step, call), so a node that runs again after a crash overwrites itself.
5. A role that raises ends the run as failed; that is recorded and never becomes an answer.

`build` makes a machine for one view, its roles and a budget. Nothing is compiled at import. The
graph of nodes and edges is compiled once, when the first machine of its shape is built: to compile
takes as long as a short run. A machine is that graph with its own `Nodes` in the config, where
nodes and edges find them.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from pagehop.agents.moves import Roles
from pagehop.events import EventSink
from pagehop.graphs.asking import ROUND_CHARACTERS, ROUND_STEPS, Asker, Effort
from pagehop.graphs.budget import COSTS, Budget
from pagehop.graphs.nodes import NAMES, Nodes, Work
from pagehop.graphs.scope import Scopes, Tools
from pagehop.graphs.state import Question, State, strict
from pagehop.graphs.steering import Pause, pause
from pagehop.graphs.telling import Teller
from pagehop.library.view import View

Machine = CompiledStateGraph[State, None, Question, State]
Route = Callable[[Asker, State], str]
"""Which node comes next, from the state alone."""
_NODES = "__pagehop_nodes"
"""Key of a machine's own nodes in its config; LangGraph keeps such names out of checkpoints."""


def build(
    view: View,
    roles: Roles | Callable[[], Roles],
    budget: Budget | None = None,
    *,
    tools: Tools,
    effort: Effort = "medium",
    model: str = "builtin",
    tool_timeout_s: float = 30.0,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    sinks: Sequence[EventSink] = (),
    run_id: str = "",
    trajectory: str = "",
    forms: bool = False,
    pause_after: Sequence[Pause] = (),
) -> Machine:
    """Make the machine for one view.

    Args:
        view: What is searched; tools and roles hold the same one.
        roles: Who fills plan, explore, summarize, reflect, answer and verify; a function makes
            them anew for each run, which roles with a memory need.
        budget: Limits of each run; None takes the defaults of `Budget`.
        tools: What explore may call; a function makes them for a view, which bans need.
        effort: low is one step and an answer; high reflects after fewer steps than medium.
        model: Name of what fills the roles, for the record.
        tool_timeout_s: Time limit of one tool call in seconds.
        checkpointer: Where state is kept between nodes; it reads back our state types only.
        sinks: Called with every event, e.g. a recorder.
        run_id: Of the record that the sinks write; made up when empty.
        trajectory: Path of that record; goes into the answer.
        forms: The roles have a former, which puts the answer into a form.
        pause_after: Nodes behind which a person steers the run; needs a checkpointer.
    """
    limits = budget or Budget()
    make_roles = (lambda: roles) if isinstance(roles, Roles) else roles
    teller = Teller(run_id or uuid.uuid4().hex, tuple(sinks))
    held = tools if callable(tools) else tuple(tools)
    scopes = Scopes(make_roles, view, held, tool_timeout_s, view.version)
    nodes = Nodes(Asker(view, limits, effort, teller), scopes, teller, model, trajectory)
    saver = strict(checkpointer) if checkpointer is not None else None
    # A step is at most explore, act, summarize and reflect; the other nodes run at most twice.
    steps = 10_000 if pause_after else limits.steps or 10_000  # a person may raise the limit
    config = RunnableConfig(recursion_limit=4 * steps + 16, configurable={_NODES: nodes})
    drawn = _drawn(forms, tuple(pause_after))
    return drawn.copy({"checkpointer": saver, "config": config})


@lru_cache(maxsize=8)
def _drawn(forms: bool, pauses: tuple[Pause, ...]) -> Machine:
    """Compile the graph of all machines that have the same nodes."""
    graph = StateGraph(State, input_schema=Question)
    # Partial functions, because LangGraph searches the code of plain ones for graphs inside and
    # reads their types.
    for name in (*NAMES, *(["form"] if forms else ())):
        graph.add_node(name, partial(_work, name), input_schema=State)
    for name in pauses:
        graph.add_node(f"pause_{name}", partial(_pause, name))
    _connect(graph, forms=forms, pauses=pauses)
    return graph.compile(name="explore")


def _nodes(config: RunnableConfig) -> Nodes:
    nodes: Nodes = config["configurable"][_NODES]
    return nodes


async def _work(name: str, state: State, config: RunnableConfig) -> State:
    nodes = _nodes(config)
    work: Callable[[State], Awaitable[Work]] = getattr(nodes, name)
    return await nodes.run(name, work, state)


async def _pause(name: Pause, state: State, config: RunnableConfig) -> State:
    return await pause(name, _nodes(config).asker, state)


def _after_plan(asker: Asker, state: State) -> str:
    if state["pending"]:
        return "act"
    return "answer" if asker.limits(state).used_up(state["spent"]) else "explore"


def _after_explore(asker: Asker, state: State) -> str:
    return "act" if state["pending"] else "summarize"


def _after_act(asker: Asker, state: State) -> str:
    characters = sum(len(item.text) for item in state["observations"])
    over = (
        state["round_done"]
        or state["step"] - state["round_start"] >= ROUND_STEPS[asker.effort]
        or characters >= ROUND_CHARACTERS
        or asker.limits(state).used_up(state["spent"])
    )
    return "summarize" if over else "explore"


def _after_summarize(asker: Asker, state: State) -> str:
    # A limit on steps or tools alone still lets reflect say that what is there suffices.
    over = asker.effort == "low" or asker.limits(state).used_up(state["spent"], only=COSTS)
    return "answer" if over else "reflect"


def _after_reflect(asker: Asker, state: State) -> str:
    over = state["stop"] or asker.limits(state).used_up(state["spent"])
    return "answer" if over else "explore"


def _after_answer(asker: Asker, state: State) -> str:
    return "verify"


def _after_verify(asker: Asker, state: State) -> str:
    return "explore" if state["assembled"] is None else "form"


def _connect(
    graph: StateGraph[State, None, Question, State], *, forms: bool, pauses: Sequence[Pause]
) -> None:
    """Draw the edges; from every node a run that has its answer, or failed, ends."""
    edges: tuple[tuple[str, Route, list[str]], ...] = (
        ("plan", _after_plan, ["explore", "act", "answer"]),
        ("explore", _after_explore, ["act", "summarize"]),
        ("act", _after_act, ["explore", "summarize"]),
        ("summarize", _after_summarize, ["reflect", "answer"]),
        ("reflect", _after_reflect, ["explore", "answer"]),
        ("answer", _after_answer, ["verify"]),
        ("verify", _after_verify, ["explore", *(["form"] if forms else ())]),
    )
    graph.add_edge(START, "plan")
    for name, route, targets in edges:
        if name in pauses:
            behind = f"pause_{name}"
            graph.add_conditional_edges(name, partial(_unless_over, _to(behind)), [behind, END])
            graph.add_conditional_edges(behind, partial(_pinned_or, route), [*targets, "act"])
        else:
            graph.add_conditional_edges(name, partial(_unless_over, route), [*targets, END])
    if forms:
        graph.add_edge("form", END)


def _to(name: str) -> Route:
    return lambda asker, state: name


async def _pinned_or(route: Route, state: State, config: RunnableConfig) -> str:
    return "act" if state["pending"] else route(_nodes(config).asker, state)


# Async because LangGraph sends plain functions through a thread, which costs more than a node.
async def _unless_over(route: Route, state: State, config: RunnableConfig) -> str:
    return END if state["answer"] is not None else route(_nodes(config).asker, state)
