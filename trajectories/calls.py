"""What an episode did: calls of models, calls of tools, edits of the context."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pagehop.answers import Usage
from pagehop.types import Box

EditKind = Literal[
    "role", "summarise", "reflect", "drop_tool_results", "drop_images", "drop_reasoning",
    "truncate", "repair", "subagent", "merge", "resume",
]  # fmt: skip
"""`role`: another role begins its own conversation. `repair`: unusable replies are left out.
`resume`: another process went on with the run."""


@dataclass(frozen=True)
class LLMCall:
    """One call of a model."""

    id: str
    role: str
    """Of the machine: planner, explorer, summarizer, ..."""
    step: int
    round: int
    leaf: str
    """Last message of its prompt; its path to the root is the prompt."""
    message: str = ""
    """What it said; empty when the call failed or was cut off."""
    trainable: bool = True
    """False for a call of a model that is not the policy, e.g. one that reads pictures."""
    model: str = ""
    """As it was asked for."""
    model_served: str = ""
    """As the endpoint named it."""
    policy_version: str = ""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """temperature, top_p, top_k, min_p, max_tokens, seed, stop, ... as far as they were set."""
    tools_sha256: str = ""
    """Of the tool schemas that it was offered natively; empty for none."""
    request_blob: str = ""
    response_blob: str = ""
    """sha256 of the raw request and reply, where they were captured."""
    prompt_ids: tuple[int, ...] = ()
    """All ids of its prompt, as the engine gave them."""
    completion_ids: tuple[int, ...] = ()
    completion_logprobs: tuple[float, ...] = ()
    text_raw: str = ""
    """What was sampled, special tokens included, where it is known."""
    finish_reason: str = ""
    usage: Usage = field(default_factory=Usage)
    reasoning_tokens: int = 0
    attempts: int = 1
    retried: tuple[str, ...] = ()
    """Why each attempt before the last one failed."""
    started: float = 0.0
    """Unix time."""
    seconds: float = 0.0
    ttft_s: float | None = None
    """To the first token; None when the reply was not streamed."""
    error: str = ""


@dataclass(frozen=True)
class RetrievedPage:
    """One hit of a search."""

    page: str
    """Page reference."""
    rank: int
    """From 1."""
    score: float
    box: Box | None = None


@dataclass(frozen=True)
class Retrieval:
    """What a search asked for and found."""

    mode: str
    """semantic, keyword."""
    query: str
    hits: tuple[RetrievedPage, ...]


@dataclass(frozen=True)
class Crop:
    """What a tool showed of a page."""

    page: str
    box: Box
    width: int = 0
    height: int = 0
    """In pixels as it was rendered; 0 when words were read in its place."""


@dataclass(frozen=True)
class Walk:
    """A walk over the page graph."""

    start: str
    paths: tuple[tuple[str, ...], ...]
    """Pages of each path, the start first."""
    relations: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ToolCallRecord:
    """One call of a tool."""

    id: str
    """`s3c1` is the first call of step 3."""
    tool: str
    step: int
    arguments: Mapping[str, Any]
    arguments_raw: str = ""
    """The model's own characters; empty when rules made the call or they are not known."""
    llm_call: str = ""
    """The call of a model that asked for it; empty when rules or code did."""
    sub_question: str = ""
    valid: bool = True
    """False when the tool or its arguments do not exist, so that nothing ran."""
    ok: bool = False
    """It gave a result."""
    error: str = ""
    """What a programmer needs when it broke."""
    result: str = ""
    """What the reasoner reads of it."""
    result_sha256: str = ""
    result_message: str = ""
    """Id of the message that states it in a prompt; empty when none did."""
    artifact: Mapping[str, Any] = field(default_factory=dict)
    cached: bool = False
    """An identical call was answered before."""
    started: float = 0.0
    seconds: float = 0.0
    pages: tuple[str, ...] = ()
    """Page references that it showed, in order."""
    retrieval: Retrieval | None = None
    crop: Crop | None = None
    walk: Walk | None = None
    step_reward: float | None = None


@dataclass(frozen=True)
class ContextEdit:
    """A prompt that does not go on from the last one, and why."""

    id: str
    kind: EditKind
    from_leaf: str = ""
    """Last message before it; empty when no prompt was sent (rules)."""
    to_root: str = ""
    """First message of the new context that was not in the old one."""
    kept: tuple[str, ...] = ()
    """Messages at its beginning that both share."""
    summary_message: str = ""
    """What was said to close the round."""
    tokens_before: int = 0
    tokens_after: int = 0
    """Of the prompts, as the endpoint reported them; 0 when it did not."""
    reason: str = ""
    step: int = 0
    round: int = 0
