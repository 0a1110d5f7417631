"""Run a recorded episode again from its recorded replies: the same, or with something changed.

1. The tools run anew over the library; each call of the model is answered by the recorded reply.
   So a replay over an unchanged library gives the same events, and says where it does not.
2. A branch: from one call on another reply is given. A counterfactual: pages are taken out of the
   view. From the first prompt that is another than the recorded one, a model goes on when one is
   given; otherwise the recorded replies are given as they came.
3. A run by rules is run again by the rules.

What is compared are the bodies of all events but for times, what the endpoint counted, and names
of runs. A conversation's history is in the record, and so are the pictures of a question
(`recorded_question.py`); tools of a user's own give what they gave then (`recorded_tools.py`).
Calls of models that failed fail again, at once; one whose tool hung gives another result then. Not
covered: pictures that a user's own tool gave.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagehop.answers import Answer
from pagehop.errors import ConfigError, LibraryError
from pagehop.events import Event
from pagehop.interfaces.options import EpisodeOptions, checked_options
from pagehop.interfaces.recorded_replies import RecordedReplies
from pagehop.interfaces.recording import run_manifest
from pagehop.interfaces.running import machine_for, tools_for
from pagehop.interfaces.showing import library_of
from pagehop.library.view import View
from pagehop.trajectories.episode import Episode
from pagehop.trajectories.reading import Run, read_run
from pagehop.trajectories.recorder import Recorder, new_run_id, open_record

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from pagehop.graphs.graph import Graph

_UNSTABLE = frozenset({
    "seconds", "ttft_s", "usage", "attempts", "retried", "trajectory", "sampling", "model",
    "model_served", "tokens", "trace", "blobs", "finish_reason", "reasoning_tokens", "id",
    "arguments_raw", "task", "group_id", "rollout_index", "group_size", "seed", "parent",
    "budget", "library_version", "request_blob", "response_blob",
})  # fmt: skip
"""Keys that are not compared."""


@dataclass(frozen=True)
class Replay:
    """What a replay came to."""

    answer: Answer
    recorded: Answer | None
    """What the episode answered then; None when it was cut off."""
    differences: tuple[str, ...]
    """Where its events are others, the first first; empty when they are the same."""
    events: tuple[Event, ...] = field(repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """All events are the same but for times."""
        return not self.differences

    @property
    def answers_alike(self) -> bool:
        """Status, text and citations are the same."""
        return self.recorded is not None and _answered(self.answer) == _answered(self.recorded)

    def to_json(self) -> dict[str, Any]:
        """Return the form that `pagehop replay --json` prints."""
        return {
            "same": self.same,
            "answers_alike": self.answers_alike,
            "differences": list(self.differences),
            "answer": self.answer.to_json(),
            "recorded": self.recorded.to_json() if self.recorded is not None else None,
            "warnings": list(self.warnings),
        }


def replay(
    folder: str | Path,
    episode: str,
    *,
    library: str | Path | None = None,
    drop: Sequence[str] = (),
    at: str = "",
    reply: str = "",
    model: "str | BaseChatModel | None" = None,
    base_url: str | None = None,
    graph: "str | Graph | None" = None,
    out: str | Path | None = None,
) -> Replay:
    """Run a recorded episode again.

    Args:
        folder: Of the run.
        episode: Its id, or a beginning of it.
        library: Where the documents are; None takes the one that was asked.
        drop: Pages (`name:page`) and documents taken out of the view.
        at: Id of a model call, e.g. `3/llm.explorer.0.1`, that gets another reply.
        reply: The words of that reply.
        model: Who goes on where the prompts are no longer the recorded ones.
        base_url: Of that model's server.
        graph: The machine, where it was a user's own; None takes the one of the record by name.
        out: Folder for a record of the replay.

    Raises:
        LibraryError: There is no such run, episode or library.
        ConfigError: There is no such call or none at all, or the machine is a user's own and was
            not given.
    """
    run = read_run(folder)
    found = run.episode(episode)
    view, problem = library_of(run.manifest, None if library is None else Path(library))
    if view is None:
        raise LibraryError(problem)
    names = [call.id for call in found.calls if call.trainable]
    if at and at not in names:
        raise ConfigError(f"{found.episode_id} has no model call {at!r}; it has {', '.join(names)}")
    policy = run.manifest.models.get("policy")
    if not found.calls and policy is not None and policy.api_kind != "rules":
        raise ConfigError(
            f"{found.episode_id} has no model call to replay: it was cut off before the first, or "
            "tells which of several samples was chosen"
        )
    script = RecordedReplies(found, at, reply, _live(model, base_url))
    warnings = [problem] if problem else []
    warnings += _changed(run, view)
    machine = _graph(graph, run)
    from pagehop.interfaces.api import run_sync  # noqa: PLC0415 - imports go one way

    eyes = run.manifest.more.get("eyes")
    play = partial(_played, run, found, view, script, drop, out, graph=machine, eyes=eyes)
    played = run_sync(play)
    answer = Answer.from_json(played[-1].body["answer"], pictures=view)
    warnings += script.warnings
    return Replay(
        answer, found.answer, tuple(_differences(found.events, played)), tuple(played),
        tuple(warnings),
    )  # fmt: skip


def _graph(given: "str | Graph | None", run: Run) -> "Graph":
    """Return the machine of a record, with the constants that it had.

    Raises:
        ConfigError: It has no name here.
    """
    from pagehop.graphs.registry import find_graph, with_constants  # noqa: PLC0415 - graphs load late

    if given is not None:
        return find_graph(given)
    name = run.manifest.graph or "explore"
    try:
        found = find_graph(name)
    except ConfigError as error:
        raise ConfigError(f"{error}; the run was made by {name!r}: give graph=") from error
    return with_constants(found, run.manifest.more.get("constants") or {})


async def _played(
    run: Run,
    episode: Episode,
    view: View,
    script: RecordedReplies,
    drop: Sequence[str],
    out: str | Path | None,
    *,
    graph: "Graph",
    eyes: str | None,
) -> list[Event]:
    """Run the episode and return its events."""
    from pagehop.agents.moves import Exchange  # noqa: PLC0415 - agents load late
    from pagehop.graphs.budget import Budget  # noqa: PLC0415 - graphs load late
    from pagehop.interfaces.recorded_question import recorded_question  # noqa: PLC0415 - as below
    from pagehop.interfaces.recorded_tools import recorded_tools  # noqa: PLC0415 - loads langchain

    start = next((e.body for e in episode.events if e.type == "episode.start"), {})
    limits: Mapping[str, Any] = start.get("budget") or {}
    options = EpisodeOptions(
        budget=Budget(**{**limits, "seconds": None}),
        effort=start.get("effort") or "medium",
        graph=graph,
    )
    if episode.calls:
        from pagehop.models.scripted import ScriptedModel  # noqa: PLC0415 - only with a model

        policy = ScriptedModel(replies=script.say, model_name=episode.model or "recorded")
        if eyes is not None:  # whether the model was shown pictures then
            policy.profile = {"image_inputs": eyes == "pictures"}
        options["model"] = policy
        if any(not call.trainable for call in episode.calls):
            policy.profile = {"image_inputs": False}
            options["vision_model"] = ScriptedModel(replies=script.read, model_name="recorded")
    else:
        options["model"] = "builtin"
    own = recorded_tools(run.manifest, episode, tools_for(view, checked_options(options)))
    checked = checked_options({**options, "tools": own})
    if episode.task.scope is not None:
        view = view.within(episode.task.scope)
    view = view.without(list(drop)) if drop else view
    recorder = Recorder(new_run_id(), None)
    if out is not None:
        folder = Path(out).expanduser()
        recorder = open_record(folder, *run_manifest(view, checked, tools_for(view, checked)))
    played: list[Event] = []
    parent = {
        "episode_id": episode.episode_id,
        "kind": "branch" if script.at or drop else "replay",
        "at": script.at,
    }
    sink = _sink(played, recorder, parent)
    machine = machine_for(view, checked, recorder, sink, recorded_question(run.folder, episode))
    with recorder:
        history = [Exchange(**one) for one in start.get("history") or ()]
        asked: Any = {
            "question": episode.question, "episode_id": episode.episode_id, "history": history
        }  # fmt: skip
        await machine.ainvoke(asked)
    return played


def _sink(
    played: list[Event], recorder: Recorder, parent: Mapping[str, Any]
) -> Callable[[Event], None]:
    def take(event: Event) -> None:
        played.append(event)
        if event.type == "episode.start":
            event = replace(event, body={**event.body, "parent": dict(parent)})
        recorder(event)

    return take


def _live(model: "str | BaseChatModel | None", base_url: str | None) -> "BaseChatModel | None":
    if model is None:
        return None
    return checked_options(EpisodeOptions(model=model, base_url=base_url)).model


def _changed(run: Run, view: View) -> list[str]:
    """Say what of this program is no longer as it was then."""
    told = run.manifest
    if not told.prompts:
        return []
    from pagehop.agents.prompting import PROMPTS, Prompts  # noqa: PLC0415 - only with a model
    from pagehop.models.token_arrays import text_sha256  # noqa: PLC0415 - as above

    shipped = Prompts()
    names = [n for n in PROMPTS if n in told.prompts and text_sha256(shipped[n]) != told.prompts[n]]
    return [f"Prompts are no longer as they were: {', '.join(names)}."] if names else []


def _differences(old: Sequence[Event], new: Sequence[Event]) -> list[str]:
    """Return where two runs of an episode differ, in the order of the first."""
    first = {_key(event): event for event in old if event.type != "llm.delta"}
    second = {_key(event): event for event in new if event.type != "llm.delta"}
    found = []
    for key, event in first.items():
        if key not in second:
            found.append(f"{key} ({event.type}) did not happen again")
        elif (before := _stable(event.body)) != (after := _stable(second[key].body)):
            names = [n for n in {**before, **after} if before.get(n) != after.get(n)]
            found.append(f"{key} ({event.type}) is another: {', '.join(sorted(names))}")
    found += [f"{key} ({second[key].type}) is new" for key in second if key not in first]
    return found


def _key(event: Event) -> str:
    return event.id.partition("/")[2]


def _stable(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {name: _stable(part) for name, part in value.items() if name not in _UNSTABLE}
        return {name: part for name, part in kept.items() if part not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [_stable(part) for part in value]
    return value


def _answered(answer: Answer) -> tuple[Any, ...]:
    cited = tuple((c.ref, c.quote) for c in answer.citations)
    return answer.status, answer.text, cited
