"""What `pagehop evaluate` does: check the questions, run each system, write the reports.

1. A system is a graph with a model, written `explore` or, with an effort, `explore:low`. Each is
   checked before the first question is asked.
2. Questions that are wrong, or name documents and pages that are not there, are left out and said.
3. Each system is a rollout of its own, `runs/<system>`: what is done there is not run again.
4. Files: `report.md`, `report.html`, `report.json` (the rows of `--json`, and what was left out),
   `runs/`, and for models asked without documents `results/`.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagehop.answers import Answer
from pagehop.errors import ConfigError, LibraryError
from pagehop.evaluation.closed_book import GRAPH as CLOSED_BOOK
from pagehop.evaluation.closed_book import ask_closed_book
from pagehop.evaluation.comparison import System, compare
from pagehop.evaluation.judges import Judge, agreement, judge_runs
from pagehop.evaluation.observed import Observed, observe_record
from pagehop.evaluation.overlap import duplicates
from pagehop.evaluation.question_checks import check_questions, open_questions
from pagehop.evaluation.questions import Fault, Question
from pagehop.evaluation.report_page import report_page
from pagehop.evaluation.strategies import list_strategies, score_search
from pagehop.evaluation.summary import SystemSummary, summarise_search, summarise_system
from pagehop.evaluation.tables import markdown
from pagehop.graphs.registry import EXPLORE, find_graph
from pagehop.interfaces.options import BUILTIN, EpisodeOptions, checked_options
from pagehop.interfaces.rollouts import collected
from pagehop.interfaces.showing import show_run
from pagehop.library.view import View
from pagehop.types import PageRef

if TYPE_CHECKING:
    from pagehop.graphs.budget import Budget
    from pagehop.graphs.graph import Graph

EFFORTS = ("low", "medium", "high")
Progress = Callable[[str, int, int], None]
"""Told the name of a system, how many of its runs are done and how many there are."""


@dataclass(frozen=True)
class Plan:
    """What is to be run."""

    graphs: "Sequence[str | Graph]" = ()
    """Names, with an effort as `explore:low`, or graphs of one's own; empty: explore."""
    models: Sequence[str] = (BUILTIN,)
    seeds: int = 1
    retrieval_only: bool = False
    base_url: str = ""
    effort: str | None = None
    budget: "Budget | None" = None
    concurrency: int = 4
    limit: int | None = None
    """Only so many questions."""
    closed_book: bool = True
    """Also ask each model without documents."""
    judge: str = ""
    """Model that judges the answers, beside the rules; empty for none."""
    labelled: Path | None = None
    """Answers labelled by people, on which the judge is measured."""


