"""An episode is a fold of its events: the same events always give the same episode.

1. An event that comes twice with the same id (a node that ran again after a crash) counts once,
   as the later one has it. Of an episode that was begun again from the start, the last attempt
   counts.
2. Any beginning of a log is valid. An episode without an end is `aborted`.
3. What this release does not know (types, keys) is passed over, and stays in `events`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pagehop.answers import Answer, Evidence
from pagehop.events import Event
from pagehop.trajectories.calls import (
    ContextEdit,
    Crop,
    LLMCall,
    Retrieval,
    RetrievedPage,
    ToolCallRecord,
    Walk,
)
from pagehop.trajectories.conversation import Conversation
from pagehop.trajectories.episode import (
    Episode,
    Fault,
    GoldPage,
    Parent,
    RewardRecord,
    Shown,
    Task,
)
from pagehop.trajectories.messages import CallPart
from pagehop.trajectories.rule_messages import rule_messages
from pagehop.types import FULL_PAGE, PageRef


def fold_all(events: Iterable[Event]) -> Iterator[Episode]:
    """Group events by episode and fold each, in the order in which the episodes began."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(event.episode_id, []).append(event)
    return (fold(group) for group in groups.values())


def fold(events: Iterable[Event]) -> Episode:
    """Return the episode that events tell of; all must be of one episode."""
    happened = _counted(events)
    if not happened:
        return Episode("")
    tale = _Tale()
    for event in happened:
        tale.take(event)
    return tale.episode(happened)


def _counted(events: Iterable[Event]) -> tuple[Event, ...]:
    given = list(events)
    attempt = max((event.attempt for event in given), default=0)
    kept: dict[str, Event] = {}
    for event in given:
        if event.attempt == attempt:
            kept.pop(event.id, None)
            kept[event.id] = event
    return tuple(kept.values())


