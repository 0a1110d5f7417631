"""What recording costs: an event, an episode's end, and its share of a rollout.

    python benchmarks/recording.py [--runs 16] [--rounds 12] [--save]

A rollout of one question against a stub endpoint of 50 ms in a process of its own (that of
concurrency.py), its events recorded and not; not means that the recorder drops them. Short rounds
of both stand beside each other, the order turned in every second one, and each pair is compared for
itself: other work on the machine then weighs on both. The CPU time of the process says more than
the rate, which other work sets. Then the events of one of its episodes are written again and again,
alone.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
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


async def rolled(view: pagehop.View, url: str, out: Path, runs: int) -> tuple[float, float]:
    """Run a rollout; return its calls a second and CPU-ms a call."""
    shutil.rmtree(out, ignore_errors=True)
    model = load_chat_model("openai:stub", base_url=url, api_key=concurrency.KEY)
    cpu = time.process_time()
    report = await pagehop.arollout(
        [concurrency.QUESTION], view, out=out, samples=runs, concurrency=runs, model=model
    )
    assert report.statuses in ({"answered": runs}, {"aborted": runs}), report
    calls = report.usage.model_calls
    return calls / report.seconds, 1000 * (time.process_time() - cpu) / calls


async def measured(
    view: pagehop.View, folder: Path, runs: int, rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """Let both take turns; the first turn warms up."""
    found: dict[str, list[tuple[float, float]]] = {"recorded": [], "not recorded": []}
    with concurrency.endpoint(0.05) as url:
        await rolled(view, url, folder / "warm", 8)
        for i in range(rounds):
            for what in list(found)[:: 1 if i % 2 else -1]:
                if what == "recorded":
                    found[what].append(await rolled(view, url, folder / "on", runs))
                    continue
                # A rollout is its record and has no switch for it: here its writing is left out.
                with patch.object(Recorder, "__call__", lambda self, event: None):
                    found[what].append(await rolled(view, url, folder / "off", runs))
    return found


def shares(found: dict[str, list[tuple[float, float]]]) -> list[str]:
    """Compare the rounds pair by pair."""
    pairs = list(zip(*found.values(), strict=True))
    lines = []
    for what, each in (
        ("CPU time of a call", [100 * (on[1] / off[1] - 1) for on, off in pairs]),
        ("calls a second", [100 * (1 - on[0] / off[0]) for on, off in pairs]),
    ):
        low, middle, high = statistics.quantiles(each, n=4)
        lines.append(
            f"- {what}: recording takes {middle:.1f} % (median of {len(each)} pairs, "
            f"quartiles {low:.1f} to {high:.1f})"
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
            if recorder._syncing is not None:
                recorder._syncing.result()
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
        f"| the sync at its end, in another thread | {1000 * statistics.median(syncs):.2f} ms |",
        f"| its size | {size / EPISODES / 1000:.1f} kB |",
        f"| read back and folded | {reading_ms:.2f} ms |",
    ]


def main() -> None:
    """Measure, print, and perhaps save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, pagehop.Library(Path(name) / "l") as library:
        folder = Path(name)
        library.add(concurrency.mill(folder))
        view = library.view()
        found = asyncio.run(measured(view, folder, given.runs, given.rounds))
        lines = ["| rollout at 50 ms | calls/s (median) | CPU-ms a call |", "|---|---|---|"]
        for what, turns in found.items():
            rate, cpu = (statistics.median(turn[i] for turn in turns) for i in (0, 1))
            lines.append(f"| {what} | {rate:.1f} | {cpu:.2f} |")
        lines += ["", *shares(found), ""]
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
