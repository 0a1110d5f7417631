"""What recording costs: its share of a rollout, an event, an episode's end.

    python benchmarks/recording.py [--runs 32] [--rounds 100] [--save]

Rollouts of one question against a stub endpoint of 50 ms in a process of its own (that of
concurrency.py): not recorded, recorded, and recorded eight times at once, by eight recorders. They
are short and take turns in one process, in another order each round, and each round is compared for
itself, since what else runs on the machine weighs on all three. What one recording takes is far
less than what chance makes of a rollout, so an eighth of what eight take is the sharper number; the
seven find code and data in the caches, so it may be a little low. Given is the median of the
rounds' shares with the interval that holds it at 95 % (by order statistics). CPU time is that of
the process. Then a few rollouts with a clock in the recorder, which says what is spent inside of it
(less what an empty pass reads), without what it does to caches and threads. Then the events of one
episode are written again and again, alone.
"""

import argparse
import asyncio
import gc
import itertools
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pagehop
from pagehop.events import Event
from pagehop.models.chat_models import load_chat_model
from pagehop.trajectories.reading import read_run
from pagehop.trajectories.recorder import Recorder, record_run

sys.path.insert(0, str(Path(__file__).parent))
import concurrency

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "recording.md"
EPISODES = 200
LATENCY_MS = 50
MANY = 8
TIMES = (0, 1, MANY)
"""How often an event is recorded in the blocks of a round."""


@dataclass(frozen=True)
class Block:
    """One short rollout."""

    rate: float
    """Calls of the model a second."""
    cpu_ms: float
    """Of the process, a call."""
    inside_ms: float = 0.0
    """CPU time inside of the recorder, a call; 0 where no clock ran."""
    calls: int = 0


Round = Mapping[int, Block]
"""A block for each of `TIMES`."""


async def rolled(
    view: pagehop.View, url: str, out: Path, runs: int, inside: list[float] | None = None
) -> Block:
    """Run a rollout; `inside` gathers what a clock in the recorder tells."""
    shutil.rmtree(out, ignore_errors=True)
    model = load_chat_model("openai:stub", base_url=url, api_key=concurrency.KEY)
    gc.collect()  # garbage of the block before is not this one's
    if inside is not None:
        inside.clear()
    cpu = time.process_time()
    report = await pagehop.arollout(
        [concurrency.QUESTION], view, out=out, samples=runs, concurrency=runs, model=model
    )
    cpu = time.process_time() - cpu
    assert report.statuses == {"answered": runs}, report
    calls = report.usage.model_calls
    spent = 1000 * sum(inside or ()) / calls
    return Block(calls / report.seconds, 1000 * cpu / calls, spent, calls)


