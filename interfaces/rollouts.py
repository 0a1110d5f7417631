"""Sample many runs of many questions: the functions behind `pagehop.rollout` and its command.

The folder `out` is the record of the run. Called again with the same folder, it goes on with what
is not done; the library, the model and the settings must be those it began with.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from pagehop.answers import Answer
from pagehop.errors import ConfigError, LibraryError
from pagehop.evaluation.questions import Question, load_questions
from pagehop.events import Event
from pagehop.interfaces.options import EpisodeOptions, Options, checked_options
from pagehop.interfaces.recording import run_manifest
from pagehop.interfaces.running import Source, machine_for, open_view, tools_for
from pagehop.library.view import View
from pagehop.models.seeding import SEED
from pagehop.trajectories.manifest import RunManifest
from pagehop.trajectories.reading import read_events, read_manifest
from pagehop.trajectories.recorder import Recorder, open_record
from pagehop.trajectories.rollout import Ends, Job, RolloutReport, Runner, planned

if TYPE_CHECKING:
    from pagehop.graphs.explore import Machine

Questions = str | Path | Sequence[Question | str | Mapping[str, Any]]
OnEnd = Callable[[Job, Answer], None]


def rollout(
    questions: Questions,
    source: Source,
    *,
    out: str | Path,
    samples: int = 8,
    concurrency: int = 32,
    seed: int = 0,
    retries: int = 1,
    on_end: OnEnd | None = None,
    **options: Unpack[EpisodeOptions],
) -> RolloutReport:
    """Run each question several times and record every run; called again, go on where it stopped.

    Args:
        questions: A question file, or questions: texts, mappings as lines of that file hold.
        source: A view, a library, or a path as `ask` takes it.
        out: Folder of the record; `pagehop.trajectories.reading.read_run` reads it.
        samples: Runs of each question: a group.
        concurrency: Most runs at once.
        seed: Of the whole rollout; each run has its own from it, for models that take one.
        retries: Times that a run which failed is run again.
        on_end: Called with each run that ended, e.g. to show progress.
        options: As for `ask`; `budget` is each run's own.

    Raises:
        ConfigError: An argument is wrong, or `out` holds a rollout made otherwise.
        LibraryError: There are no documents at that path.
    """
    from pagehop.interfaces.api import run_sync  # noqa: PLC0415 - imports go one way

    run = partial(
        arollout, questions, source, out=out, samples=samples, concurrency=concurrency, seed=seed,
        retries=retries, on_end=on_end, **options,
    )  # fmt: skip
    return run_sync(run)


async def arollout(
    questions: Questions,
    source: Source,
    *,
    out: str | Path,
    samples: int = 8,
    concurrency: int = 32,
    seed: int = 0,
    retries: int = 1,
    on_end: OnEnd | None = None,
    **options: Unpack[EpisodeOptions],
) -> RolloutReport:
    """Run each question several times and record every run; the async form of `rollout`."""
    return await collected(
        questions, source, out=out, samples=samples, concurrency=concurrency, seed=seed,
        retries=retries, on_end=on_end, **options,
    )  # fmt: skip


async def collected(
    questions: Questions,
    source: Source,
    *,
    out: str | Path,
    samples: int,
    concurrency: int,
    seed: int = 0,
    retries: int = 1,
    on_end: OnEnd | None = None,
    on_resume: Callable[[int], None] | None = None,
    changed: Literal["refused", "kept"] = "refused",
    **options: Unpack[EpisodeOptions],
) -> RolloutReport:
    """Do the work of `arollout`; with `changed` kept, a question that was changed counts as run.

    Evaluation keeps them: other gold answers are scored anew, other words it names and leaves out.
    `on_resume` is told first how many runs were done before.
    """
    from pagehop.graphs.threads import in_thread  # noqa: PLC0415 - graphs load late

    for name, value, least in (
        ("samples", samples, 1), ("concurrency", concurrency, 1), ("retries", retries, 0)
    ):  # fmt: skip
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(f"{name}={value!r}: give a whole number of at least {least}")
    checked = checked_options(options)
    asked = read_questions(questions)
    jobs = planned([question.id for question in asked], samples, seed)
    folder = Path(out).expanduser()
    view, warnings = await in_thread(lambda: open_view(source))
    with _alone(folder):
        manifest = _manifest(view, checked, asked, questions, samples=samples, seed=seed)
        crew = await in_thread(lambda: _crew(view, checked, asked, jobs, folder, manifest))
        with crew.recorder:
            ends = Ends.of(read_events(folder))
            if changed == "refused":
                _same_questions(ends, jobs, asked, folder)
            if on_resume is not None:
                on_resume(sum(job.episode_id in ends.statuses for job in jobs))
            runner = Runner(jobs, crew.run, ends, concurrency, retries, on_end or _unheard)
            report = await runner.run(folder)
        problem = (crew.recorder.problem,) if crew.recorder.problem else ()
    return replace(report, warnings=(*warnings, *problem))


def read_questions(questions: Questions) -> list[Question]:
    """Return questions from a file, or from texts and mappings.

    Raises:
        ConfigError: There are none, or one is wrong.
    """
    if isinstance(questions, str | Path):
        return load_questions(questions)
    found = []
    for i, one in enumerate(questions, 1):
        if isinstance(one, str):
            found.append(Question(id=f"q{i}", question=one))
        elif isinstance(one, Question):
            found.append(one)
        else:
            try:
                found.append(Question.model_validate(dict(one)))
            except ValueError as error:
                raise ConfigError(f"question {i} is wrong: {error}") from error
    if not found:
        raise ConfigError("there is no question to run")
    return found


@dataclass
class _Crew:
    """What runs the episodes of a rollout."""

    view: View
    options: Options
    questions: Sequence[Question]
    recorder: Recorder
    group_size: int
    _machines: dict[tuple[str, ...] | None, "Machine"] = field(default_factory=dict)
    _jobs: dict[str, Job] = field(default_factory=dict)

    async def run(self, job: Job) -> Answer:
        """Run one episode."""
        question = self.questions[job.question]
        machine = self.machine(question.scope)
        self._jobs[job.episode_id] = job
        token = SEED.set(job.seed)
        try:
            start: Any = {"question": question.question, "episode_id": job.episode_id}
            state = await machine.ainvoke(start)
        finally:
            SEED.reset(token)
            self._jobs.pop(job.episode_id, None)
        answer: Answer = state["answer"]
        return answer

    def machine(self, scope: Sequence[str] | None) -> "Machine":
        """Return the machine for a scope of documents; all its episodes share it."""
        key = None if scope is None else tuple(sorted(scope))
        if key not in self._machines:
            view = self.view if key is None else self.view.within(key)
            self._machines[key] = machine_for(view, self.options, self.recorder, self.take)
        return self._machines[key]

    def take(self, event: Event) -> None:
        """Record an event with what the episode is a sample of."""
        job = self._jobs.get(event.episode_id)
        if job is None:
            return  # of a tool that outlived its episode
        if job.attempt:
            event = replace(event, attempt=job.attempt)
        if event.type == "episode.start":
            question = self.questions[job.question]
            about = {
                "task": task_told(question, self.view),
                "group_id": job.group_id,
                "rollout_index": job.index,
                "group_size": self.group_size,
                "seed": job.seed,
            }
            event = replace(event, body={**event.body, **about})
        self.recorder(event)


def task_told(question: Question, view: View) -> dict[str, Any]:
    """Return what is known of a question, its gold pages by the names that tools show."""
    names: dict[str, str] = {}
    for document in view.documents():
        names |= dict.fromkeys(document.sources, document.name)
        names |= {document.source: document.name, document.name: document.name}
    return {
        "task_id": question.id,
        "row_sha256": _row_sha256(question),
        "gold_answers": list(question.answers),
        "gold_pages": [
            {"page": f"{names.get(gold.document, gold.document)}:{gold.page}",
             "boxes": [list(box) for box in gold.boxes]}
            for gold in question.evidence
        ],
        "gold_documents": [names.get(name, name) for name in question.documents],
        "answerable": question.answerable,
        "scope": None if question.scope is None else list(question.scope),
        "tags": dict(question.tags),
    }  # fmt: skip


def _manifest(
    view: View,
    options: Options,
    asked: Sequence[Question],
    questions: Questions,
    *,
    samples: int,
    seed: int,
) -> tuple[dict[str, Any], dict[str, bytes]]:
    manifest, blobs = run_manifest(view, options, tools_for(view, options))
    rows = "\n".join(question.model_dump_json() for question in asked)
    manifest |= {
        "purpose": "collect",
        "seeds": {"run": seed},
        "samples": samples,
        "questions": {
            "source": Path(questions).name if isinstance(questions, str | Path) else "",
            "count": len(asked),
            "sha256": hashlib.sha256(rows.encode()).hexdigest(),
        },
    }
    return manifest, blobs


def _crew(
    view: View,
    options: Options,
    asked: Sequence[Question],
    jobs: Sequence[Job],
    folder: Path,
    manifest: tuple[dict[str, Any], dict[str, bytes]],
) -> _Crew:
    if (folder / "run.json").exists():
        _same_run(read_manifest(folder), manifest[0], folder)
    recorder = open_record(folder, *manifest)
    crew = _Crew(view, options, asked, recorder, len(jobs) // len(asked))
    for question in asked:  # a scope that names no document is told before anything runs
        crew.machine(question.scope)
    return crew


def _same_run(begun: RunManifest, now: Mapping[str, Any], folder: Path) -> None:
    """Refuse to go on with a run that was begun otherwise.

    Raises:
        ConfigError: Something that its episodes hang on is different.
    """
    pairs = {
        "the model": (begun.models["policy"].model_id, now["models"]["policy"]["model_id"]),
        "the documents": (begun.library.get("corpus_sha256"), now["library"]["corpus_sha256"]),
        "labels": (None if begun.labels is None else list(begun.labels), now["labels"]),
        "the machine": (begun.graph, now["graph"]),
        "its constants": (begun.more.get("constants") or {}, now["constants"]),
        "effort": (begun.effort, now["effort"]),
        "the budget": (dict(begun.limits), now["limits"]),
        "the seed": (begun.seeds.get("run"), now["seeds"]["run"]),
        "the prompts": (dict(begun.prompts), now["prompts"]),
    }
    for what, (old, new) in pairs.items():
        if old != new:
            detail = f": {old!r} then, {new!r} now" if len(str((old, new))) < 200 else ""
            raise ConfigError(
                f"{folder} holds a rollout begun with other settings ({what}{detail}); "
                "give another folder, or the same settings"
            )


def _same_questions(
    ends: Ends, jobs: Sequence[Job], asked: Sequence[Question], folder: Path
) -> None:
    """Refuse to go on with episodes whose questions were changed but for their ids.

    Raises:
        ConfigError: A question is not as it was when its episodes were begun.
    """
    rows = [_row_sha256(question) for question in asked]
    changed = {
        asked[job.question].id
        for job in jobs
        if ends.rows.get(job.episode_id, rows[job.question]) != rows[job.question]
    }
    if changed:
        named = ", ".join(repr(name) for name in sorted(changed)[:5])
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        raise ConfigError(
            f"{folder} holds episodes of other questions with the same ids: {named}{more} (words, "
            "answers or pages were changed since); give another folder (--out), or other ids"
        )


def _row_sha256(question: Question) -> str:
    return hashlib.sha256(question.model_dump_json().encode()).hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock.

    Raises:
        ConfigError: Another process runs a rollout into it.
        LibraryError: It cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "rollout.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LibraryError(f"{folder} cannot be written: {error.strerror or error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise ConfigError(f"another process runs a rollout into {folder}; wait for it") from error
    try:
        yield
    finally:
        os.close(lock)


def _unheard(job: Job, answer: Answer) -> None:
    pass
