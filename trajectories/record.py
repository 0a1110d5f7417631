"""Read a run back: every episode is a fold of its events.

1. An event that comes twice with the same id (a node that ran again after a crash) counts once,
   as the later one has it.
2. An episode without an end is `aborted`, with everything up to the last whole line.
3. A torn last line is passed over: the writer was killed in it. A damaged line elsewhere is passed
   over too, but counted.
"""

import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pagehop.answers import Answer, Status
from pagehop.errors import LibraryError
from pagehop.events import Event

MAJOR = "1."
_BODY = re.compile(rb',"body":(.*),"crc":(\d+)\}$', re.DOTALL)


@dataclass(frozen=True)
class Episode:
    """One question of a run."""

    episode_id: str
    question: str
    status: Status | Literal["aborted"]
    events: tuple[Event, ...]
    """In the order in which they happened."""

    @property
    def answer(self) -> Answer | None:
        """The answer, without pictures; None when the run was cut off."""
        for event in reversed(self.events):
            if event.type == "episode.end":
                return Answer.from_json(event.body["answer"])
        return None


@dataclass(frozen=True)
class Run:
    """A run's folder, read."""

    manifest: dict[str, Any]
    episodes: tuple[Episode, ...]
    damaged_lines: int = 0
    """Lines that could not be read, a torn last one of a file not counted."""


@dataclass
class _Lines:
    events: list[Event] = field(default_factory=list)
    damaged: int = 0


def read_run(folder: Path) -> Run:
    """Read the manifest and all events of a run.

    Raises:
        LibraryError: The folder is no record of a run, or one that a newer pagehop wrote.
    """
    try:
        manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LibraryError(f"{folder} is no record of a run: {error}") from error
    schema = str(manifest.get("schema_version", ""))
    if not schema.startswith(f"pagehop-trajectory/{MAJOR}"):
        raise LibraryError(f"{folder} has schema {schema!r}; this pagehop reads {MAJOR}x")
    lines = _Lines()
    for path in sorted((folder / "events").glob("*.jsonl")):
        _read_file(path, lines)
    lines.events.sort(key=lambda event: event.ts)
    return Run(manifest, tuple(fold(lines.events)), lines.damaged)


def fold(events: Iterable[Event]) -> Iterator[Episode]:
    """Group events by episode, in the order in which the episodes began."""
    episodes: dict[str, dict[str, Event]] = {}
    for event in events:
        kept = episodes.setdefault(event.episode_id, {})
        kept.pop(event.id, None)
        kept[event.id] = event
    for name, by_id in episodes.items():
        happened = tuple(by_id.values())
        starts = [event for event in happened if event.type == "episode.start"]
        ends = [event for event in happened if event.type == "episode.end"]
        question = str(starts[0].body["question"]) if starts else ""
        yield Episode(name, question, ends[-1].body["status"] if ends else "aborted", happened)


def _read_file(path: Path, lines: _Lines) -> None:
    raw = path.read_bytes()
    whole = raw.endswith(b"\n")
    rows = raw.split(b"\n")[:-1] if whole else raw.split(b"\n")
    for i, row in enumerate(rows):
        event = _event(row)
        if event is not None:
            lines.events.append(event)
        elif i < len(rows) - 1 or whole:
            lines.damaged += 1


def _event(row: bytes) -> Event | None:
    match = _BODY.search(row)
    if match is None or zlib.crc32(match[1]) != int(match[2]):
        return None
    try:
        record = json.loads(row)
        return Event(
            id=record["id"],
            type=record["type"],
            body=record["body"],
            run_id=record["run_id"],
            episode_id=record["episode_id"],
            attempt=record["attempt"],
            ts=record["ts"],
            mono=record["mono"],
        )
    except (ValueError, KeyError):
        return None
