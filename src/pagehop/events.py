"""The one stream of events that a run emits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

EventType = Literal[
    "episode.start", "node", "llm.start", "llm.end", "llm.delta", "tool.start", "tool.end",
    "context.edit", "evidence", "reward", "note", "error", "episode.end",
]  # fmt: skip


@dataclass(frozen=True)
class Event:
    """One thing that happened in a run; the terminal, the chat and the record are folds of these.

    The recorder adds `v`, `seq` and `crc` when it writes one (docs/TRAJECTORIES.md).
    """

    id: str
    """`<episode>/<step>/<what>`: a node that runs again gives the same ids."""
    type: EventType
    body: Mapping[str, Any]
    """JSON-able."""
    run_id: str
    episode_id: str
    attempt: int = 0
    ts: float = 0.0
    """Unix time in seconds."""
    mono: float = 0.0
    """Monotonic clock in seconds."""
    blobs: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    """Bytes that the body names by their sha256, e.g. pictures as they were sent; the record keeps
    each once, as a file."""


EventSink = Callable[[Event], None]