@dataclass
class Evaluation:
    """What came of it."""

    out: Path
    head: str
    summaries: list[SystemSummary] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    """Questions left out."""
    notes: list[str] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row a graph and model."""
        return [summary.to_json() for summary in self.summaries]

    def write(self) -> None:
        """Write the reports."""
        notes = [*self.notes, *(f"Left out: {fault}." for fault in self.faults)]
        record = {
            "head": self.head,
            "rows": self.rows(),
            "left_out": [vars(fault) for fault in self.faults],
            "notes": self.notes,
            "by_type": {
                s.graph + (f", {s.model}" if s.model else ""): {
                    kind: {name: e.to_json() for name, e in found.items()}
                    for kind, found in s.by_type.items()
                }
                for s in self.summaries
            },
            "places": {f"{s.graph}, {s.model}": dict(s.places) for s in self.summaries if s.places},
        }
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / "report.md").write_text(
            markdown(self.summaries, f"`{self.head}`", notes), encoding="utf-8"
        )
        (self.out / "report.html").write_text(
            report_page(self.summaries, self.out, self.head, notes), encoding="utf-8"
        )
        (self.out / "report.json").write_text(
            json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False), encoding="utf-8"
        )


async def evaluate(
    view: View,
    questions_path: str | Path,
    out: str | Path,
    plan: Plan,
    *,
    head: str = "",
    progress: Progress | None = None,
) -> Evaluation:
    """Run the systems of a plan over a question set, and write the reports into a folder.

    Args:
        view: What is asked.
        questions_path: A question file, a folder with one, or the folder of a public set.
        out: Reports, results and trajectories; what is there already is not run again.
        plan: What to run.
        head: The command, for the reports.
        progress: Told as runs end.

    Raises:
        ConfigError: No question can be asked, or a system of the plan cannot run.
        LibraryError: The folder cannot be made.
    """
    read, faults = open_questions(questions_path)
    questions, missing = check_questions(read, view.documents())
    questions = questions[: plan.limit]
    if not questions:
        first = [*faults, *missing][0]
        raise ConfigError(f"no question of {questions_path} can be asked; first: {first}")
    done = Evaluation(Path(out), head, faults=[*faults, *missing])
    try:
        done.out.mkdir(parents=True, exist_ok=True)  # refused before anything is asked
    except OSError as error:
        raise LibraryError(f"{done.out} cannot be written: {error.strerror or error}") from error
    if twice := duplicates(questions):
        pairs = ", ".join(f"{p.first} and {p.second}" for p in twice[:3])
        done.notes.append(f"{len(twice)} pairs of questions ask the same, e.g. {pairs}.")
    if plan.retrieval_only:
        _search(view, questions, done, progress)
    else:
        await _run(view, questions, done, plan, progress)
    done.write()
    return done


def _search(
    view: View, questions: Sequence[Question], done: Evaluation, progress: Progress | None
) -> None:
    names = list_strategies(view)
    for i, name in enumerate(names, 1):
        scores, seconds = score_search(name, questions, view)
        if not scores:
            raise ConfigError("no question has gold pages, or several documents to choose from")
        done.summaries.append(summarise_search(name, questions, scores, seconds))
        if progress is not None:
            progress(name, i, len(names))
    if view.encoder is None:
        done.notes.append("The library has no encoder: only keyword search was run.")


async def _run(
    view: View,
    questions: Sequence[Question],
    done: Evaluation,
    plan: Plan,
    progress: Progress | None,
) -> None:
    systems = dict(_systems(plan, done))
    judge = await _judge(plan, done)
    for system, options in systems.items():
        runs = await _runs(system, options, view, questions, done, plan, progress)
        judged = None
        if judge is not None:
            judged = await judge_runs(judge, questions, runs, concurrency=plan.concurrency)
        summary = summarise_system(system, questions, runs, _page_text(view), judged=judged)
        done.summaries.append(summary)
    if judge is not None:
        done.notes += [f"No verdict, {n} of the replies: {why}." for why, n in judge.failed.items()]


async def _runs(
    system: System,
    options: EpisodeOptions,
    view: View,
    questions: Sequence[Question],
    done: Evaluation,
    plan: Plan,
    progress: Progress | None,
) -> list[Observed]:
    """Run what is not yet run of a system, and return all its runs."""
    name = f"{system.graph}, {system.model}"
    ended = 0

    def told(*_: object, more: int = 1) -> None:
        nonlocal ended
        ended += more
        if progress is not None and ended:
            progress(name, ended, len(questions) * system.seeds)

    if system.graph == CLOSED_BOOK:
        model = checked_options(options).model
        assert model is not None, "rules are not asked without documents"

        async def ask(system: System, question: Question, seen: View, seed: int) -> Answer:
            return await ask_closed_book(model, question.question)

        asked = await compare(
            [system], questions, view, ask, done.out, concurrency=plan.concurrency, told=told
        )
        return asked[system]
    folder = done.out / "runs" / system.slug
    report = await collected(
        questions,
        view,
        out=folder,
        samples=system.seeds,
        concurrency=plan.concurrency,
        on_end=told,
        on_resume=lambda before: told(more=before),
        changed="kept",
        **options,
    )
    done.notes += [f"{name}: {warning}" for warning in report.warnings]
    runs, faults = observe_record(folder, questions, view)
    done.faults += faults
    show_run(folder, out=folder / "show.html")
    return runs


def _systems(plan: Plan, done: Evaluation) -> list[tuple[System, EpisodeOptions]]:
    """Return each system with the options it runs with; all are checked.

    Raises:
        ConfigError: One cannot run, or an option is wrong.
    """
    if plan.seeds < 1:
        raise ConfigError(f"seeds={plan.seeds}: give 1 or more")
    if plan.concurrency < 1:
        raise ConfigError(f"concurrency={plan.concurrency}: give 1 or more")
    found = []
    for named in plan.graphs or (EXPLORE,):
        graph, effort = _graph_of(named)
        written = f"{graph.name}:{effort}" if effort else graph.name
        for model in plan.models:
            options = EpisodeOptions(
                model=model,
                base_url=plan.base_url if model != BUILTIN else "",
                graph=graph,
                effort=effort or plan.effort,  # type: ignore[typeddict-item]  # checked below
                budget=plan.budget,
            )
            checked = checked_options(options)
            seeds = plan.seeds
            if model == BUILTIN and seeds > 1:
                note = f"{BUILTIN} answers the same each time: one seed was run of it."
                done.notes += [] if note in done.notes else [note]
                seeds = 1
            about = [checked.effort, checked.budget.to_json()]
            about += [graph.constants] if graph.constants else []
            limits = json.dumps(about, sort_keys=True, default=str)
            settings = hashlib.sha256(limits.encode()).hexdigest()[:12]
            found.append((System(written, model, settings, seeds), options))
    return [*_closed_book(plan, done), *found]


def _graph_of(named: "str | Graph") -> "tuple[Graph, str]":
    """Return the graph of a name, and the effort behind its colon.

    Raises:
        ConfigError: There is no such graph, or it has no efforts.
    """
    if not isinstance(named, str):
        return find_graph(named), ""
    name, _, effort = named.rpartition(":")
    if effort in EFFORTS:
        graph = find_graph(name)
        if graph.name != EXPLORE:
            raise ConfigError(f"graph {named!r}: {graph.name} has no efforts; only {EXPLORE} has")
        return graph, effort
    if name == EXPLORE:
        raise ConfigError(f"graph {named!r}: after the colon stands {', '.join(EFFORTS)}")
    return find_graph(named), ""


def _closed_book(plan: Plan, done: Evaluation) -> list[tuple[System, EpisodeOptions]]:
    found = []
    for model in plan.models if plan.closed_book else ():
        if model == BUILTIN:
            done.notes.append(f"{BUILTIN} knows nothing without documents: no closed-book score.")
            continue
        options = EpisodeOptions(model=model, base_url=plan.base_url)
        found.append((System(CLOSED_BOOK, model, "", plan.seeds), options))
    return found


async def _judge(plan: Plan, done: Evaluation) -> Judge | None:
    if not plan.judge:
        if plan.labelled is not None:
            raise ConfigError("labelled answers measure a judge; name one")
        return None
    if plan.judge == BUILTIN:
        raise ConfigError(f"{BUILTIN} cannot judge answers; name a model")
    model = checked_options(EpisodeOptions(model=plan.judge, base_url=plan.base_url)).model
    assert model is not None
    judge = Judge(model, plan.judge, done.out / "judged" / "verdicts.jsonl")
    if plan.labelled is not None:
        done.notes.append(f"The judge {plan.judge} {await agreement(judge, plan.labelled)}.")
    else:
        done.notes.append(f"How far the judge {plan.judge} agrees with people was not measured.")
    return judge


def _page_text(view: View) -> Callable[[str, int], str]:
    names = {source: document.name for document in view.documents() for source in document.sources}

    def text(document: str, page: int) -> str:
        try:
            return view.page(PageRef(names[document], page)).text
        except (LibraryError, KeyError):
            return ""

    return text
