"""Ask a question set of something that is no machine, and so that a stopped run goes on.

    <out>/results/<system>.jsonl    one line a run of a question, appended as it ends

Machines are run by `rollout`, whose record is their result; this is for what has no record, e.g. a
model asked without documents.

1. A line carries a key made of the question, the system's settings and the documents' contents.
   When the comparison is started again, questions whose key is there are not asked again; lines
   with other keys (another question text, other documents) are passed over and stay in the file.
2. What ends in one of our errors is kept as `failed` with its reason, and the next question is
   asked. Lines that were cut off by a crash are passed over.
"""

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pagehop.answers import Answer
from pagehop.errors import PagehopError
from pagehop.evaluation.observed import Observed, observe
from pagehop.evaluation.questions import Question
from pagehop.library.view import View


@dataclass(frozen=True)
class System:
    """What answers: a machine with a model, or a search strategy without one."""

    graph: str
    model: str
    """Empty when no model takes part."""
    settings: str = ""
    """Whatever else changes its answers, e.g. effort and budget."""
    seeds: int = 1

    @property
    def slug(self) -> str:
        """Name of its file."""
        words = re.sub(r"[^\w.]+", "-", f"{self.graph} {self.model}").strip("-")
        digest = hashlib.sha256(repr((words, self.settings)).encode()).hexdigest()[:6]
        return f"{words}-{digest}" if self.settings else words


Ask = Callable[[System, Question, View, int], Awaitable[Answer]]
"""Answers a question from a view with a system; the number is that of the seed."""
Told = Callable[[System, Observed], None]


@dataclass
class Results:
    """The file of one system's runs."""

    path: Path
    by_key: dict[str, Observed] = field(default_factory=dict)
    unreadable: int = 0
    """Lines that are no result: cut off in a crash, or damaged."""

    @classmethod
    def open(cls, path: Path) -> "Results":
        """Read what there is; the folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        found = cls(path)
        if path.exists():
            for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
                if not line:
                    continue
                try:
                    record = json.loads(line)
                    key = record.pop("key")
                    found.by_key[key] = Observed.from_json(record)
                except (ValueError, KeyError, TypeError):
                    found.unreadable += 1
        return found

    def add(self, key: str, run: Observed) -> None:
        """Append one run, on the disk before this returns."""
        self.by_key[key] = run
        line = json.dumps({"key": key, **run.to_json()}, ensure_ascii=False)
        with self.path.open("ab+") as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                file.write(b"\n")  # behind a line that was cut off
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


async def compare(
    systems: Sequence[System],
    questions: Sequence[Question],
    view: View,
    ask: Ask,
    out: Path,
    *,
    concurrency: int = 4,
    told: Told | None = None,
) -> dict[System, list[Observed]]:
    """Run each system on each question, as often as it has seeds; return the runs by system.

    Args:
        systems: Run one after the other.
        questions: Their documents must be in the view.
        view: What is asked; a question with a scope sees only that.
        ask: See `Ask`.
        out: Folder for results.
        concurrency: Runs at once.
        told: Called as each run ends.
    """
    done = {}
    for system in systems:
        results = Results.open(out / "results" / f"{system.slug}.jsonl")
        wanted = {
            run_key(system, question, seed, view): (question, seed)
            for question in questions
            for seed in range(system.seeds)
        }
        missing = {key: one for key, one in wanted.items() if key not in results.by_key}
        await _run_missing(system, missing, view, ask, results, concurrency, told)
        done[system] = [results.by_key[key] for key in wanted]
    return done


def run_key(system: System, question: Question, seed: int, view: View) -> str:
    """Return what a result is valid for, as a digest."""
    documents = sorted(document.id for document in view.documents())
    parts = (system.graph, system.model, system.settings, question.model_dump_json(), seed)
    return hashlib.sha256(repr((*parts, documents)).encode()).hexdigest()[:24]


def seen_by(view: View, question: Question) -> View:
    """Return what a question may search."""
    return view if question.scope is None else view.within(question.scope)


async def _run_missing(
    system: System,
    missing: Mapping[str, tuple[Question, int]],
    view: View,
    ask: Ask,
    results: Results,
    concurrency: int,
    told: Told | None,
) -> None:
    """Run a system on the questions and seeds that have no result yet, each kept as it ends."""
    gate = asyncio.Semaphore(concurrency)

    async def one(key: str, question: Question, seed: int) -> None:
        async with gate:
            run = await _run(system, question, seed, view, ask)
            results.add(key, run)
            if told is not None:
                told(system, run)

    async with asyncio.TaskGroup() as group:
        for key, (question, seed) in missing.items():
            group.create_task(one(key, question, seed))


async def _run(system: System, question: Question, seed: int, view: View, ask: Ask) -> Observed:
    seen = seen_by(view, question)
    try:
        answer = await ask(system, question, seen, seed)
    except PagehopError as error:
        return Observed(question.id, seed, "failed", error=f"{type(error).__name__}: {error}")
    return observe(question.id, seed, answer, None, seen)
