"""What recording costs: its share of a rollout, an event, an episode's end.

    python benchmarks/recording.py [--runs 32] [--pairs 40] [--save]

Rollouts of one question against a stub endpoint of 50 ms in a process of its own (that of
concurrency.py), some recorded and some not: of those the recorder drops each event. They are short
and take turns in one process, recorded first in every second pair, and each pair is compared for
itself, since what else runs on the machine weighs on both. Given is the median of the pairs' shares
with the interval that holds it at 95 % (by order statistics). CPU time is that of the process. Then
a few rollouts with a clock in the recorder, which says what is spent inside of it, without what it
does to caches and threads. Then the events of one episode are written again and again, alone.
"""

import argparse
import asyncio
import gc
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
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
    view: pagehop.View, folder: Path, runs: int, pairs: int
) -> tuple[list[tuple[Block, Block]], list[Block]]:
    """Return pairs, recorded and not, and blocks with a clock; the first two only warm up."""
    found, clocked = [], []
    with concurrency.endpoint(0.05) as url:
        for i in range(-2, pairs):
            pair = {}
            for on in (True, False) if i % 2 else (False, True):
                # A rollout is its record and has no switch for it: here its writing is left out.
                left_out = patch.object(Recorder, "__call__", lambda self, event: None)
                with nullcontext() if on else left_out:
                    pair[on] = await rolled(view, url, folder / ("on" if on else "off"), runs)
            if i >= 0:
                found.append((pair[True], pair[False]))
        with clock() as inside:
            for _ in range(max(2, pairs // 8)):
                clocked.append(await rolled(view, url, folder / "clock", runs, inside))
    return found, clocked


@contextmanager
def clock() -> Iterator[list[float]]:
    """Gather the CPU seconds of each pass through the recorder, its syncs included."""
    inside: list[float] = []

    def timed(work: Callable[..., None]) -> Callable[..., None]:
        def run(*given: object) -> None:
            started = time.thread_time()
            work(*given)
            inside.append(time.thread_time() - started)

        return run

    with ExitStack() as patches:
        for name in ("__call__", "flush", "_sync"):  # none of them calls another
            patches.enter_context(patch.object(Recorder, name, timed(getattr(Recorder, name))))
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


def shares(pairs: list[tuple[Block, Block]], clocked: list[Block]) -> list[str]:
    """Compare pair by pair."""
    lines = []
    for what, each in (
        ("CPU time of a call", [100 * (on.cpu_ms / off.cpu_ms - 1) for on, off in pairs]),
        ("calls a second", [100 * (1 - on.rate / off.rate) for on, off in pairs]),
    ):
        found, low, high = middle(each)
        quarter = statistics.quantiles(each, n=4)
        lines.append(
            f"- {what}: recording takes {found:.1f} % (median of {len(each)} pairs; 95 % interval "
            f"{low:.1f} to {high:.1f}; quartiles {quarter[0]:.1f} to {quarter[2]:.1f})"
        )
    spent = statistics.median(block.inside_ms for block in clocked)
    of = statistics.median(off.cpu_ms for _, off in pairs)
    lines.append(
        f"- by a clock in the recorder: {spent:.3f} CPU-ms a call, {100 * spent / of:.1f} % of the "
        f"{of:.2f} that a call takes without (median of {len(clocked)} rollouts)"
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
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, pagehop.Library(Path(name) / "l") as library:
        folder = Path(name)
        library.add(concurrency.mill(folder))
        view = library.view()
        pairs, clocked = asyncio.run(measured(view, folder, given.runs, given.pairs))
        lines = ["| rollout at 50 ms | calls/s (median) | CPU-ms a call |", "|---|---|---|"]
        for i, what in enumerate(("recorded", "not recorded")):
            rate = statistics.median(pair[i].rate for pair in pairs)
            cpu = statistics.median(pair[i].cpu_ms for pair in pairs)
            lines.append(f"| {what} | {rate:.1f} | {cpu:.2f} |")
        lines += ["", *shares(pairs, clocked), ""]
        lines += ["| written alone | |", "|---|---|"]
        lines += alone(read_run(folder / "on").episodes[0].events, folder)
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
