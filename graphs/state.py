"""The state of one run: small, append-only, strict to read back.

Lists that grow are delta channels, so a checkpoint stores what a node added and not the whole
list again. Observations are taken out when a round closes. Pictures appear as references only.
`STATE_TYPES` are the only classes that a checkpoint may bring back.
"""

import copy
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypedDict

from langgraph.channels import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from pagehop.agents.moves import (
    Call,
    Claim,
    Draft,
    Exchange,
    Observation,
    Reflection,
    SubQuestion,
    Turn,
    Verdict,
)
from pagehop.answers import Answer, Citation, Evidence, Usage
from pagehop.graphs.budget import Budget, Spent
from pagehop.graphs.saving import in_one_transaction
from pagehop.graphs.steer import Steer
from pagehop.types import PageRef

Stop = Literal["", "sufficient", "one round", "budget", "no leads"]
"""Why the run went to answer: the reflector was satisfied, effort low, a limit, nothing new."""

STATE_TYPES: tuple[type, ...] = (
    Answer, Budget, Call, Citation, Claim, Draft, Evidence, Exchange, Observation, PageRef,
    Reflection, Spent, Steer, SubQuestion, Turn, Usage, Verdict,
)  # fmt: skip


def _extend(items: list[Any], writes: Sequence[list[Any]]) -> list[Any]:
    return items + [item for write in writes for item in write]


class State(TypedDict, total=False):
    """What nodes read and return."""

    question: str
    """As it was understood: a follow-up is rewritten by plan."""
    asked: str
    """The user's own words."""
    history: list[Exchange]
    episode_id: str
    """Given with the question or made by plan; the first part of every event id."""
    planned: str
    """Episode that plan last began: a later question on the same thread gets a new one."""
    sub_questions: list[SubQuestion]
    pending: list[Call]
    """What explore asked act to run."""
    round_done: bool
    """The explorer said that it has what it wants of this round."""
    observations: Annotated[list[Observation], DeltaChannel(_extend)]
    """Of the current round."""
    turns: Annotated[list[Turn], DeltaChannel(_extend)]
    """Of the current round."""
    evidence: Annotated[list[Evidence], DeltaChannel(_extend)]
    notes: Annotated[list[str], DeltaChannel(_extend)]
    tried: Annotated[list[Call], DeltaChannel(_extend)]
    calculations: Annotated[list[Observation], DeltaChannel(_extend)]
    warnings: Annotated[list[str], DeltaChannel(_extend)]
    """What the user is told beside the answer."""
    broken: Annotated[list[str], DeltaChannel(_extend)]
    """Tool calls that broke or hung, with the error."""
    worked: int
    """Tool calls that gave a result."""
    reflection: Reflection | None
    fused: Reflection | None
    """What the summarizer judged in the same call; reflect takes it instead of asking."""
    draft: Draft | None
    verdict: Verdict | None
    spent: Spent
    step: int
    round: int
    round_start: int
    """Step after which the current round began."""
    barren_rounds: int
    """Rounds in a row without new evidence."""
    strategy: int
    """0, or 1 after the one change of strategy."""
    limits: Budget | None
    """A person's, in place of the machine's own."""
    banned: list[str]
    """Pages and documents that a person took out of the view."""
    told: bool
    """The reasoner was told that the budget is nearly spent."""
    sent_back: bool
    """Verify has sent the run back to explore once."""
    stop: Stop
    used_up: str
    """The limit at which exploring ended; empty when none did."""
    memo: dict[str, Any]
    """What a published system or a user's own graph keeps between its nodes; JSON-able."""
    goto: str
    """The node that comes next in such a graph."""
    assembled: Answer | None
    """The answer before it is put into a form; only where one was asked for."""
    answer: Answer | None
    """Set once, at the end; its citations carry no pictures here."""


class Question(TypedDict, total=False):
    """What a run starts from; all but the question may be left out."""

    question: str
    history: list[Exchange]
    """Earlier questions and answers of the conversation, oldest first."""
    episode_id: str


def strict(saver: BaseCheckpointSaver[Any]) -> BaseCheckpointSaver[Any]:
    """Return a saver over the same storage that brings back our state types and no other class.

    LangGraph's own strict mode hangs on an environment variable read when it is first imported;
    this holds whatever the process did before.
    """
    if not isinstance(saver.serde, JsonPlusSerializer):
        return saver.with_allowlist([(t.__module__, t.__name__) for t in STATE_TYPES])
    clone = copy.copy(saver)
    clone.serde = JsonPlusSerializer(allowed_msgpack_modules=STATE_TYPES)
    if type(saver).__module__.startswith("langgraph.checkpoint.sqlite"):
        # SQLite keeps a checkpoint's values beside their versions, so a version need not be unique
        # over forks. The saver's own take 49 characters a channel, most of a small checkpoint.
        clone.get_next_version = _next_version  # type: ignore[method-assign]  # of this clone only
    return in_one_transaction(clone)


def _next_version(current: object, channel: None) -> int | str:
    """Return a version that sorts after the current one; a thread of the saver's own goes on."""
    if isinstance(current, str):
        return f"{int(current.partition('.')[0]) + 1:032}"
    return (current if isinstance(current, int) else 0) + 1
