"""Set a run up: check what was given, open what is asked, build the machine and its record."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pagehop.errors import ConfigError, LibraryError
from pagehop.library.library import FOLDER, Library
from pagehop.library.manifest import HEADER
from pagehop.library.scan import scan
from pagehop.library.view import View
from pagehop.settings import load_settings
from pagehop.types import Answer, Event

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from pagehop.graphs.budget import Budget
    from pagehop.graphs.explore import Machine
    from pagehop.trajectories.recorder import Recorder

Source = Library | View | str | Path
Effort = Literal["low", "medium", "high"]
Record = bool | str | Path

GRAPHS = ("explore",)
LATER = ("thread", "schema", "tools", "prompts", "vision_model", "base_url")
"""Arguments of `ask` that come with a later release."""


def open_view(source: Source) -> tuple[View, list[str]]:
    """Open what may be asked, and say what the user should know of it.

    Raises:
        ConfigError: It is no view, library or path.
        LibraryError: There are no documents at that path.
    """
    if isinstance(source, View):
        return source, []
    if isinstance(source, Library):
        return source.view(), []
    if not isinstance(source, str | Path):
        raise ConfigError(f"cannot ask a {type(source).__name__}; give a Library, View or path")
    path = Path(source).expanduser()
    if not path.is_dir():
        raise ConfigError(f"{str(source)!r} is no folder; give one with documents or a library")
    if (path / HEADER).exists():
        return _opened(path).view(), []
    if not (path / FOLDER).exists():
        scan([path], (), None, None)  # refuses a folder without PDFs before one is made in it
    library = _opened(path)
    warnings = _brought_up_to_date(library, path)
    return library.view(), warnings


def _opened(path: Path) -> Library:
    """Open a library; asked again by path, the same one, so that its encoder is loaded once."""
    folder = path.resolve()
    folder = folder if (folder / HEADER).exists() else folder / FOLDER
    if not (folder / HEADER).exists():
        Library(path).close()  # makes it
    place = folder.stat()
    return _library(folder, (place.st_dev, place.st_ino))


@lru_cache(maxsize=4)
def _library(folder: Path, place: tuple[int, int]) -> Library:
    # The place tells a library apart from one that was deleted under the same name.
    return Library(folder)


def _brought_up_to_date(library: Library, folder: Path) -> list[str]:
    """Index what is new in a plain folder; return what went wrong."""
    try:
        report = library.add(folder)
    except LibraryError as error:
        if not library.documents():
            raise
        return [f"The library was not brought up to date: {error}."]
    warnings = [f"{name} is not searched: {reason}." for name, reason in report.failed]
    warnings += [f"{name} was deleted from the folder and is hidden." for name in report.removed]
    return [*warnings, *report.warnings]


@dataclass(frozen=True)
class Options:
    """How to answer; checked."""

    model: str
    graph: str
    effort: Effort
    budget: "Budget"
    record: Record


@dataclass(frozen=True)
class AskRun:
    """One question under way."""

    machine: "Machine"
    view: View
    recorder: "Recorder"
    warnings: Sequence[str]

    def finished(self, answer: Answer) -> Answer:
        """Give an answer its pictures and what is to be said beside it."""
        problem = (self.recorder.problem,) if self.recorder.problem else ()
        return replace(
            answer,
            citations=tuple(replace(c, pictures=self.view) for c in answer.citations),
            warnings=tuple(dict.fromkeys((*self.warnings, *answer.warnings, *problem))),
        )

    def finished_event(self, event: Event) -> Event:
        """Say in the last event what `finished` says in the answer."""
        answer = self.finished(Answer.from_json(event.body["answer"]))
        return replace(event, body={**event.body, "answer": answer.to_json()})


async def prepare_run(source: Source, options: Options) -> AskRun:
    """Open what is asked and build the machine, away from the event loop."""
    from pagehop.graphs.threads import in_thread  # noqa: PLC0415 - graphs load late

    def prepare() -> AskRun:
        view, warnings = open_view(source)
        machine, recorder = build_machine(view, options, None)
        return AskRun(machine, view, recorder, warnings)

    return await in_thread(prepare)


def build_machine(
    view: View, options: Options, checkpointer: "BaseCheckpointSaver[Any] | None"
) -> "tuple[Machine, Recorder]":
    """Build the machine for a view, and the record that all its runs share."""
    from pagehop.agents.builtin import builtin_roles  # noqa: PLC0415 - loads the rules
    from pagehop.graphs.explore import build  # noqa: PLC0415 - loads langgraph
    from pagehop.tools.toolset import toolset  # noqa: PLC0415 - loads langchain

    tools = toolset(view, images="text", inside=True)
    recorder = _recorder(view, options, [tool.name for tool in tools])
    machine = build(
        view,
        builtin_roles,
        options.budget,
        tools=tools,
        effort=options.effort,
        model=options.model,
        tool_timeout_s=load_settings().run.tool_timeout_s,
        checkpointer=checkpointer,
        sinks=(recorder,) if options.record else (),
        run_id=recorder.run_id,
        trajectory=str(recorder.path) if recorder.path else "",
    )
    return machine, recorder


def _recorder(view: View, options: Options, tools: Sequence[str]) -> "Recorder":
    from pagehop.trajectories.recorder import Recorder, new_run_id, record_run  # noqa: PLC0415 - with the run

    if options.record is False:
        return Recorder(new_run_id(), None)
    from platformdirs import user_state_path  # noqa: PLC0415 - only recorded runs need it

    home = "" if view.runs_path is None else str(view.runs_path.parent)
    folder = hashlib.sha256(home.encode()).hexdigest()[:12]
    manifest = {
        "purpose": "interactive",
        "graph": options.graph,
        "effort": options.effort,
        "models": {"policy": {"model_id": options.model, "api_kind": "rules"}},
        "tools": list(tools),
        "limits": options.budget.to_json(),
        "library": {"path": home, "version": view.version},
        "labels": None if view.labels is None else sorted(view.labels),
    }
    runs = view.runs_path if options.record is True else Path(options.record).expanduser()
    fallback = user_state_path("pagehop") / "runs" / folder
    return record_run(runs, fallback=fallback, manifest=manifest)


def checked_options(
    model: object,
    graph: object,
    effort: object,
    budget: object,
    record: object,
    later: Mapping[str, object],
) -> Options:
    """Check the arguments of `ask` and fill in the settings.

    Raises:
        ConfigError: One is wrong, or not in this release.
        TypeError: There is no such argument.
    """
    from pagehop.graphs.budget import Budget  # noqa: PLC0415 - only runs need it

    for name, value in later.items():
        if name not in LATER:
            raise TypeError(f"unexpected argument {name!r}")
        if value not in (None, ()):
            raise ConfigError(f"{name}= is not in this release; it comes with a later one")
    run = load_settings().run
    model = run.model if model is None else model
    if model != "builtin":
        raise ConfigError(
            f"model={model!r}: this release reasons by rules only; use model='builtin'. "
            "Language models come with a later release"
        )
    if graph not in GRAPHS:
        raise ConfigError(f"graph={graph!r}: there is only {', '.join(GRAPHS)}")
    effort = run.effort if effort is None else effort
    efforts: tuple[Effort, ...] = get_args(Effort)
    chosen = [name for name in efforts if name == effort]
    if not chosen:
        raise ConfigError(f"effort={effort!r}: use {', '.join(efforts)}")
    if budget is None:
        budget = Budget(steps=run.max_steps, tool_calls=run.max_tool_calls, seconds=run.max_seconds)
    if not isinstance(budget, Budget):
        raise ConfigError(f"budget={budget!r}: give a pagehop.Budget, e.g. Budget(steps=12)")
    record = run.record if record is None else record
    if not isinstance(record, bool | str | Path) or record == "":
        raise ConfigError(f"record={record!r}: give True, False or a folder")
    return Options(model, graph, chosen[0], budget, record)


def checked_question(question: object) -> str:
    """Return the question's text.

    Raises:
        ConfigError: There is none, or it is not text.
    """
    if not isinstance(question, str):
        raise ConfigError(
            f"the question is a {type(question).__name__}; give its text. "
            "Pictures in questions come with a later release"
        )
    if not question.strip():
        raise ConfigError("the question is empty")
    return question.strip()
