"""The messages of an episode: what a model was sent and what it said, as a graph.

A message stands behind the one before it in its prompt (`parent`). Prompts that begin alike share
their messages; where a prompt does not go on from the last one, the graph branches.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pagehop.trajectories.tokens import TokenDelta
from pagehop.types import Box

MessageRole = Literal["system", "user", "assistant", "tool"]
MessageKind = Literal[
    "system", "question", "plan", "action", "observation", "summary", "reflection", "notes",
    "nudge", "answer",
]  # fmt: skip
Origin = Literal["sampled", "harness", "human", "dataset"]
"""Who wrote it: a model in this run, our code, a person, a data set. Masks follow from this."""


@dataclass(frozen=True)
class TextPart:
    """Words."""

    text: str


@dataclass(frozen=True)
class ReasoningPart:
    """What a model thought before it spoke, where its endpoint shows that."""

    text: str
    signature: str = ""


@dataclass(frozen=True)
class PicturePart:
    """A picture as it was sent."""

    blob: str
    """sha256 of its bytes; the file lies in the run's blobs."""
    mime: str = "image/png"
    width: int = 0
    height: int = 0
    page: str = ""
    """Page reference; empty for a picture of the question, or a sheet of several pages."""
    box: Box | None = None
    """Part of the page; None is the whole page."""
    n_tokens: int | None = None


@dataclass(frozen=True)
class CallPart:
    """A tool call as a model wrote it."""

    id: str
    """As the model's own prompt names it."""
    name: str
    arguments_raw: str
    """The model's own characters, where they are known; else our JSON of `arguments`."""
    arguments: Mapping[str, Any] | None
    """None when they could not be read."""
    parse_error: str = ""


@dataclass(frozen=True)
class JsonPart:
    """A value that is none of the others."""

    value: Any


Part = TextPart | ReasoningPart | PicturePart | CallPart | JsonPart


@dataclass(frozen=True)
class Message:
    """One message."""

    id: str
    parent: str | None
    """The message before it in the prompt; None for the first."""
    role: MessageRole
    kind: MessageKind
    origin: Origin
    parts: tuple[Part, ...]
    sha256: str
    """Of role, parts and tool call id: equal messages have equal ones."""
    tool_call_id: str = ""
    name: str = ""
    """Of the tool whose result it is."""
    copied_from: str = ""
    """Id of the message that it states again in a new context; that one carries the training."""
    tokens: TokenDelta | None = None
    """None when nobody knows them."""
    ts: float = 0.0

    @property
    def text(self) -> str:
        """Its words, reasoning left out."""
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def reasoning(self) -> str:
        """What the model thought."""
        return "\n".join(part.text for part in self.parts if isinstance(part, ReasoningPart))

    @property
    def calls(self) -> tuple[CallPart, ...]:
        """Its tool calls."""
        return tuple(part for part in self.parts if isinstance(part, CallPart))

    @property
    def pictures(self) -> tuple[PicturePart, ...]:
        """Its pictures, in order."""
        return tuple(part for part in self.parts if isinstance(part, PicturePart))