@dataclass
class _Tale:
    """What the events so far come to."""

    start: Mapping[str, Any] = field(default_factory=dict)
    end: Mapping[str, Any] = field(default_factory=dict)
    talk: Conversation = field(default_factory=Conversation)
    tools: dict[str, ToolCallRecord] = field(default_factory=dict)
    edits: list[ContextEdit] = field(default_factory=list)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    rewards: list[RewardRecord] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    moves: list[Event] = field(default_factory=list)
    """Events of the machine's nodes."""

    def take(self, event: Event) -> None:
        """Take the next event."""
        body = event.body
        match event.type:
            case "episode.start":
                self.start = body
            case "episode.end":
                self.end = body
            case "node":
                self.moves.append(event)
            case "llm.start":
                self.talk.started(event)
            case "llm.end":
                self.talk.ended(event)
            case "tool.start":
                self.tools[body["call"]] = _begun(event)
            case "tool.end":
                self._tool_ended(event)
            case "context.edit":
                self.edits.append(self._edit(event))
            case "evidence":
                self.evidence[body["id"]] = _evidence(body)
            case "reward":
                self.rewards.append(read_reward(body))
            case "note":
                self.notes.append(body.get("text", ""))
            case "error":
                self._broke(event)
            case _:
                pass

    def episode(self, happened: tuple[Event, ...]) -> Episode:
        """Return what it all comes to."""
        first, start, end = happened[0], self.start, self.end
        answer = Answer.from_json(end["answer"]) if "answer" in end else None
        calls = tuple(self.talk.calls.values())
        tools, edits = tuple(self.tools.values()), self._measured()
        messages = tuple(self.talk.messages)
        if calls:
            asked = _asked(calls, self.talk)
            tools = tuple(
                replace(
                    tool,
                    llm_call=asked.get(tool.id, ("", ""))[0],
                    arguments_raw=asked.get(tool.id, ("", ""))[1],
                    result_message=self.talk.showed.get(tool.id, ""),
                )
                for tool in tools
            )
        elif self.moves:
            told = rule_messages(start, self.moves, self.tools, self.evidence, answer)
            messages, edits, tools = told.messages, told.edits, told.tools
        return Episode(
            episode_id=first.episode_id,
            run_id=first.run_id,
            attempt=first.attempt,
            task=_task(start),
            group_id=start.get("group_id", ""),
            rollout_index=start.get("rollout_index"),
            group_size=start.get("group_size"),
            parent=_parent(start),
            policy_start=min((c.policy_version for c in calls if c.policy_version), default=""),
            policy_end=max((c.policy_version for c in calls if c.policy_version), default=""),
            model=start.get("model", ""),
            graph=start.get("graph", ""),
            effort=start.get("effort", ""),
            seed=start.get("seed"),
            library_version=start.get("library_version"),
            status=end.get("status", "aborted"),
            stop_reason=self._because(),
            messages=messages,
            calls=calls,
            tool_calls=tools,
            edits=edits,
            shown=_shown(tools, answer),
            evidence=tuple(self.evidence.values()),
            notes=tuple(self.notes),
            answer=answer,
            rewards=tuple(self.rewards),
            metrics=dict(end.get("metrics") or {}),
            usage=answer.usage if answer is not None else _spent(calls, tools),
            faults=tuple(self.faults),
            started=first.ts,
            ended=happened[-1].ts,
            samples=tuple(start.get("samples", ())),
            events=happened,
        )

    def _because(self) -> str:
        answers = [event.body for event in self.moves if event.body.get("node") == "answer"]
        return str(answers[-1].get("because", "")) if answers else ""

    def _tool_ended(self, event: Event) -> None:
        body = event.body
        begun = self.tools.get(body["call"])
        if begun is None:  # its start was lost with a damaged line
            begun = ToolCallRecord(body["call"], body["tool"], 0, {})
        self.tools[begun.id] = _with_result(begun, body)

    def _edit(self, event: Event) -> ContextEdit:
        body = event.body
        at = self.talk.calls.get(body.get("call", ""))
        before = self.talk.calls.get(body.get("after", ""))
        path = self._path(at.leaf) if at is not None else []
        old = self._path(before.message or before.leaf) if before is not None else []
        kept = [name for name in path if name in old]
        new = [name for name in path if name not in old]
        return ContextEdit(
            id=event.id.partition("/")[2],
            kind=body["kind"],
            from_leaf=old[-1] if old else "",
            to_root=new[0] if new else "",
            kept=tuple(kept),
            summary_message=before.message if before is not None else "",
            tokens_before=before.usage.input_tokens if before is not None else 0,
            reason=body.get("reason", ""),
            step=body.get("step", 0),
            round=body.get("round", 0),
        )

    def _measured(self) -> tuple[ContextEdit, ...]:
        """Return the edits with the tokens of the prompts that they led to, told since."""
        found = []
        for edit in self.edits:
            call = self.talk.calls.get(edit.id.removesuffix(".edit"))
            tokens = call.usage.input_tokens if call is not None else 0
            found.append(replace(edit, tokens_after=tokens))
        return tuple(found)

    def _path(self, leaf: str) -> list[str]:
        found: list[str] = []
        at: str | None = leaf or None
        while at is not None:
            found.append(at)
            at = self.talk.message(at).parent
        return found[::-1]

    def _broke(self, event: Event) -> None:
        body = event.body
        self.talk.failed(event)
        call = str(body.get("call", ""))
        if call in self.tools:
            self.tools[call] = replace(self.tools[call], error=body["error"])
        fault = Fault(body.get("where", ""), body.get("error", ""), call, body.get("trace", ""))
        self.faults.append(fault)


def read_reward(body: Mapping[str, Any]) -> RewardRecord:
    """Read a reward as the log or a file of scores holds it."""
    names = RewardRecord.__annotations__
    return RewardRecord(**{name: value for name, value in body.items() if name in names})


def _task(start: Mapping[str, Any]) -> Task:
    task = dict(start.get("task") or {})
    gold = [
        GoldPage(page["page"], tuple(tuple(box) for box in page.get("boxes", ())))
        for page in task.get("gold_pages", ())
    ]
    scope = task.get("scope")
    known = ("task_id", "dataset", "split", "row_sha256", "answerable", "tags")
    return Task(
        question=start.get("question", ""),
        gold_answers=tuple(task.get("gold_answers", ())),
        gold_pages=tuple(gold),
        gold_documents=tuple(task.get("gold_documents", ())),
        scope=None if scope is None else tuple(scope),
        **{name: task[name] for name in known if name in task},
    )


def _parent(start: Mapping[str, Any]) -> Parent | None:
    given = start.get("parent")
    return Parent(given["episode_id"], given["kind"], given.get("at", "")) if given else None


def _begun(event: Event) -> ToolCallRecord:
    body = event.body
    return ToolCallRecord(
        id=body["call"],
        tool=body["tool"],
        step=body.get("step", 0),
        arguments=body.get("arguments") or {},
        sub_question=body.get("sub_question", ""),
        started=event.ts,
    )


