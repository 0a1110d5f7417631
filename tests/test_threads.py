"""Calls beside the event loop: used again, never waited for."""

import asyncio
import subprocess
import sys
import threading
from contextvars import ContextVar

import pytest

from pagehop.graphs.threads import in_thread

WORD: ContextVar[str] = ContextVar("WORD")


async def test_a_function_runs_in_another_thread_with_the_callers_context() -> None:
    WORD.set("sea")
    assert await in_thread(lambda: (WORD.get(), threading.current_thread().daemon)) == ("sea", True)


async def test_an_idle_thread_is_used_again() -> None:
    idents = set()
    for _ in range(20):
        idents.add(await in_thread(threading.get_ident))
        await asyncio.sleep(0.005)
    assert len(idents) < 20


async def test_as_many_run_at_once_as_are_asked() -> None:
    together = threading.Barrier(40)
    assert len(await asyncio.gather(*(in_thread(together.wait) for _ in range(40)))) == 40


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(), SystemExit(3)])
async def test_what_a_function_raises_reaches_the_caller_as_an_error(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(ValueError if isinstance(error, ValueError) else RuntimeError):
        await in_thread(fail)


async def test_a_thread_whose_time_is_up_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pagehop.graphs.threads._IDLE_S", 0.05)
    names = [await in_thread(lambda: threading.current_thread()) for _ in range(3)]
    names[-1].join(10)
    assert not names[-1].is_alive()
    assert await in_thread(lambda: 1) == 1


def test_a_hanging_function_does_not_hold_up_the_end_of_the_program() -> None:
    program = """
import asyncio, time
from pagehop.graphs.threads import in_thread
async def main():
    try:
        async with asyncio.timeout(0.1):
            await in_thread(time.sleep, 3600)
    except TimeoutError:
        print("given up")
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.returncode) == ("given up\n", 0), done.stderr
