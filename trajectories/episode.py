"""One sampled run of one question: everything that a trainer, an evaluator and a person need."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from pagehop.answers import Answer, Evidence, Status, Usage
from pagehop.events import Event
from pagehop.trajectories.calls import ContextEdit, LLMCall, ToolCallRecord
from pagehop.trajectories.messages import Message
from pagehop.types import Box

EpisodeStatus = Status | Literal["aborted"]
"""`aborted`: the log has no end of it."""
RewardScope = Literal["episode", "llm_call", "tool_call", "tokens"]


@dataclass(frozen=True)
class GoldPage:
    """A page that holds what answers the question."""

    page: str
    """Page reference in the library that was asked; as the question file names it when that
    library has no such document."""
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Task:
    """The question and what is known of its answer."""

    question: str
    task_id: str = ""
    dataset: str = ""
    split: str = ""
    row_sha256: str = ""
    """Of the line in the question file."""
    gold_answers: tuple[str, ...] = ()
    gold_pages: tuple[GoldPage, ...] = ()
    gold_documents: tuple[str, ...] = ()
    """Names as in page references."""
    answerable: bool | None = None
    """None: not known."""
    scope: tuple[str, ...] | None = None
    """Documents that might be searched; None is all."""
    tags: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Parent:
    """The episode that this one goes on from or repeats."""

    episode_id: str
    kind: Literal["retry", "replay", "branch", "edit", "sample"]
    at: str = ""
    """Id of the model or tool call at which it branches off."""


@dataclass(frozen=True)
class Shown:
    """A page that was put before the reasoner, once each, in the order in which it saw them."""

    order: int
    """From 0."""
    page: str
    via: str
    """Id of the tool call that first showed it."""
    step: int
    message: str = ""
    """Id of the message that showed it; empty when no prompt did."""
    cited: bool = False


@dataclass(frozen=True)
class RewardRecord:
    """One reward, or one part of it."""

    name: str
    value: float | None
    """None: it could not be judged; never the same as 0."""
    weight: float = 1.0
    scope: RewardScope = "episode"
    target: str = ""
    """Id of the call for a scope that is smaller than the episode."""
    scorer: str = ""
    version: str = ""
    sha256: str = ""
    """Of the scorer's settings."""
    reason: str = ""
    parts: Mapping[str, float | None] = field(default_factory=dict)
    """Of a composite, the value of each part."""
    judge: Mapping[str, Any] | None = None
    """Model, prompt hash, reply, usage, when a model judged."""
    ts: float = 0.0
    supersedes: str = ""


@dataclass(frozen=True)
class Fault:
    """Something that broke."""

    where: str
    error: str
    call: str = ""
    trace: str = ""


@dataclass(frozen=True)
class Episode:
    """One run of one question: a fold of its events."""

    episode_id: str
    run_id: str = ""
    attempt: int = 0
    task: Task = field(default_factory=lambda: Task(""))
    group_id: str = ""
    """Episodes of the same question in one rollout run share it."""
    rollout_index: int | None = None
    group_size: int | None = None
    parent: Parent | None = None
    policy_start: str = ""
    policy_end: str = ""
    """Versions of the policy's weights, when a trainer tells them."""
    model: str = ""
    graph: str = ""
    effort: str = ""
    seed: int | None = None
    library_version: int | None = None
    status: EpisodeStatus = "aborted"
    stop_reason: str = ""
    """Why it went to answer: sufficient, one round, no leads, or the limit that was spent."""
    messages: tuple[Message, ...] = ()
    calls: tuple[LLMCall, ...] = ()
    tool_calls: tuple[ToolCallRecord, ...] = ()
    edits: tuple[ContextEdit, ...] = ()
    shown: tuple[Shown, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = ()
    """What the machine remarked, in order."""
    answer: Answer | None = None
    """Without pictures; None when the run was cut off."""
    rewards: tuple[RewardRecord, ...] = ()
    """From the log, then from the scores beside it."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    faults: tuple[Fault, ...] = ()
    started: float = 0.0
    ended: float = 0.0
    """Unix time of its first and last event."""
    samples: tuple[str, ...] = ()
    """Episodes among which this one chose; it made no calls of its own."""
    events: tuple[Event, ...] = field(default=(), repr=False)
    """In the order in which they happened."""

    @property
    def question(self) -> str:
        """The question, in the user's words."""
        return self.task.question

    def message(self, name: str) -> Message:
        """Return a message by its id."""
        return self._by_id[name]

    def path(self, leaf: str) -> tuple[Message, ...]:
        """Return the messages from the root to one of them: a prompt, or a prompt and its reply."""
        found: list[Message] = []
        at: str | None = leaf or None
        while at is not None:
            found.append(self._by_id[at])
            at = found[-1].parent
        return tuple(reversed(found))

    def reward(self, name: str) -> RewardRecord | None:
        """Return the latest reward of a name; None when it has none."""
        return next((one for one in reversed(self.rewards) if one.name == name), None)

    def children(self, name: str | None) -> Iterator[Message]:
        """Yield the messages behind one; with None the roots."""
        return (one for one in self.messages if one.parent == name)

    @cached_property
    def _by_id(self) -> dict[str, Message]:
        return {one.id: one for one in self.messages}