def _with_result(call: ToolCallRecord, body: Mapping[str, Any]) -> ToolCallRecord:
    artifact, text = body.get("artifact") or {}, body.get("text", "")
    return replace(
        call,
        valid=body.get("valid", True),
        ok=body.get("ok", False),
        result=text,
        result_sha256=hashlib.sha256(text.encode()).hexdigest(),
        artifact=artifact,
        cached=body.get("cached", False),
        seconds=body.get("seconds", 0.0),
        pages=_pages(artifact) if body.get("ok") else (),
        retrieval=_retrieval(call, artifact),
        crop=_crop(call, artifact),
        walk=_walk(artifact),
    )


def _retrieval(call: ToolCallRecord, artifact: Mapping[str, Any]) -> Retrieval | None:
    if "hits" not in artifact:
        return None
    hits = tuple(
        RetrievedPage(hit["ref"], rank, hit.get("score", 0.0), _box(hit.get("box")))
        for rank, hit in enumerate(artifact["hits"], 1)
    )
    mode = call.tool.removesuffix("_search")
    return Retrieval(mode, str(call.arguments.get("query", "")), hits)


def _crop(call: ToolCallRecord, artifact: Mapping[str, Any]) -> Crop | None:
    box = _box(artifact.get("box"))
    if "ref" not in artifact or (box is None and call.tool != "look"):
        return None
    size = artifact.get("width_px") or 0, artifact.get("height_px") or 0
    return Crop(artifact["ref"], box or FULL_PAGE, *size)


def _walk(artifact: Mapping[str, Any]) -> Walk | None:
    paths = artifact.get("paths")
    if not paths:
        return None
    refs = tuple(tuple(path["refs"]) for path in paths)
    return Walk(refs[0][0], refs, tuple(tuple(path["relations"]) for path in paths))


def _pages(artifact: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the pages whose words or picture a result shows."""
    refs = [artifact["ref"]] if "ref" in artifact else []
    refs += [hit["ref"] for hit in artifact.get("hits", ())]
    refs += [path["refs"][-1] for path in artifact.get("paths", ())]
    refs += [ref for ref in artifact.get("refs", ()) if isinstance(ref, str)]
    return tuple(dict.fromkeys(refs))


def _box(given: Any) -> tuple[float, float, float, float] | None:
    return None if given is None else (given[0], given[1], given[2], given[3])


def _evidence(body: Mapping[str, Any]) -> Evidence:
    names = Evidence.__annotations__
    given = {name: value for name, value in body.items() if name in names}
    ref = PageRef.parse(body["ref"])
    return Evidence(**{"document_id": "", **given, "ref": ref})


def _shown(tools: Iterable[ToolCallRecord], answer: Answer | None) -> tuple[Shown, ...]:
    cited = {str(citation.ref) for citation in answer.citations} if answer is not None else set()
    seen: dict[str, Shown] = {}
    for call in sorted(tools, key=lambda call: (call.step, _number(call.id))):
        for page in call.pages:
            if page not in seen:
                seen[page] = Shown(
                    len(seen), page, call.id, call.step, call.result_message, page in cited
                )
    return tuple(seen.values())


def _number(call: str) -> int:
    """Return which of its step a call is; a model reads results in the order of its calls."""
    tail = call.rpartition("c")[2]
    return int(tail) if tail.isdigit() else 0


def _asked(calls: Iterable[LLMCall], talk: Conversation) -> dict[str, tuple[str, str]]:
    """Return for each tool call the model call that asked for it, and its arguments as written."""
    found: dict[str, tuple[str, str]] = {}
    for call in calls:
        if not call.message or call.role not in ("planner", "explorer", "policy"):
            continue
        step = 1 if call.role == "planner" else call.step
        parts = [p for p in talk.message(call.message).parts if isinstance(p, CallPart)]
        for i in range(1, max(len(parts), 16) + 1):
            raw = parts[i - 1].arguments_raw if i <= len(parts) else ""
            found[f"s{step}c{i}"] = (call.id, raw)
    return found


def _spent(calls: Iterable[LLMCall], tools: Iterable[ToolCallRecord]) -> Any:
    """Return what a run that was cut off had spent, as far as it is told."""
    total = Answer("", "", "failed").usage
    for call in calls:
        total = total.plus(call.usage)
    made = list(tools)
    return replace(
        total,
        tool_calls=sum(not one.cached for one in made),
        repeated_calls=sum(one.cached for one in made),
    )
