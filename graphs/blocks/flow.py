"""Nodes and edges of a graph become a LangGraph machine with the shared beginning and end.

    begin -> (the graph's own nodes) -> answer -> verify [-> form]

1. A node gives the name of the next one; which it may name is said when it is added, so that the
   diagram is true. A spent budget goes to `answer`.
2. Every visit of an own node is a step in the ids of events; the budget's steps count those that
   call tools.
3. A node that raises ends the run as failed, as in the main machine.
"""

import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from langgraph.graph import END, START, StateGraph

from pagehop.agents.moves import Plan, SubQuestion
from pagehop.errors import ConfigError
from pagehop.graphs.asking import Asker
from pagehop.graphs.blocks.step import OverBudget, Step
from pagehop.graphs.budget import COSTS
from pagehop.graphs.explore import Machine
from pagehop.graphs.graph import Graph, Setup
from pagehop.graphs.nodes import Nodes, Work
from pagehop.graphs.scope import Scopes
from pagehop.graphs.state import Question, State, Stop, strict
from pagehop.graphs.telling import Teller, told

Body = Callable[[Step], Awaitable[str | None]]
"""A node: works, and names the next one or gives None for the first of its targets."""
SHARED = ("begin", "answer", "verify", "form")


@dataclass
class Flow:
    """The nodes of a graph and where each may go."""

    name: str
    """Of the graph, for errors."""
    bodies: dict[str, Body] = field(default_factory=dict)
    targets: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, body: Body, *, to: Sequence[str], name: str = "") -> None:
        """Add a node; the first one added is where a run begins.

        Args:
            body: An async function or method of a `Step`.
            to: Names of the nodes that may come next; the first where the body names none.
            name: Of the node; empty takes the function's.

        Raises:
            ConfigError: The name is taken, or it goes nowhere.
        """
        name = name or str(getattr(body, "__name__", "node"))
        if name in self.bodies or name in SHARED:
            raise ConfigError(f"graph {self.name!r} adds {name!r} twice; {', '.join(SHARED)} exist")
        if not to:
            raise ConfigError(f"node {name!r} of graph {self.name!r} goes nowhere; to=['answer']?")
        self.bodies[name] = body
        self.targets[name] = tuple(to)

    def checked(self) -> "Flow":
        """Return itself.

        Raises:
            ConfigError: There are no nodes, or one names another that is not there.
        """
        if not self.bodies:
            raise ConfigError(f"graph {self.name!r} adds no node in draw(flow)")
        for name, targets in self.targets.items():
            for target in targets:
                if target not in self.bodies and target != "answer":
                    raise ConfigError(
                        f"node {name!r} of graph {self.name!r} goes to {target!r}, "
                        f"which is none of {', '.join([*self.bodies, 'answer'])}"
                    )
        return self


