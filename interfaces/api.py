"""Ask documents a question: the functions behind `pagehop.ask` and `pagehop.stream`.

1. The core is async. The sync functions run it on one portal thread, which several calls at once
   share and which ends with the last of them; so they work inside a running event loop too.
2. Every run is a fold of one event stream; `ask` keeps its last event, `stream` gives them all.
3. What is asked may be a view, a library or a path. A plain folder is indexed first.
"""

import hashlib
import queue
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from pagehop.errors import ConfigError
from pagehop.library.library import Library
from pagehop.library.manifest import HEADER
from pagehop.library.view import View
from pagehop.settings import load_settings
from pagehop.types import Answer, Event

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal, BlockingPortalProvider
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from pagehop.graphs.budget import Budget
    from pagehop.graphs.explore import Machine
    from pagehop.trajectories.recorder import Recorder

Source = Library | View | str | Path
Effort = Literal["low", "medium", "high"]
Record = bool | str | Path

_GRAPHS = ("explore",)
_LATER = ("thread", "schema", "tools", "prompts", "vision_model", "base_url")
"""Arguments of `ask` that come with a later release."""

T = TypeVar("T")


def list_graphs() -> list[str]:
    """Return the names that `graph=` takes."""
    return list(_GRAPHS)


def ask(
    question: str,
    source: Source,
    *,
    model: str | None = None,
    graph: str = "explore",
    effort: Effort | None = None,
    budget: "Budget | None" = None,
    record: Record | None = None,
    **later: Any,
) -> Answer:
    """Answer a question from documents, each claim cited to a page and a box on it.

    Args:
        question: In words; self-contained.
        source: A view, a library, or a path as `Library` takes it; a plain folder is indexed
            first with what is new.
        model: What reasons. `builtin`, by rules, is the only one of this release; None takes the
            one of the settings.
        graph: Name of the machine; `list_graphs()` names them.
        effort: low (one step), medium or high (reflects more often).
        budget: Limits of the run; None takes those of the settings.
        record: Whether to write the run's events into the library's `runs/`, or the folder to
            write them to; None asks the settings.
        later: `thread`, `schema`, `tools`, `prompts`, `vision_model`, `base_url` come with a
            later release; giving one raises.

    Raises:
        ConfigError: An argument is wrong or not in this release.
        LibraryError: There are no documents at that path.
    """
    run = partial(
        aask, question, source, model=model, graph=graph, effort=effort, budget=budget,
        record=record, **later,
    )  # fmt: skip
    with _portals() as portal:
        return _result(portal, run)


async def aask(
    question: str,
    source: Source,
    *,
    model: str | None = None,
    graph: str = "explore",
    effort: Effort | None = None,
    budget: "Budget | None" = None,
    record: Record | None = None,
    **later: Any,
) -> Answer:
    """Answer a question from documents; the async form of `ask`."""
    options = _checked(model, graph, effort, budget, record, later)
    run = await _prepare(_checked_question(question), source, options)
    with run.recorder:
        state = await run.machine.ainvoke({"question": question.strip()})
    return run.finished(state["answer"])


def stream(
    question: str,
    source: Source,
    *,
    model: str | None = None,
    graph: str = "explore",
    effort: Effort | None = None,
    budget: "Budget | None" = None,
    record: Record | None = None,
    **later: Any,
) -> Iterator[Event]:
    """Answer a question and yield what happens as it happens; arguments as `ask`.

    The last event is `episode.end`; `Answer.from_json(event.body["answer"], pictures=view)` makes
    the answer of it. Closing the iterator ends the run.
    """
    run = partial(
        astream, question, source, model=model, graph=graph, effort=effort, budget=budget,
        record=record, **later,
    )  # fmt: skip
    # Wrong arguments are raised here, not at the first event.
    _checked(model, graph, effort, budget, record, later)
    _checked_question(question)
    return _streamed(run)


async def astream(
    question: str,
    source: Source,
    *,
    model: str | None = None,
    graph: str = "explore",
    effort: Effort | None = None,
    budget: "Budget | None" = None,
    record: Record | None = None,
    **later: Any,
) -> AsyncIterator[Event]:
    """Answer a question and yield what happens as it happens; the async form of `stream`."""
    options = _checked(model, graph, effort, budget, record, later)
    run = await _prepare(_checked_question(question), source, options)
    with run.recorder:
        asked = {"question": question.strip()}
        async for event in run.machine.astream(asked, stream_mode="custom"):
            yield run.finished_event(event) if event.type == "episode.end" else event