async def measured(
    view: pagehop.View, folder: Path, runs: int, rounds: int
) -> tuple[list[Round], list[Block]]:
    """Return rounds, and blocks with a clock; the first two rounds only warm up."""
    found, clocked = [], []
    orders = list(itertools.permutations(TIMES))
    with concurrency.endpoint(LATENCY_MS / 1000) as url:
        for i in range(-2, rounds):
            blocks = {}
            for times in orders[i % len(orders)]:
                with recorded(times, folder / "more"):
                    blocks[times] = await rolled(view, url, folder / f"x{times}", runs)
            if i >= 0:
                found.append(blocks)
        with clock() as inside:
            for _ in range(max(2, rounds // 12)):
                clocked.append(await rolled(view, url, folder / "clock", runs, inside))
    return found, clocked


@contextmanager
def recorded(times: int, folder: Path) -> Iterator[None]:
    """Let each event be recorded so many times."""
    if times == 1:
        yield
        return
    shutil.rmtree(folder, ignore_errors=True)
    others = [record_run(folder, fallback=folder, manifest={}) for _ in range(times - 1)]
    write = Recorder.__call__

    def take(self: Recorder, event: Event) -> None:
        if times:  # a rollout is its record and has no switch for it: else its writing is left out
            write(self, event)
        for other in others:
            write(other, event)

    with patch.object(Recorder, "__call__", take):
        yield
    for other in others:
        other.close()


@contextmanager
def clock() -> Iterator[list[float]]:
    """Gather the CPU seconds of each pass through the recorder, its syncs included."""
    inside: list[float] = []

    def timed(work: Callable[..., None], less: float = 0.0) -> Callable[..., None]:
        def run(*given: object) -> None:
            started = time.thread_time()
            work(*given)
            inside.append(time.thread_time() - started - less)

        return run

    empty = timed(lambda: None)
    for _ in range(10_000):
        empty()
    reading = statistics.median(inside)
    inside.clear()
    with ExitStack() as patches:
        for name in ("__call__", "flush", "_sync"):  # none of them calls another
            work = timed(getattr(Recorder, name), reading)
            patches.enter_context(patch.object(Recorder, name, work))
        yield inside


def middle(values: list[float]) -> tuple[float, float, float]:
    """Return the median, and the order statistics between which it lies at 95 %."""
    values = sorted(values)
    n = len(values)
    below, k = 0.5**n, 0
    while k < n // 2 - 1 and below + math.comb(n, k + 1) * 0.5**n <= 0.025:
        k += 1
        below += math.comb(n, k) * 0.5**n
    return statistics.median(values), values[k], values[n - 1 - k]


def shares(rounds: list[Round], clocked: list[Block]) -> list[str]:
    """Compare round by round."""
    lines = []
    for what, share in (
        ("CPU time of a call", lambda of, to: 100 * (of.cpu_ms / to.cpu_ms - 1)),
        ("calls a second", lambda of, to: 100 * (1 - of.rate / to.rate)),
    ):
        for times, said in ((1, "one recording"), (MANY, f"an {MANY}th of {MANY} recordings")):
            each = [share(blocks[times], blocks[0]) / times for blocks in rounds]
            found, low, high = middle(each)
            lines.append(
                f"- {what}: {said} takes {found:.2f} % (median of {len(each)} rounds; 95 % "
                f"interval {low:.2f} to {high:.2f})"
            )
    spent = statistics.median(block.inside_ms for block in clocked)
    of = statistics.median(blocks[0].cpu_ms for blocks in rounds)
    lines.append(
        f"- by a clock in the recorder: {spent:.3f} CPU-ms a call, {100 * spent / of:.1f} % of the "
        f"{of:.2f} that a call takes without, {100 * spent / LATENCY_MS:.2f} % of the "
        f"{LATENCY_MS} ms that its endpoint takes (median of {len(clocked)} rollouts)"
    )
    return lines


def alone(events: tuple[Event, ...], folder: Path) -> list[str]:
    """Write one episode's events many times; return rows of the table."""
    each: list[float] = []
    syncs: list[float] = []
    with record_run(folder / "alone", fallback=folder, manifest={}) as recorder:
        for i in range(EPISODES):
            for event in events:
                named = replace(event, episode_id=f"e{i}", id=f"e{i}/{event.id}")
                started = time.perf_counter()
                recorder(named)
                each.append(time.perf_counter() - started)
            started = time.perf_counter()
            assert recorder._file is not None
            os.fsync(recorder._file)
            syncs.append(time.perf_counter() - started)
    assert recorder.path is not None
    size = sum(path.stat().st_size for path in (recorder.path / "events").iterdir())
    started = time.perf_counter()
    read = len(read_run(recorder.path).episodes)
    reading_ms = 1000 * (time.perf_counter() - started) / read
    count = len(events)
    return [
        f"| one event | {1000 * statistics.mean(each):.4f} ms mean, "
        f"{1000 * statistics.median(each):.4f} ms median of {len(each)} |",
        f"| an episode of {count} events | {1000 * count * statistics.mean(each):.2f} ms |",
        f"| a sync, in another thread and once a second at most | "
        f"{1000 * statistics.median(syncs):.2f} ms |",
        f"| its size | {size / EPISODES / 1000:.1f} kB |",
        f"| read back and folded | {reading_ms:.2f} ms |",
    ]


def main() -> None:
    """Measure, print, and perhaps save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, pagehop.Library(Path(name) / "l") as library:
        folder = Path(name)
        library.add(concurrency.mill(folder))
        view = library.view()
        rounds, clocked = asyncio.run(measured(view, folder, given.runs, given.rounds))
        lines = ["| rollout at 50 ms | calls/s (median) | CPU-ms a call |", "|---|---|---|"]
        for times, what in ((0, "not recorded"), (1, "recorded"), (MANY, f"{MANY} times")):
            rate = statistics.median(blocks[times].rate for blocks in rounds)
            cpu = statistics.median(blocks[times].cpu_ms for blocks in rounds)
            lines.append(f"| {what} | {rate:.1f} | {cpu:.2f} |")
        lines += ["", *shares(rounds, clocked), ""]
        lines += ["| written alone | |", "|---|---|"]
        lines += alone(read_run(folder / "x1").episodes[0].events, folder)
    lines += ["", f"Load average at the end {os.getloadavg()[0]:.1f}."]
    text = "\n".join(lines)
    print(text)
    if given.save:
        command = " ".join(["python benchmarks/recording.py", *sys.argv[1:]])
        about = " ".join((__doc__ or "").split("\n\n", 2)[2].split())
        TABLE.write_text(
            f"# What recording costs\n\n{date.today()}: `{command}`. {about}\n\n{text}\n"
        )


if __name__ == "__main__":
    main()
