"""A process that rolls out and streams is killed: what anybody saw of it is in its record.

There are witnesses outside of the record: the endpoint has the requests that reached it; a tool of
the user's own, a caller of `astream` and one of `on_end` each write what they saw with `os.write`
at once. What any of them has must be in the record, and all of the record must be readable. Killed
is at random moments, and at the very moment when a witness sees something.

    python tests/test_kill_rollout.py 200        # the long form
"""

import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import pytest
from langchain_core.tools import tool

import pagehop
from conftest import Report, write_report
from pagehop.evaluation.stand_in import content_of, role_of
from pagehop.library.library import Library
from pagehop.models.stub_endpoint import StubEndpoint, StubReply, StubRequest
from pagehop.trajectories.reading import read_run

REPORT = "Halden_2022_annual_report"
QUOTE = "Revenue rose to 455.9 million crowns"
MOMENTS = ("random", "tool", "request", "seen")
"""At which is killed, by turns; of a witness, when it has seen a number of things."""
Start = Literal["spawn", "fork"]
LONGEST_S = 1.5
"""From the first request to the kill; there is work for longer."""


def personality(request: StubRequest) -> StubReply:
    """Answer each role from its prompt alone; steps 1 to 3 probe, read and look."""
    role, last = role_of(request), content_of(request.messages[-1])
    if role == "planner":
        return StubReply(json.dumps({"parts": [{"id": "Q1", "text": "revenue"}]}))
    if role == "condenser":
        kept = [{"ref": f"{REPORT}:1", "quote": QUOTE, "part": "Q1"}]
        parts = [{"id": "Q1", "state": "answered"}]
        return StubReply(json.dumps({"evidence": kept, "parts": parts, "sufficient": True}))
    if role == "answerer":
        return StubReply(json.dumps({"claims": [{"text": "455.9 million.", "evidence": ["E1"]}]}))
    if role == "perceiver":
        return StubReply("A page of a report.")
    page = f"{REPORT}:1"
    calls: dict[str, list[dict[str, Any]]] = {
        "1": [{"name": "probe", "args": {"what": asked_of(request)}}],
        "2": [{"name": "look", "args": {"ref": page, "question": asked_of(request)}}],
        "3": [{"name": "read_page", "args": {"ref": page}}],
    }
    step = last.removeprefix("Step ").partition(".")[0]
    return StubReply("Look.", tool_calls=calls[step]) if step in calls else StubReply("Found.")


def asked_of(request: StubRequest) -> str:
    """Return the number of the question in a prompt: no two runs ask the same."""
    texts = " ".join(content_of(message) for message in request.messages)
    return texts.partition("in year ")[2].partition("?")[0]


def question(number: object) -> str:
    """Return a question of its own."""
    return f"What was the revenue of Halden Marine in year {number}?"


