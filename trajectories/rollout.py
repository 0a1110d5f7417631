"""Run many episodes: bounded, in turn, resumable, each exactly once in the record.

1. Each question gives a group of `samples` episodes. Their ids, and so their events' ids, follow
   from the question's id and the number of the sample; their seeds from these and the run's seed.
2. `concurrency` workers take episodes in the order of the questions, so that groups are whole
   early and a slow episode holds one place only.
3. An episode is done when its end is in the log (synced to disk there). A run that was killed goes
   on: what is done is passed over, what was begun is run again as the next attempt, which replaces
   the one before in the fold.
4. An episode that fails is run again `retries` times; then it stands as failed.
5. What the process held when the rollout began is kept out of garbage collections until it ends:
   torch and transformers alone make 400,000 objects, and each full collection walks through all.
"""

import asyncio
import gc
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pagehop.answers import Answer, Usage
from pagehop.errors import ConfigError
from pagehop.events import Event

_SAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Job:
    """One episode to run."""

    episode_id: str
    group_id: str
    question: int
    """Its place in the list of questions."""
    index: int
    """Which sample of its group it is, from 0."""
    seed: int
    attempt: int = 0


@dataclass(frozen=True)
class RolloutReport:
    """What a rollout did."""

    out: str
    episodes: int
    """Run now; those of an earlier call are `resumed`."""
    resumed: int
    statuses: dict[str, int]
    """Of all episodes of the run, how many ended how."""
    retried: int
    seconds: float
    usage: Usage
    """Of the episodes run now, attempts that failed included."""
    busy: float
    """Share of the places that were in use, 0 to 1; the last episodes of a run leave some free."""
    warnings: tuple[str, ...] = ()

    @property
    def model_calls_per_s(self) -> float:
        """Calls of the model a second."""
        return self.usage.model_calls / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the form that `pagehop rollout --json` prints."""
        seconds = max(self.seconds, 1e-9)
        return {
            "out": self.out,
            "episodes": self.episodes,
            "resumed": self.resumed,
            "statuses": dict(self.statuses),
            "retried": self.retried,
            "seconds": round(self.seconds, 3),
            "episodes_per_s": round(self.episodes / seconds, 4),
            "model_calls_per_s": round(self.model_calls_per_s, 4),
            "input_tokens_per_s": round(self.usage.input_tokens / seconds, 1),
            "output_tokens_per_s": round(self.usage.output_tokens / seconds, 1),
            "busy": round(self.busy, 4),
            "usage": dict(vars(self.usage)),
            "warnings": list(self.warnings),
        }


def planned(ids: Sequence[str], samples: int, seed: int) -> list[Job]:
    """Return the episodes of a rollout, group by group.

    Args:
        ids: Of the questions.
        samples: Episodes of each.
        seed: Of the run.

    Raises:
        ConfigError: Two questions have the same id.
    """
    if len(set(ids)) < len(ids):
        twice = next(name for i, name in enumerate(ids) if name in ids[:i])
        raise ConfigError(f"two questions have the id {twice!r}")
    jobs = []
    for question, name in enumerate(ids):
        group = group_name(name)
        for index in range(samples):
            digest = hashlib.sha256(f"{seed}\n{name}\n{index}".encode()).digest()
            own = int.from_bytes(digest[:4], "big") & 0x7FFF_FFFF
            jobs.append(Job(f"{group}.{index}", group, question, index, own))
    return jobs


@dataclass
class Ends:
    """Which episodes have ended how, by the log."""

    statuses: dict[str, str] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    """The last one that was begun."""
    rows: dict[str, str] = field(default_factory=dict)
    """sha256 of the question's row that an episode was begun with, as its start tells it."""

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Ends":
        """Read them from a log."""
        ends = cls()
        for event in events:
            ends.take(event)
        return ends

    def take(self, event: Event) -> None:
        """Take the next event."""
        name = event.episode_id
        if event.attempt > self.attempts.get(name, -1):
            self.attempts[name] = event.attempt
            self.statuses.pop(name, None)
        if event.type == "episode.start" and (
            row := (event.body.get("task") or {}).get("row_sha256")
        ):
            self.rows[name] = row
        if event.type == "episode.end" and event.attempt == self.attempts[name]:
            self.statuses[name] = str(event.body.get("status", "failed"))


@dataclass
class Runner:
    """Runs the episodes that are not done."""

    jobs: Sequence[Job]
    run_one: Callable[[Job], Awaitable[Answer]]
    """Runs an episode and returns its answer; its events go to the record by themselves."""
    ends: Ends
    concurrency: int
    retries: int = 1
    on_end: Callable[[Job, Answer], None] = lambda job, answer: None
    _usage: Usage = field(default_factory=Usage)
    _run: int = 0
    _retried: int = 0
    _busy_s: float = 0.0

    async def run(self, out: Path) -> RolloutReport:
        """Run all that is left and report."""
        left = [job for job in self.jobs if job.episode_id not in self.ends.statuses]
        resumed = len(self.jobs) - len(left)
        started = time.perf_counter()
        queue = iter(left)
        places = max(1, min(self.concurrency, len(left)))

        async def work() -> None:
            for job in queue:
                await self._episode(job)

        with _few_collected():
            async with asyncio.TaskGroup() as group:
                for _ in range(places):
                    group.create_task(work())
        ended = time.perf_counter()
        statuses: dict[str, int] = {}
        for job in self.jobs:
            status = self.ends.statuses.get(job.episode_id, "aborted")
            statuses[status] = statuses.get(status, 0) + 1
        return RolloutReport(
            out=str(out),
            episodes=self._run,
            resumed=resumed,
            statuses=dict(sorted(statuses.items())),
            retried=self._retried,
            seconds=ended - started,
            usage=self._usage,
            busy=min(1.0, self._busy_s / (places * (ended - started))) if left else 1.0,
        )

    async def _episode(self, job: Job) -> None:
        first = self.ends.attempts.get(job.episode_id, -1) + 1
        for attempt in range(first, first + self.retries + 1):
            this = Job(**{**vars(job), "attempt": attempt})
            began = time.perf_counter()
            answer = await self.run_one(this)
            self._busy_s += time.perf_counter() - began
            self._usage = self._usage.plus(answer.usage)
            self.ends.attempts[job.episode_id] = attempt
            self.ends.statuses[job.episode_id] = answer.status
            if answer.status != "failed" or attempt == first + self.retries:
                break
            self._retried += 1
        self._run += 1
        self.on_end(this, answer)


@contextmanager
def _few_collected() -> Iterator[None]:
    """Let garbage collections pass over what is there now; who froze objects before is left alone.

    Objects are freed as ever when the last reference to them goes; only cycles made before wait.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def group_name(name: str) -> str:
    """Return a question's id as a part of file and event names; another one for each id."""
    safe = _SAFE.sub("_", name)[:80].lstrip(".-") or "_"  # no hidden file, no option of a command
    if safe == name:
        return safe
    return f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