def graph(
    name: str,
    source: Source,
    *,
    model: str | None = None,
    effort: Effort | None = None,
    budget: "Budget | None" = None,
    record: Record | None = None,
    checkpointer: "BaseCheckpointSaver[Any] | None" = None,
) -> "Machine":
    """Return a compiled LangGraph machine; `{"question": ...}` goes in, `answer` comes out.

    `astream(..., stream_mode="custom")` gives the events. It runs async only.

    Args:
        name: One of `list_graphs()`.
        source: As for `ask`.
        model: As for `ask`.
        effort: As for `ask`.
        budget: Limits of each run.
        record: As for `ask`; all runs of the machine share one record.
        checkpointer: LangGraph saver; with it a run can be killed and resumed.

    Raises:
        ConfigError: An argument is wrong or not in this release.
        LibraryError: There are no documents at that path.
    """
    options = _checked(model, name, effort, budget, record, {})
    view, _ = open_view(source)
    return _build(view, options, checkpointer)[0]


def open_view(source: Source) -> tuple[View, list[str]]:
    """Open what may be asked, and say what the user should know of it.

    Raises:
        ConfigError: It is no view, library or path.
        LibraryError: There are no documents at that path.
    """
    if isinstance(source, View):
        return source, []
    if isinstance(source, Library):
        return source.view(), []
    if not isinstance(source, str | Path):
        raise ConfigError(f"cannot ask a {type(source).__name__}; give a Library, View or path")
    path = Path(source).expanduser()
    if not path.is_dir():
        raise ConfigError(f"{str(source)!r} is no folder; give one with documents or a library")
    library = Library(path)
    if (path / HEADER).exists():
        return library.view(), []
    report = library.add(path)
    warnings = [f"{name} is not searched: {reason}." for name, reason in report.failed]
    warnings += [f"{name} was deleted from the folder and is hidden." for name in report.removed]
    return library.view(), [*warnings, *report.warnings]


@dataclass(frozen=True)
class _Options:
    model: str
    graph: str
    effort: Effort
    budget: "Budget"
    record: Record


@dataclass(frozen=True)
class _Run:
    """One question under way."""

    machine: "Machine"
    view: View
    recorder: "Recorder"
    warnings: Sequence[str]

    def finished(self, answer: Answer) -> Answer:
        """Give an answer its pictures and what is to be said beside it."""
        problem = (self.recorder.problem,) if self.recorder.problem else ()
        return replace(
            answer,
            citations=tuple(replace(c, pictures=self.view) for c in answer.citations),
            warnings=tuple(dict.fromkeys((*self.warnings, *answer.warnings, *problem))),
        )

    def finished_event(self, event: Event) -> Event:
        """Say in the last event what `finished` says in the answer."""
        answer = self.finished(Answer.from_json(event.body["answer"]))
        return replace(event, body={**event.body, "answer": answer.to_json()})


async def _prepare(question: str, source: Source, options: _Options) -> _Run:
    from pagehop.graphs.calls import in_thread  # noqa: PLC0415 - loads langgraph

    def prepare() -> _Run:
        view, warnings = open_view(source)
        machine, recorder = _build(view, options, None)
        return _Run(machine, view, recorder, warnings)

    return await in_thread(prepare)


def _build(
    view: View, options: _Options, checkpointer: "BaseCheckpointSaver[Any] | None"
) -> "tuple[Machine, Recorder]":
    from pagehop.agents.builtin import builtin_roles  # noqa: PLC0415 - loads the rules
    from pagehop.graphs.explore import build  # noqa: PLC0415 - loads langgraph
    from pagehop.tools.toolset import toolset  # noqa: PLC0415 - loads langchain

    tools = toolset(view, images="text", inside=True)
    recorder = _recorder(view, options, [tool.name for tool in tools])
    machine = build(
        view,
        builtin_roles,
        options.budget,
        tools=tools,
        effort=options.effort,
        model=options.model,
        tool_timeout_s=load_settings().run.tool_timeout_s,
        checkpointer=checkpointer,
        sinks=(recorder,) if options.record else (),
        run_id=recorder.run_id,
        trajectory=str(recorder.path) if recorder.path else "",
    )
    return machine, recorder