def work(library: str, told: Connection, folder: Path, moment: str, number: int) -> None:
    """Do what the process does that is killed."""
    url = told.recv()
    log = os.open(folder / "witness", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    counts = Counter[str]()

    def witness(kind: str, *words: str) -> None:
        os.write(log, ("\t".join((kind, *words)) + "\n").encode())
        counts[kind] += 1
        if kind == moment and counts[kind] == number:
            os.kill(os.getpid(), signal.SIGKILL)

    @tool
    def probe(what: str) -> str:
        """Probe."""
        witness("tool", what)
        return "Nothing."

    options: dict[str, Any] = {
        "model": "openai:stub", "base_url": url, "vision_model": "openai:stub", "tools": [probe]
    }  # fmt: skip

    async def stream(first: int) -> None:
        for number in range(first, first + 50):
            asked = question(number)
            events = pagehop.astream(asked, library, record=folder / "asks", **options)
            async for event in events:
                if event.type != "llm.delta":
                    witness("seen", event.run_id, event.id)

    async def both() -> None:
        rollout = pagehop.arollout(
            [question(number) for number in range(1000, 1050)], library, out=folder / "rollout",
            samples=1, concurrency=3, on_end=lambda job, _: witness("ended", job.episode_id),
            **options,
        )  # fmt: skip
        await asyncio.gather(rollout, stream(2000), stream(3000))

    os.environ["OPENAI_API_KEY"] = "none"
    asyncio.run(both())


@dataclass(frozen=True)
class Found:
    """What witnesses have and the record has not, and how much was compared."""

    missing: list[str]
    compared: Counter[str]


def killed(
    library: Path, folder: Path, moment: str, rng: random.Random, start: Start = "spawn"
) -> Found:
    """Kill the process once, and compare."""
    folder.mkdir(parents=True)
    number = rng.randint(1, 3 if moment == "tool" else 25)
    processes: Any = get_context(start)
    here, there = Pipe()
    # By the name that a spawned process finds it under: pytest has another one for this file.
    target = import_module("test_kill_rollout").work
    child = processes.Process(target=target, args=(str(library), there, folder, moment, number))
    child.start()  # a fork before this process has threads

    def heard(request: StubRequest) -> StubReply:
        if moment == "request" and len(stub.requests) >= number:
            child.kill()
        return personality(request)

    with StubEndpoint(heard, latency_s=0.005) as stub:
        here.send(stub.base_url)
        if moment == "random":
            while not stub.requests and child.is_alive():
                time.sleep(0.01)
            time.sleep(rng.random() * LONGEST_S)
            child.kill()
        child.join(200)
        assert child.exitcode == -signal.SIGKILL
        requests = [
            tuple(content_of(one).strip() for one in body["messages"]) for body in stub.requests
        ]
    for end in (here, there):
        end.close()
    written = folder / "witness"
    return compared(written.read_text() if written.exists() else "", requests, folder)


def compared(witness: str, requests: Iterable[tuple[str, ...]], folder: Path) -> Found:
    """Look for all that was seen; every line of the record must be readable."""
    # A run that was killed before it had its manifest has told nothing yet.
    made = [path.parent for path in folder.glob("**/run.json")]
    runs = [read_run(path) for path in made]
    assert not sum(run.damaged_lines for run in runs)
    episodes = [(run, episode) for run in runs for episode in run.episodes]
    recorded = {
        *(f"seen\t{run.manifest.run_id}\t{event.id}" for run, e in episodes for event in e.events),
        *(f"tool\t{call.arguments.get('what')}" for _, e in episodes for call in e.tool_calls),
        *(f"ended\t{e.episode_id}" for _, e in episodes if e.status != "aborted"),
    }
    seen = witness.splitlines()
    missing = [line for line in seen if line not in recorded]
    prompts = Counter(
        tuple(message.text.strip() for message in episode.path(call.leaf))
        for _, episode in episodes
        for call in episode.calls
    )
    sent = Counter(requests)
    missing += [f"request {request[-1][:60]!r}" for request in sent - prompts]
    return Found(
        missing, Counter(line.partition("\t")[0] for line in seen) + Counter(request=sent.total())
    )


@pytest.mark.parametrize("moment", MOMENTS)
def test_what_anybody_saw_is_in_the_record_of_a_killed_process(
    library: Library, tmp_path: Path, moment: str
) -> None:
    found = killed(library.path, tmp_path / "out", moment, random.Random(moment))
    assert found.missing == [] and found.compared["request"] > 0


def made(folder: str) -> None:
    """Make a library of one report in a folder."""
    path = Path(folder) / "Halden 2022 annual report.pdf"
    write_report(
        Report("Halden Marine", 2022, "Bergen", (455.9, 412.6), (1, 1), 1, "Oslo", 1), path
    )
    with Library(Path(folder) / "library") as library:
        library.add(path)


def many(kills: int, seed: int) -> None:
    """Be the long form: processes are forked, so that each need not import all anew."""
    import langchain_openai  # noqa: F401, PLC0415 - for the forks

    import pagehop.graphs.explore  # noqa: F401, PLC0415 - as above

    rng, total = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        # In a process of its own: this one may have no thread of a database when it forks.
        making = get_context("spawn").Process(target=made, args=(name,))
        making.start()
        making.join()
        for kill in range(kills):
            out, moment = Path(name) / str(kill), MOMENTS[kill % len(MOMENTS)]
            found = killed(Path(name) / "library", out, moment, rng, "fork")
            for line in found.missing:
                print(f"killed at {moment}: missing {line}", flush=True)
            total += found.compared + Counter(kills=1, lost=len(found.missing))
            shutil.rmtree(out)
            if kill % 20 == 19 or kill == kills - 1:
                print(dict(total), flush=True)
    sys.exit(total["lost"] > 0)


if __name__ == "__main__":
    many(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3)
