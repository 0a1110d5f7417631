"""Run a question on one machine, or on several at once of which one answer is chosen.

Each sample is an episode of its own. The choice is one more, which begins first and ends last: its
usage is that of all samples, so it is not to be added to theirs.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pagehop.answers import Answer
from pagehop.events import Event, EventSink, EventType

if TYPE_CHECKING:
    from pagehop.graphs.explore import Machine
    from pagehop.graphs.state import Question, State


@dataclass(frozen=True)
class Ended:
    """What a question came to."""

    answer: Answer
    question: str
    """As it was understood."""


@dataclass(frozen=True)
class Sampling:
    """The machines that answer one question."""

    machines: "Sequence[Machine]"
    run_id: str
    budget: Mapping[str, float | None]
    """Limits of all of them together."""
    sinks: Sequence[EventSink] = ()
    """Get the events of the choice; the machines tell their own."""

    async def end(self, question: "Question") -> Ended:
        """Return what becomes of a question, without its events."""
        if len(self.machines) == 1:
            return _ended(await self.machines[0].ainvoke(question))
        return await self._adjudicated(question, lambda event: None)

    async def events(self, question: "Question") -> AsyncIterator[Event]:
        """Yield the events of all samples as they happen, last the end of the question."""
        if len(self.machines) == 1:
            async for event in self.machines[0].astream(question, stream_mode="custom"):
                assert isinstance(event, Event)
                yield event
            return
        arrived: asyncio.Queue[Event | None] = asyncio.Queue()
        task = asyncio.create_task(self._adjudicated(question, arrived.put_nowait))
        task.add_done_callback(lambda done: arrived.put_nowait(None))
        try:
            while (event := await arrived.get()) is not None:
                yield event
            await task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _adjudicated(self, question: "Question", emit: EventSink) -> Ended:
        """Run every machine at once and choose an answer."""
        from pagehop.graphs.adjudicate import adjudicate  # noqa: PLC0415 - only with samples

        episode = uuid.uuid4().hex[:12]
        names = [f"{episode}-{i}" for i in range(1, len(self.machines) + 1)]

        def tell(kind: EventType, what: str, body: Mapping[str, Any]) -> None:
            name = f"{episode}/0/{what}"
            event = Event(
                name, kind, body, self.run_id, episode, ts=time.time(), mono=time.monotonic()
            )
            for sink in (*self.sinks, emit):
                sink(event)

        start = {"question": question["question"], "samples": names, "budget": dict(self.budget)}
        tell("episode.start", "start", start)
        running = [
            asyncio.create_task(_sample(machine, {**question, "episode_id": name}, emit))
            for machine, name in zip(self.machines, names, strict=True)
        ]
        try:
            states = await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
        ends = [_ended(state) for state in states]
        chosen = adjudicate([end.answer for end in ends])
        ended = Ended(chosen.answer, ends[chosen.chosen].question)
        body = {
            "status": ended.answer.status,
            "question": ended.question,
            "answer": ended.answer.to_json(),
            "sample": names[chosen.chosen],
        }
        tell("episode.end", "end", body)
        return ended


async def _sample(machine: "Machine", question: "Question", emit: EventSink) -> "State":
    """Run one machine to its end, handing its events on."""
    state: Any = {}
    async for mode, value in machine.astream(question, stream_mode=["custom", "values"]):
        if mode == "values":
            state = value
        else:
            assert isinstance(value, Event)
            emit(value)
    return state  # type: ignore[no-any-return]  # the values of the state


def _ended(state: Mapping[str, Any]) -> Ended:
    return Ended(state["answer"], state["question"])