def _recorder(view: View, options: _Options, tools: Sequence[str]) -> "Recorder":
    from pagehop.trajectories.recorder import Recorder, new_run_id, record_run  # noqa: PLC0415 - with the run

    if options.record is False:
        return Recorder(new_run_id(), None)
    from platformdirs import user_state_path  # noqa: PLC0415 - only recorded runs need it

    home = "" if view.runs_path is None else str(view.runs_path.parent)
    folder = hashlib.sha256(home.encode()).hexdigest()[:12]
    manifest = {
        "purpose": "interactive",
        "graph": options.graph,
        "effort": options.effort,
        "models": {"policy": {"model_id": options.model, "api_kind": "rules"}},
        "tools": list(tools),
        "limits": options.budget.to_json(),
        "library": {"path": home, "version": view.version},
        "labels": None if view.labels is None else sorted(view.labels),
    }
    runs = view.runs_path if options.record is True else Path(options.record).expanduser()
    fallback = user_state_path("pagehop") / "runs" / folder
    return record_run(runs, fallback=fallback, manifest=manifest)


def _checked(
    model: object,
    graph: object,
    effort: object,
    budget: object,
    record: object,
    later: dict[str, Any],
) -> _Options:
    from pagehop.graphs.budget import Budget  # noqa: PLC0415 - only runs need it

    for name, value in later.items():
        if name not in _LATER:
            raise TypeError(f"unexpected argument {name!r}")
        if value not in (None, ()):
            raise ConfigError(f"{name}= is not in this release; it comes with a later one")
    run = load_settings().run
    model = run.model if model is None else model
    if model != "builtin":
        raise ConfigError(
            f"model={model!r}: this release reasons by rules only; use model='builtin'. "
            "Language models come with a later release"
        )
    if graph not in _GRAPHS:
        raise ConfigError(f"graph={graph!r}: there is only {', '.join(_GRAPHS)}")
    effort = run.effort if effort is None else effort
    if effort not in get_args(Effort):
        raise ConfigError(f"effort={effort!r}: use {', '.join(get_args(Effort))}")
    if budget is None:
        budget = Budget(steps=run.max_steps, tool_calls=run.max_tool_calls, seconds=run.max_seconds)
    if not isinstance(budget, Budget):
        raise ConfigError(f"budget={budget!r}: give a pagehop.Budget, e.g. Budget(steps=12)")
    record = run.record if record is None else record
    if not isinstance(record, bool | str | Path) or record == "":
        raise ConfigError(f"record={record!r}: give True, False or a folder")
    return _Options(model, graph, effort, budget, record)


def _checked_question(question: object) -> str:
    if not isinstance(question, str):
        raise ConfigError(
            f"the question is a {type(question).__name__}; give its text. "
            "Pictures in questions come with a later release"
        )
    if not question.strip():
        raise ConfigError("the question is empty")
    return question.strip()


@lru_cache(maxsize=1)
def _portal_provider() -> "BlockingPortalProvider":
    from anyio.from_thread import BlockingPortalProvider  # noqa: PLC0415 - only sync calls need it

    return BlockingPortalProvider()


@contextmanager
def _portals() -> "Iterator[BlockingPortal]":
    """Give the portal thread; the first caller starts it, the last one ends it."""
    with _portal_provider() as portal:
        yield portal


def _result(portal: "BlockingPortal", run: Callable[[], Awaitable[T]]) -> T:
    future = portal.start_task_soon(run)
    try:
        return future.result()
    finally:
        # Ctrl-C is raised here, in the caller's thread: the run has to be told.
        future.cancel()


def _streamed(run: Callable[[], AsyncIterator[Event]]) -> Generator[Event, None, None]:
    arrived: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    async def pump() -> None:
        try:
            async with aclosing(run()) as events:  # type: ignore[type-var]  # a generator
                async for event in events:
                    arrived.put(event)
        finally:
            arrived.put(None)

    with _portals() as portal:
        future = portal.start_task_soon(pump)
        try:
            while (event := arrived.get()) is not None:
                yield event
            future.result()
        finally:
            future.cancel()
