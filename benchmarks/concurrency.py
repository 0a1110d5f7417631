"""Many runs at once against a slow endpoint, beside a bare client that sends the same requests.

    python benchmarks/concurrency.py [--runs 64] [--rounds 3] [--save]

A stub endpoint in a process of its own answers after 2 s, then after 50 ms, as a model would: a
plan, three steps with a call of `calculate` or `read_page` each, evidence, an answer. All runs go
through langchain-openai with one model object, unrecorded, over a library of two pages. The bare
clients send the bodies of one such run, as often and as many at once, without reading the replies:
the OpenAI client, through which langchain-openai goes, httpx, and LangChain's `ChatOpenAI` with the
messages and tools made before.

CPU is that of the client's process: it holds the runs and their tools, not the endpoint.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pymupdf
from langchain_core.messages import convert_to_messages
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI
from pydantic import SecretStr

import pagehop
from pagehop.models.chat_models import load_chat_model
from pagehop.models.stub_endpoint import StubEndpoint
from pagehop.models.stub_personalities import StubReply, StubRequest

TABLE = Path(__file__).parents[1] / "docs" / "benchmarks" / "concurrency.md"
QUESTION = "What does the mill grind?"
QUOTE = "The mill at the river grinds forty sacks of rye a day."
CALLS = (
    {"name": "calculate", "args": {"expression": "40 * 7"}},
    {"name": "read_page", "args": {"ref": "mill:1"}},
)
STEPS = 3
KEY = "none"


def personality(request: StubRequest) -> StubReply:
    """Answer each role from its prompt alone."""
    first, last = (str(request.messages[i].get("content")) for i in (0, -1))
    if first.startswith("You plan"):
        return StubReply(json.dumps({"parts": [{"id": "Q1", "text": QUESTION}]}))
    if "The round ends here" in last:
        kept = [{"ref": "mill:1", "quote": QUOTE, "part": "Q1"}]
        parts = [{"id": "Q1", "state": "answered"}]
        return StubReply(json.dumps({"evidence": kept, "parts": parts, "sufficient": True}))
    if first.startswith("You write the answer"):
        return StubReply(json.dumps({"claims": [{"text": QUOTE, "evidence": ["E1"]}]}))
    found = re.match(r"Step (\d+)\.", last)
    step = int(found[1]) if found else 1
    if step > STEPS:
        return StubReply("Nothing more is to be looked up.")
    return StubReply("Look.", tool_calls=[CALLS[step % len(CALLS)]])


@contextmanager
def endpoint(latency_s: float) -> Iterator[str]:
    """Run the stub in another process; give its address."""
    command = [sys.executable, __file__, "--serve", str(latency_s)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.communicate()  # closing its input ends it


def serve(latency_s: float) -> None:
    """Be the other process."""
    with StubEndpoint(personality, latency_s=latency_s) as stub:
        print(stub.base_url, flush=True)
        sys.stdin.read()


def mill(folder: Path) -> Path:
    """Write a PDF of two pages."""
    path = folder / "mill.pdf"
    with pymupdf.open() as document:
        for text in (QUOTE, "The miller sells the flour in the town."):
            document.new_page().insert_text((72, 72), text)
        document.save(path)
    return path


@dataclass(frozen=True)
class Load:
    """How one kind of client fared."""

    calls: int
    seconds: float
    cpu_s: float
    each: list[float]
    """Seconds of every run."""

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds


async def together(run: Callable[[], Awaitable[int]], runs: int) -> Load:
    """Run many at once; each gives the number of its calls."""

    async def timed() -> tuple[int, float]:
        started = time.perf_counter()
        calls = await run()
        return calls, time.perf_counter() - started

    started, cpu = time.perf_counter(), time.process_time()
    done = await asyncio.gather(*(timed() for _ in range(runs)))
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    return Load(sum(calls for calls, _ in done), seconds, used, [took for _, took in done])


@asynccontextmanager
async def clients(
    view: pagehop.View, url: str, bodies: list[Mapping[str, Any]]
) -> AsyncIterator[dict[str, Callable[[], Awaitable[int]]]]:
    """Give what makes one run, by name."""
    model = load_chat_model("openai:stub", base_url=url, api_key=KEY)
    openai = AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0)
    limits = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
    bare = httpx.AsyncClient(limits=limits, timeout=60)
    langchain = ChatOpenAI(model="stub", base_url=url, api_key=SecretStr(KEY), max_retries=0)
    prompts = [
        (convert_to_messages(b["messages"]), {"tools": b["tools"]} if "tools" in b else {})
        for b in bodies
    ]

    async def ours() -> int:
        answer = await pagehop.aask(QUESTION, view, model=model, record=False)
        assert answer.status == "answered" and len(answer.citations) == 1, answer
        return answer.usage.model_calls

    async def through_openai() -> int:
        for body in bodies:
            await openai.chat.completions.create(**body)
        return len(bodies)

    async def through_langchain() -> int:
        for messages, tools in prompts:
            await langchain.ainvoke(messages, **tools)
        return len(prompts)

    async def through_httpx() -> int:
        for body in bodies:
            reply = await bare.post(f"{url}/chat/completions", json=body)
            reply.raise_for_status()
        return len(bodies)

    async with openai, bare:
        yield {
            "pagehop": ours,
            "langchain-openai": through_langchain,
            "openai client": through_openai,
            "httpx": through_httpx,
        }


def recorded_bodies(view: pagehop.View) -> list[Mapping[str, Any]]:
    """Return the requests of one run."""
    with StubEndpoint(personality) as stub:
        model = load_chat_model("openai:stub", base_url=stub.base_url, api_key=KEY)
        pagehop.ask(QUESTION, view, model=model, record=False)
        return list(stub.requests)


async def measure(
    view: pagehop.View, url: str, bodies: list[Mapping[str, Any]], runs: int, rounds: int
) -> dict[str, list[Load]]:
    """Let the kinds of client take turns; the first turn warms up."""
    async with clients(view, url, bodies) as kinds:
        loads: dict[str, list[Load]] = {name: [] for name in kinds}
        for run in kinds.values():
            await together(run, 4)
        for _ in range(rounds):
            for name, run in kinds.items():
                loads[name].append(await together(run, runs))
    return loads


def rows(latency_s: float, loads: Mapping[str, list[Load]], runs: int) -> list[str]:
    """Write one latency's results as rows of the table."""
    rates = {name: statistics.median(load.rate for load in of) for name, of in loads.items()}
    lines = []
    for name, of in loads.items():
        middle = sorted(of, key=lambda load: load.rate)[len(of) // 2]
        each = sorted(middle.each)
        spread = each[int(0.95 * (len(each) - 1))] / statistics.median(each)
        cpu = statistics.median(1000 * load.cpu_s / load.calls for load in of)
        rate = rates[name]
        lines.append(
            f"| {latency_s:g} s | {name} | {rate:.1f} | {rate * latency_s / runs:.2f} "
            f"| {rate / rates['openai client']:.2f} | {rate / rates['httpx']:.2f} "
            f"| {spread:.2f} | {cpu:.1f} |"
        )
    return lines


def main() -> None:
    """Measure, print, and perhaps save; or be the endpoint."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latencies", default="2,0.05", help="seconds, comma-separated")
    parser.add_argument("--save", action="store_true", help=f"write {TABLE.name} into docs/")
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve is not None:
        return serve(given.serve)
    lines = [
        "| latency | client | calls/s | of runs / latency | of the OpenAI client | of httpx | "
        "p95 / p50 of a run | CPU-ms a call |",
        "|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder, pagehop.Library(Path(folder) / "l") as library:
        library.add(mill(Path(folder)))
        view = library.view()
        bodies = recorded_bodies(view)
        for latency_s in map(float, given.latencies.split(",")):
            with endpoint(latency_s) as url:
                loads = asyncio.run(measure(view, url, bodies, given.runs, given.rounds))
            lines += rows(latency_s, loads, given.runs)
    load = f"{len(bodies)} calls a run; load average at the end {os.getloadavg()[0]:.1f}."
    text = "\n".join([*lines, "", load])
    print(text)
    if given.save:
        command = " ".join(["python benchmarks/concurrency.py", *sys.argv[1:]])
        about = " ".join((__doc__ or "").split("\n\n", 2)[2].split())
        TABLE.write_text(f"# Many runs at once\n\n{date.today()}: `{command}`. {about}\n\n{text}\n")


if __name__ == "__main__":
    main()
