"""Tell what happens in a run: one event stream for the record, the terminal and the chat."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from langgraph.config import get_stream_writer

from pagehop.events import Event, EventSink, EventType
from pagehop.graphs.state import State
from pagehop.library.view import View
from pagehop.types import PageRef

_WRITTEN_S = 10.0
"""Most that a thread waits for an event to be told: its loop may have ended."""


@dataclass(frozen=True)
class Teller:
    """Makes the events of one machine and hands them out."""

    run_id: str
    sinks: tuple[EventSink, ...] = ()

    def tell(
        self, state: State, kind: EventType, what: str, body: Mapping[str, Any], *, step: int = -1
    ) -> None:
        """Emit one event to the sinks and into LangGraph's custom stream.

        Args:
            state: Of the node that is running.
            kind: Type of the event.
            what: Last part of its id; unique in its step.
            body: JSON-able, but for `blobs`: bytes by sha256, which go beside it.
            step: When it is not the state's own.
        """
        episode = state["episode_id"]
        blobs: Mapping[str, bytes] = body.get("blobs") or {}
        if blobs:
            body = {name: value for name, value in body.items() if name != "blobs"}
        event = Event(
            id=f"{episode}/{state['step'] if step < 0 else step}/{what}",
            type=kind,
            body=body,
            run_id=self.run_id,
            episode_id=episode,
            ts=time.time(),
            mono=time.monotonic(),
            blobs=blobs,
        )
        for sink in self.sinks:
            sink(event)
        get_stream_writer()(event)

    def from_threads(self, state: State) -> Callable[[EventType, str, Mapping[str, Any]], None]:
        """Return what tells an event of a running node from any thread, in the order called.

        Another thread waits until the event is told and the record has written it: what it does
        next, e.g. call a model, is not under way before.
        """
        loop, context, own = asyncio.get_running_loop(), copy_context(), threading.get_ident()

        def tell(kind: EventType, what: str, body: Mapping[str, Any]) -> None:
            written = threading.Event()

            def told() -> None:
                try:
                    self.tell(state, kind, what, body)
                finally:
                    loop.call_soon(written.set)  # behind the record's own writing

            loop.call_soon_threadsafe(told, context=context)
            if threading.get_ident() != own:
                written.wait(_WRITTEN_S)

        return tell


def begins(
    state: State, view: View, asks: Mapping[str, str], limits: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is told of an episode's start.

    Args:
        state: Of the run.
        view: What is searched.
        asks: Names of the model, the graph and the effort.
        limits: The budget.
    """
    body: dict[str, Any] = {
        "question": state["question"],
        **asks,
        "labels": None if view.labels is None else sorted(view.labels),
        "library_version": view.version,
        "budget": limits,
    }
    if history := state.get("history"):
        body["history"] = [dict(vars(one)) for one in history]
    return body


def told(value: object) -> dict[str, Any]:
    """Return a move, a call or an evidence item as the body of an event.

    Fields of the value itself are all there; what lies inside it leaves out what is empty.
    """
    if value is None:
        return {"overran": True}
    assert is_dataclass(value)
    return {
        field.name: _plain(getattr(value, field.name))
        for field in fields(value)
        if field.name != "document_id"
    }


def _plain(value: object) -> Any:
    if isinstance(value, PageRef):
        return str(value)
    if is_dataclass(value):
        parts = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {name: part for name, part in parts.items() if part not in (None, "", [], {})}
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return round(value, 5) if isinstance(value, float) else value
