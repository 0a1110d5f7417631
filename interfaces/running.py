"""Set a run up: check what was given, open what is asked, build the machine and its record."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagehop.answers import Answer
from pagehop.arguments import check_path
from pagehop.errors import ConfigError, LibraryError
from pagehop.events import Event
from pagehop.interfaces.asked import Asked, check_pictures
from pagehop.interfaces.eyes import eyes_of, sees
from pagehop.interfaces.options import Options
from pagehop.interfaces.recording import open_recorder, state_folder
from pagehop.interfaces.sampling import Sampling
from pagehop.interfaces.staffing import Staff, staff_of
from pagehop.library.folder import FOLDER
from pagehop.library.library import Library
from pagehop.library.manifest import HEADER
from pagehop.library.reports import none_readable
from pagehop.library.scan import scan
from pagehop.library.view import View
from pagehop.settings import load_settings

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from pagehop.events import EventSink
    from pagehop.graphs.budget import Budget
    from pagehop.graphs.explore import Machine
    from pagehop.graphs.graph import Setup
    from pagehop.graphs.state import Question
    from pagehop.graphs.steering import Pause
    from pagehop.interfaces.conversation import Conversation
    from pagehop.trajectories.recorder import Recorder

Source = Library | View | str | Path


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
    check_path("the library", source)
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
    if report.failed and not library.documents():
        raise LibraryError(none_readable(report.failed))
    warnings = [f"{name} is not searched: {reason}." for name, reason in report.failed]
    warnings += [f"{name} was deleted from the folder and is hidden." for name in report.removed]
    return [*warnings, *report.warnings]


@dataclass(frozen=True)
class AskRun:
    """One question under way."""

    question: str
    sampling: "Sampling"
    view: View
    recorder: "Recorder"
    warnings: Sequence[str]
    conversation: "Conversation"

    def start(self) -> "Question":
        """Return what the machine starts from."""
        from pagehop.graphs.state import Question  # noqa: PLC0415 - loads langgraph

        return Question(question=self.question, history=self.conversation.history())

    def finished(self, answer: Answer) -> Answer:
        """Give an answer its pictures and what is to be said beside it."""
        problem = (self.recorder.problem,) if self.recorder.problem else ()
        return replace(
            answer,
            citations=tuple(replace(c, pictures=self.view) for c in answer.citations),
            warnings=tuple(dict.fromkeys((*self.warnings, *answer.warnings, *problem))),
        )

    async def ask(self) -> Answer:
        """Return the answer."""
        ended = await self.sampling.end(self.start())
        return self._kept(ended.question, ended.answer)

    async def events(self) -> AsyncIterator[Event]:
        """Yield what happens; the last event holds the answer."""
        events, end = self.sampling.events(self.start()), None
        async with aclosing(events):  # type: ignore[type-var]  # a generator
            async for event in events:
                if end is not None:  # of a sample: it was not the last
                    self.recorder.flush()
                    yield end
                end = event if event.type == "episode.end" else None
                if end is None:
                    self.recorder.flush()  # nobody sees what is not in the record
                    yield event
        if end is not None:
            self.recorder.flush()
            answer = self._kept(end.body["question"], Answer.from_json(end.body["answer"]))
            yield replace(end, body={**end.body, "answer": answer.to_json()})

    def _kept(self, understood: str, answer: Answer) -> Answer:
        answer = self.finished(answer)
        self.conversation.add(understood, answer)
        return answer


async def prepare_run(source: Source, options: Options, asked: Asked) -> AskRun:
    """Open what is asked and build the machine, away from the event loop.

    Raises:
        ConfigError: Nobody could look at the question's pictures.
        LibraryError: There are no documents at that path.
    """
    check_seen(options, asked)
    from pagehop.graphs.threads import in_thread  # noqa: PLC0415 - graphs load late

    def prepare() -> AskRun:
        from pagehop.interfaces.conversation import open_conversation  # noqa: PLC0415 - loads late

        view, warnings = open_view(source)
        budgets = options.budget.shares(options.samples)
        machines, recorder = _build(view, options, budgets, asked=asked)
        conversation = open_conversation(view, options.thread, state_folder(view))
        sampling = Sampling(
            machines,
            recorder.run_id,
            options.budget.to_json(),
            (recorder,) if options.record else (),
        )
        return AskRun(asked.text, sampling, view, recorder, warnings, conversation)

    return await in_thread(prepare)


def build_machine(
    view: View,
    options: Options,
    checkpointer: "BaseCheckpointSaver[Any] | None",
    pause_after: "Sequence[Pause]" = (),
) -> "Machine":
    """Build the machine for a view; all its runs share one record."""
    budgets = (options.budget,)
    machines, _ = _build(view, options, budgets, checkpointer=checkpointer, pause_after=pause_after)
    return machines[0]


def _build(
    view: View,
    options: Options,
    budgets: "Sequence[Budget]",
    *,
    checkpointer: "BaseCheckpointSaver[Any] | None" = None,
    asked: Asked | None = None,
    pause_after: "Sequence[Pause]" = (),
) -> "tuple[list[Machine], Recorder]":
    """Build a machine for each budget, and the record that all of them share."""
    staff = staff_of(view, options, asked)
    recorder = open_recorder(view, options, staff[0](view))
    sinks = (recorder,) if options.record else ()
    setup = _setup(view, options, staff, recorder, sinks)
    setup = replace(setup, checkpointer=checkpointer, pause_after=pause_after)
    machines = [options.machine.build(replace(setup, budget=budget)) for budget in budgets]
    return machines, recorder


def machine_for(
    view: View,
    options: Options,
    recorder: "Recorder",
    sink: "Callable[[Event], None]",
    asked: Asked | None = None,
) -> "Machine":
    """Build the machine of many runs, whose events go to a sink that records them.

    Args:
        view: What is searched.
        options: Of all runs.
        recorder: For its name and place.
        sink: Gets the events.
        asked: The question of all runs, where it has pictures.
    """
    setup = _setup(view, options, staff_of(view, options, asked), recorder, (sink,))
    return options.machine.build(setup)


def _setup(
    view: View,
    options: Options,
    staff: Staff,
    recorder: "Recorder",
    sinks: "Sequence[EventSink]",
) -> "Setup":
    """Return what a machine is built with; what it has to do without is said in it."""
    from pagehop.graphs.graph import Setup  # noqa: PLC0415 - graphs load late

    eyes = eyes_of(options)
    notes = options.machine.missing(
        rules=options.model is None, eyes=eyes, page_vectors=view.has_picture_vectors
    )
    return Setup(
        view,
        staff[1],
        options.budget,
        staff[0],
        effort=options.effort,
        model=options.model_name,
        tool_timeout_s=load_settings().run.tool_timeout_s,
        sinks=sinks,
        run_id=recorder.run_id,
        trajectory=str(recorder.path) if recorder.path else "",
        forms=options.form is not None,
        eyes=eyes,
        notes=tuple(notes),
    )


def tools_for(view: View, options: Options) -> "list[BaseTool]":
    """Return the tools as a run's reasoner has them."""
    return staff_of(view, options, None)[0](view)


def check_seen(options: Options, asked: Asked) -> None:
    """Refuse a question with pictures that nobody could look at.

    Raises:
        ConfigError: Nobody could.
    """
    if asked.pictures:
        rules, has_vision = options.model is None, options.vision_model is not None
        check_pictures(asked, rules=rules, sees=sees(options), has_vision=has_vision)