@dataclass(frozen=True)
class _Works:
    """The nodes of one machine as they run."""

    graph: Graph
    flow: Flow
    nodes: Nodes
    setup: Setup

    async def begin(self, state: State) -> Work:
        """Tell what the run has to do without; understand a follow-up."""
        nodes = self.nodes
        nodes.tell_start(state, self.setup.effort)
        update = State(
            spent=state["spent"],
            memo={},
            warnings=list(self.setup.notes),
            goto=next(iter(self.flow.bodies)),
        )
        for i, text in enumerate(self.setup.notes, 1):
            nodes.teller.tell(state, "note", f"without{i}", {"text": text})
        roles = nodes.scopes.of(state["episode_id"]).roles
        if state["history"]:
            move, update["spent"] = await nodes.asker.ask(
                roles.planner, Plan, state, state["spent"]
            )
            if move and move.question:
                update["question"] = move.question
                text = f"Understood as: {move.question}"
                nodes.teller.tell(state, "note", "asked", {"text": text})
        asked = update.get("question") or state["question"]
        update["sub_questions"] = [SubQuestion("Q1", asked)]
        return Work(update, {})

    async def own(self, name: str, body: Body, state: State) -> Work:
        """Let a node of the graph work, and note which one comes next."""
        targets = self.flow.targets[name]
        # Calls that the node before asked for belong to its step.
        number = state["step"] + (not state["pending"])
        step = self._step(State(**{**state, "step": number}), name)
        goto, over = targets[0], ""
        try:
            goto = await body(step) or goto
        except OverBudget as limit:
            over = str(limit)
        if goto not in (*targets, "answer"):
            raise ConfigError(
                f"node {name!r} of graph {self.graph.name!r} went to {goto!r}; "
                f"its targets are {', '.join(targets)}"
            )
        if not over and goto != "answer":
            over = self.nodes.asker.limits(state).used_up(step.state["spent"], only=COSTS)
        step.take(State(step=number, goto="answer" if over else goto))
        if over:
            step.take(State(stop="budget", used_up=over))
        return self._done(step)

    async def answer(self, state: State) -> Work:
        """Draft the answer from what was seen."""
        step = self._step(state, "answer", closing=True)
        await self.graph.answer(step)
        draft = step.state["draft"]
        if draft is None:
            raise ConfigError(f"answer of graph {self.graph.name!r} made no draft")
        stop: Stop = state["stop"] or "one round"
        step.take(State(stop=stop))
        step.says |= {**told(draft), "because": state["used_up"] or stop}
        return self._done(step)

    def _step(self, state: State, name: str, *, closing: bool = False) -> Step:
        step = Step(
            self.nodes, state, eyes=self.setup.eyes, closing=closing, prompts=self.graph.prompts
        )
        step.says["node"] = name
        step.take(State(spent=state["spent"]))
        return step

    def _done(self, step: Step) -> Work:
        try:
            kept = json.loads(json.dumps(step.memo, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"memo of graph {self.graph.name!r} is not JSON: {error}") from error
        step.take(State(memo=kept))
        says = {key: value for key, value in step.says.items() if key not in ("node", "said")}
        return Work(step.update, says)


def compiled(graph: Graph, setup: Setup) -> Machine:
    """Compile the machine of a graph."""
    if not graph.name:
        raise ConfigError(f"{type(graph).__name__} has no name; set name = '...' in the class")
    flow = Flow(graph.name)
    graph.draw(flow)
    flow.checked()
    teller = Teller(setup.run_id or uuid.uuid4().hex, tuple(setup.sinks))
    tools = setup.tools if callable(setup.tools) else tuple(setup.tools)
    nodes = Nodes(
        asker=Asker(setup.view, setup.budget, "low", teller),
        scopes=Scopes(
            setup.make_roles, setup.view, tools, setup.tool_timeout_s, setup.view.version
        ),
        teller=teller,
        model=setup.model,
        trajectory=setup.trajectory,
        graph=graph.name,
        first="begin",
    )
    works = _Works(graph, flow, nodes, setup)
    machine = StateGraph(State, input_schema=Question)

    def add(name: str, work: Callable[[State], Awaitable[Work]], *targets: str) -> None:
        machine.add_node(name, partial(nodes.run, name, work), input_schema=State)
        if targets:
            machine.add_conditional_edges(name, _next, [*dict.fromkeys(targets), END])

    add("begin", works.begin, next(iter(flow.bodies)))
    machine.add_edge(START, "begin")
    for name, body in flow.bodies.items():
        add(name, partial(works.own, name, body), *flow.targets[name], "answer")
    add("answer", works.answer)
    add("verify", nodes.verify)
    machine.add_conditional_edges("answer", partial(_unless_over, "verify"), ["verify", END])
    if setup.forms:
        add("form", nodes.form)
        machine.add_conditional_edges("verify", partial(_unless_over, "form"), ["form", END])
        machine.add_edge("form", END)
    else:
        machine.add_edge("verify", END)
    saver = strict(setup.checkpointer) if setup.checkpointer is not None else None
    built = machine.compile(checkpointer=saver, name=graph.name)
    return built.with_config(recursion_limit=10_000)


async def _next(state: State) -> str:
    return END if state["answer"] is not None else state["goto"]


async def _unless_over(name: str, state: State) -> str:
    return END if state["answer"] is not None else name
