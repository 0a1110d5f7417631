"""Run blocking functions beside the event loop, in threads that nobody waits for.

Unlike those of asyncio's executor they are daemons and as many as are needed: one that hangs holds
up neither other calls nor the interpreter's end. A thread that is done takes the next function, or
ends when none comes.
"""

import asyncio
import os
import queue
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import lru_cache
from typing import TypeVar

_IDLE_S = 5.0
"""How long a thread waits for its next function."""

T = TypeVar("T")
Job = Callable[[], None]


async def in_thread(function: Callable[..., T], *arguments: object) -> T:
    """Run a function in a daemon thread, with the context of the caller."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = copy_context()

    def settle(result: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # None only beside an error

    def work() -> None:
        result: T | None = None
        error: Exception | None = None
        try:
            result = context.run(function, *arguments)
        except (StopIteration, SystemExit, KeyboardInterrupt, GeneratorExit) as odd:
            # A future cannot hold these, and a tool may not end the process.
            error = RuntimeError(f"{type(odd).__name__}: {odd}")
        except Exception as raised:
            error = raised
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            pass  # the loop is closed: the run ended without this call

    _threads(os.getpid()).run(work)
    return await future


class _Threads:
    """Daemon threads, used again while they are idle."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[queue.SimpleQueue[Job]] = []

    def run(self, job: Job) -> None:
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
        if inbox is not None:
            inbox.put(job)
            return
        threading.Thread(target=self._work, args=(job,), name="pagehop-call", daemon=True).start()

    def _work(self, job: Job | None) -> None:
        inbox: queue.SimpleQueue[Job] = queue.SimpleQueue()
        while job is not None:
            job()
            with self._lock:
                self._idle.append(inbox)
            job = self._next(inbox)

    def _next(self, inbox: "queue.SimpleQueue[Job]") -> Job | None:
        try:
            return inbox.get(timeout=_IDLE_S)
        except queue.Empty:
            with self._lock:
                if inbox in self._idle:
                    self._idle.remove(inbox)
                    return None
            return inbox.get()  # it was taken off the list just now: a job is on its way


@lru_cache(maxsize=1)
def _threads(process: int) -> _Threads:
    """Return the threads of this process; a forked one has none of its parent's."""
    return _Threads()
