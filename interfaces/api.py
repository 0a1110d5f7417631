"""Ask documents a question: the functions behind `pagehop.ask` and `pagehop.stream`.

1. The core is async. The sync functions run it on one portal thread, which several calls at once
   share and which ends with the last of them; so they work inside a running event loop too.
2. Every run is a fold of one event stream; `ask` keeps its last event, `stream` gives them all.
3. What is asked may be a view, a library or a path. A plain folder is indexed first.
"""

import queue
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from pagehop.answers import Answer
from pagehop.errors import ConfigError
from pagehop.events import Event
from pagehop.interfaces.asked import Question, checked_question
from pagehop.interfaces.options import RunOptions, checked_options
from pagehop.interfaces.running import Source, build_machine, check_seen, open_view, prepare_run

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal, BlockingPortalProvider
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from pagehop.graphs.explore import Machine
    from pagehop.graphs.graph import Graph
    from pagehop.graphs.steering import Pause

T = TypeVar("T")


def list_graphs() -> "list[Graph]":
    """Return the graphs that have a name: `name`, `shape`, `source`, `needs`, `constants`."""
    from pagehop.graphs.registry import all_graphs  # noqa: PLC0415 - graphs load late

    return all_graphs()


def ask(
    question: Question,
    source: Source,
    **options: Unpack[RunOptions],
) -> Answer:
    """Answer a question from documents, each claim cited to a page and a box on it.

    Args:
        question: In words, or content blocks with pictures: `{"type": "text", "text": ...}` and
            `{"type": "image", ...}` with `base64`, `url` or `path`.
        source: A view, a library, or a path as `Library` takes it; a plain folder is indexed
            first with what is new.
        options: `model`, `base_url`, `vision_model`, `graph`, `effort`, `budget`, `record`,
            `samples`, `thread`, `tools`, `prompts`, `schema`: see `RunOptions`.

    Raises:
        ConfigError: An argument is wrong.
        LibraryError: There are no documents at that path.
    """
    return run_sync(partial(aask, question, source, **options))


async def aask(
    question: Question,
    source: Source,
    **options: Unpack[RunOptions],
) -> Answer:
    """Answer a question from documents; the async form of `ask`."""
    checked = checked_options(options)
    asked = checked_question(question)
    run = await prepare_run(source, checked, asked)
    with run.recorder:
        return await run.ask()


def stream(
    question: Question,
    source: Source,
    **options: Unpack[RunOptions],
) -> Iterator[Event]:
    """Answer a question and yield what happens as it happens; arguments as `ask`.

    The last event is the `episode.end` of the question; with `samples` each of them has one before
    it, of its own episode. `Answer.from_json(event.body["answer"], pictures=view)` makes
    the answer of it. Closing the iterator ends the run.
    """
    run = partial(astream, question, source, **options)
    # Wrong arguments are raised here, not at the first event.
    check_seen(checked_options(options), checked_question(question))
    return _streamed(run)


async def astream(
    question: Question,
    source: Source,
    **options: Unpack[RunOptions],
) -> AsyncIterator[Event]:
    """Answer a question and yield what happens as it happens; the async form of `stream`."""
    checked = replace(checked_options(options), deltas=True)
    asked = checked_question(question)
    run = await prepare_run(source, checked, asked)
    events = run.events()
    with run.recorder:
        async with aclosing(events):  # type: ignore[type-var]  # a generator
            async for event in events:
                yield event


def graph(
    name: "str | Graph",
    source: Source,
    *,
    checkpointer: "BaseCheckpointSaver[Any] | None" = None,
    pause_after: "Sequence[Pause]" = (),
    **options: Unpack[RunOptions],
) -> "Machine":
    """Return a compiled LangGraph machine; `{"question": ...}` goes in, `answer` comes out.

    `astream(..., stream_mode="custom")` gives the events. It runs async only.

    Args:
        name: One of `list_graphs()`, or a `Graph` of one's own.
        source: As for `ask`.
        checkpointer: LangGraph saver; with it a run can be killed and resumed.
        pause_after: Where a person steers the run: `plan`, `reflect`. It stops there with a
            LangGraph interrupt and goes on with `Command(resume=pagehop.graphs.Steer(...))`.
        options: As for `ask`; all runs of the machine share one record.

    Raises:
        ConfigError: An argument is wrong.
        LibraryError: There are no documents at that path.
    """
    checked = checked_options({**options, "graph": name})
    if checked.samples > 1:
        raise ConfigError("samples= is for ask and stream; run the machine as often as you want")
    if pause_after and checkpointer is None:
        raise ConfigError("pause_after= needs a checkpointer=, which keeps the run while it waits")
    if pause_after and checked.graph != "explore":
        raise ConfigError(f"pause_after= is for explore; {checked.graph} has no such nodes")
    if wrong := set(pause_after) - {"plan", "reflect"}:
        raise ConfigError(f"pause_after has {min(wrong)!r}; use plan, reflect")
    view, _ = open_view(source)
    return build_machine(view, checked, checkpointer, pause_after)


@lru_cache(maxsize=1)
def _portal_provider() -> "BlockingPortalProvider":
    from anyio.from_thread import BlockingPortalProvider  # noqa: PLC0415 - only sync calls need it

    return BlockingPortalProvider()


@contextmanager
def _portals() -> "Iterator[BlockingPortal]":
    """Give the portal thread; the first caller starts it, the last one ends it."""
    with _portal_provider() as portal:
        yield portal


def run_sync(run: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function on the portal thread and return what it returns."""
    with _portals() as portal:
        return _result(portal, run)


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
